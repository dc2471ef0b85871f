/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* What a qmgr does when it leaves, and what a cleanup that ends leaves to it. */
#include "t/unit/qmgr_process/world.h"

/* Its result would be lost, and the message delivered again at the next start. */
static void waits_for_what_is_being_delivered(void **state)
{
    (void)state;
    take(2);
    write_message(0);
    write_message(1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->process.sessions, 1);
    w->process.is_draining = true;
    say(QUEUE_DURABLE, w->ids[1]);
    assert_int_equal(w->requests, 1); /* the next qmgr delivers it */
    deliver(FAULT_NONE);
    assert_int_equal(w->process.sessions, 0);
    assert_null(message_find(&w->qmgr, w->ids[0]));
    assert_non_null(message_find(&w->qmgr, w->ids[1]));
}

static void a_result_counts_once(void **state)
{
    (void)state;
    take(2);
    write_message(0);
    write_message(1);
    say(QUEUE_DURABLE, w->ids[0]);
    uint32_t first = w->ref;
    deliver(FAULT_NONE);
    say(QUEUE_DURABLE, w->ids[1]);
    assert_int_equal(w->requests, 2);
    w->ref = first;
    deliver(FAULT_NONE); /* under the number of the one before */
    assert_false(channel_is_open(&w->local));
    assert_non_null(message_find(&w->qmgr, w->ids[1]));
}

/* cleanup wrote it, refused it, emptied it, and ended before it could say so. */
static void what_was_emptied_is_discarded(void **state)
{
    (void)state;
    take(1);
    write_message(0);
    assert_int_equal(ftruncate(w->fds[0], 0), 0);
    cleanup_end(0);
    assert_null(message_find(&w->qmgr, w->ids[0]));
    assert_false(is_in(QUEUE_CORRUPT, w->ids[0]));
    assert_false(is_in(QUEUE_ACTIVE, w->ids[0]));
}

static void what_is_to_be_held_is_moved_at_once(void **state)
{
    (void)state;
    take(1);
    message_write(0, ENVELOPE_HOLD, 1);
    say(QUEUE_HELD, w->ids[0]);
    assert_int_equal(w->requests, 0);
    assert_true(is_in(QUEUE_HOLD, w->ids[0]));
    assert_false(is_in(QUEUE_ACTIVE, w->ids[0]));
    assert_int_equal(message_find(&w->qmgr, w->ids[0])->state, MESSAGE_AT_REST);
    say(QUEUE_HELD, w->ids[0]); /* it has it no more */
    assert_false(channel_is_open(&w->cleanup));
}

/* Its word that it is durable may be lost with it. */
static void what_a_cleanup_left_whole_is_delivered(void **state)
{
    (void)state;
    take(2);
    write_message(0);
    message_write(1, ENVELOPE_DIRECT, 1); /* who brought this one has it still */
    close(w->fds[1]);
    w->fds[1] = -1;
    cleanup_end(0);
    assert_int_equal(w->requests, 1);
    deliver(FAULT_NONE);
    assert_null(message_find(&w->qmgr, w->ids[1]));
}

/* A cleanup that outlived its qmgr may be about to finish it: the next one waits for the lock. */
static void what_somebody_has_in_his_hands_is_left_alone(void **state)
{
    (void)state;
    take(1);
    channel_close(&w->cleanup);
    rounds();
    message *m = message_find(&w->qmgr, w->ids[0]);
    assert_non_null(m);
    assert_int_equal(m->state, MESSAGE_WAITING);
    write_message(0);
    close(w->fds[0]);
    w->fds[0] = -1;
    schedule_ready(&w->qmgr, m);
    rounds();
    assert_int_equal(w->requests, 1);
    deliver(FAULT_NONE);
}

static void messages_that_wait_long_hold_no_descriptor(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 1;
    take(2);
    for (size_t i = 0; i < 2; i++) {
        write_message(i);
        say(QUEUE_DURABLE, w->ids[i]);
    }
    assert_null(message_find(&w->qmgr, w->ids[1])->loaded);
    deliver(FAULT_NONE);
    assert_int_equal(w->requests, 2);
    deliver(FAULT_NONE);
    assert_int_equal(w->qmgr.messages.n, 0);
}

/* Also under the id of a message: that one stays known. */
static void what_was_never_finished_goes_at_a_start(void **state)
{
    qmgr *q = &w->qmgr;
    (void)state;
    w->given = 1;
    w->ids[0] = 4711;
    w->fds[0] = queue_tree_create(q->root_fd, QUEUE_HOLD, 4711);
    write_message(0);
    for (uint64_t id = 4711; id < 4713; id++)
        close(queue_tree_create(q->root_fd, QUEUE_ACTIVE, id));
    assert_false(is_fault(scan_all(q)));
    rounds();
    for (uint64_t id = 4711; id < 4713; id++)
        assert_false(is_in(QUEUE_ACTIVE, id));
    assert_int_equal(q->messages.n, 1);
    assert_int_equal(message_find(q, 4711)->place, QUEUE_HOLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(waits_for_what_is_being_delivered),
        TEST(a_result_counts_once),
        TEST(what_was_emptied_is_discarded),
        TEST(what_is_to_be_held_is_moved_at_once),
        TEST(what_was_never_finished_goes_at_a_start),
        TEST(what_a_cleanup_left_whole_is_delivered),
        TEST(what_somebody_has_in_his_hands_is_left_alone),
        TEST(messages_that_wait_long_hold_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
