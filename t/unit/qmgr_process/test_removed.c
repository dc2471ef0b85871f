/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Where it would not last, that messages are gone is committed soon, for many of them at once. */
#include "t/unit/qmgr_process/world.h"

static removals *needed(void)
{
    w->qmgr.mixes_names = true;
    return &w->qmgr.removals;
}

static void wait_for_it(const removals *r)
{
    for (int i = 0; i < 1000 && r->is_due; i++)
        rounds();
    assert_false(r->is_due);
}

static void a_message_that_is_gone_is_committed_soon(void **state)
{
    (void)state;
    removals *r = needed();
    take(1);
    message_write(0, 0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_false(r->is_due);
    deliver(FAULT_NONE);
    assert_true(r->is_due);
    removals_note(&w->qmgr); /* comes along */
    wait_for_it(r);
    removals_note(&w->qmgr);
    assert_true(r->is_due);
    wait_for_it(r);
}

static void one_that_had_no_file_needs_none(void **state)
{
    (void)state;
    removals *r = needed();
    message *m = message_add(&w->qmgr, 4711, QUEUE_ACTIVE, 1);
    m->has_file = false;
    message_remove(&w->qmgr, m);
    assert_false(r->is_due);
}

static void elsewhere_it_is_not_needed(void **state)
{
    (void)state;
    removals_note(&w->qmgr);
    assert_false(w->qmgr.removals.is_due);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_that_is_gone_is_committed_soon),
        TEST(one_that_had_no_file_needs_none),
        TEST(elsewhere_it_is_not_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
