/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Where it would not last, that messages are gone is synced behind them, one sync at a time. */
#include "os/fd.h"
#include "t/unit/qmgr_process/world.h"

static removals *own_removals(void)
{
    removals *r = &w->qmgr.removals;
    assert_int_equal(r->folder_fd, -1); /* /tmp is not on such a disk */
    r->folder_fd = queue_tree_folder(w->qmgr.root_fd, QUEUE_ACTIVE);
    assert_true(r->folder_fd >= 0);
    return r;
}

static void end(removals *r)
{
    if (r->synced.is_open)
        watch_close(&r->synced);
    fd_close(&r->folder_fd);
}

static void wait_for_it(const removals *r)
{
    for (int i = 0; i < 1000 && r->is_under_way; i++)
        rounds();
    assert_false(r->is_under_way);
}

static void a_message_that_is_gone_is_synced(void **state)
{
    (void)state;
    removals *r = own_removals();
    w->qmgr.has_no_spares = true;
    take(1);
    message_write(0, 0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_false(r->synced.is_open);
    deliver(FAULT_NONE);
    assert_true(r->synced.is_open);
    wait_for_it(r);
    assert_false(r->is_due);
    end(r);
}

static void one_at_a_time_and_once_more_for_what_came_meanwhile(void **state)
{
    (void)state;
    removals *r = own_removals();
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    assert_true(r->is_under_way && !r->is_due);
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    assert_true(r->is_under_way && r->is_due);
    wait_for_it(r);
    assert_false(r->is_due);
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    assert_true(r->is_under_way);
    wait_for_it(r);
    end(r);
}

static void other_folders_and_other_disks_need_none(void **state)
{
    (void)state;
    removals *r = own_removals();
    removals_note(&w->qmgr, QUEUE_DEFERRED);
    assert_false(r->is_under_way);
    fd_close(&r->folder_fd);
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    assert_false(r->is_under_way || r->is_due);
}

/* What cannot be synced in the background is not waited for. */
static void what_the_kernel_does_not_take_is_left(void **state)
{
    int ends[2];
    (void)state;
    removals *r = &w->qmgr.removals;
    assert_int_equal(pipe(ends), 0);
    r->folder_fd = ends[0];
    removals_note(&w->qmgr, QUEUE_ACTIVE);
    assert_false(r->is_under_way || r->is_due);
    end(r);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_is_gone_is_synced),
        TEST(one_at_a_time_and_once_more_for_what_came_meanwhile),
        TEST(other_folders_and_other_disks_need_none),
        TEST(what_the_kernel_does_not_take_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
