/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Messages that whoever brought them keeps: tried once, told, and gone, whatever happens meanwhile. */
#include "t/unit/qmgr_process/world.h"

static void direct_say(size_t i, uint32_t recipient_count)
{
    message_write(i, ENVELOPE_DIRECT, recipient_count);
    say(QUEUE_DIRECT, w->ids[i]);
}

static void result_of(size_t request, fault_kind outcome, const char *status)
{
    deliver_result m = {
        .queue_id = w->delivering, .outcome = outcome, .status = str_c(status), .reason = STR("reason")
    };
    channel_put(&w->local, DELIVER_RESULT, w->refs[request], deliver_result, &m);
    rounds();
}

static bool is_nowhere(uint64_t id)
{
    for (int p = 0; p < QUEUE_PLACES; p++)
        if (is_in((queue_place)p, id))
            return false;
    return w->qmgr.messages.n == 0 && w->qmgr.directs.n == 0;
}

static void each_recipient_has_its_result(void **state)
{
    (void)state;
    take(1);
    direct_say(0, 3);
    assert_int_equal(w->requests, 3);
    result_of(0, FAULT_NONE, "");
    result_of(1, FAULT_REFUSED, "1.1");
    assert_int_equal(w->outcome_count, 0);
    result_of(2, FAULT_TRY_LATER, "2.2");
    assert_int_equal(w->outcome_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(w->outcomes[i].index, i);
    assert_int_equal(w->outcomes[0].outcome, FAULT_NONE);
    assert_int_equal(w->outcomes[1].outcome, FAULT_REFUSED);
    assert_int_equal(w->outcomes[2].outcome, FAULT_TRY_LATER);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_NONE);
    assert_true(is_nowhere(w->ids[0]));
}

/* maximal_queue_lifetime is of what waits here; this waits elsewhere. */
static void nothing_is_too_old(void **state)
{
    (void)state;
    w->generation.snapshot.base.maximal_queue_lifetime = 0;
    take(1);
    direct_say(0, 1);
    result_of(0, FAULT_TRY_LATER, "2.2");
    assert_int_equal(w->outcomes[0].outcome, FAULT_TRY_LATER);
    assert_true(is_nowhere(w->ids[0]));
}

static void a_damaged_file_is_not_kept(void **state)
{
    (void)state;
    take(2);
    message_write(0, ENVELOPE_DIRECT, 1);
    assert_int_equal(ftruncate(w->fds[0], 5000), 0);
    say(QUEUE_DIRECT, w->ids[0]);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    direct_say(1, 1);
    result_of(0, FAULT_BROKEN, "3.0"); /* its content is not what was written */
    assert_int_equal(w->overs, 2);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    assert_true(is_nowhere(w->ids[0]));
    assert_true(is_nowhere(w->ids[1]));
}

static void a_busy_queue_says_so(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 1;
    take(3);
    direct_say(0, 1);
    direct_say(1, 1);
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    result_of(0, FAULT_NONE, "");
    assert_int_equal(w->over, FAULT_NONE);
    w->process.is_draining = true;
    direct_say(2, 1);
    assert_int_equal(w->overs, 3);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    for (size_t i = 0; i < 3; i++)
        assert_true(is_nowhere(w->ids[i]));
}

static void an_admin_cannot_hold_it(void **state)
{
    (void)state;
    take(1);
    direct_say(0, 2);
    message *m = message_find(&w->qmgr, w->ids[0]);
    m->asked = ASKED_HOLD;
    finish_asked(&w->qmgr, m);
    result_of(0, FAULT_TRY_LATER, "2.2");
    result_of(1, FAULT_NONE, "");
    assert_int_equal(w->outcome_count, 2);
    assert_true(is_nowhere(w->ids[0]));
}

/* What is under way ends, and is told to nobody. */
static void a_cleanup_that_ends_leaves_nothing(void **state)
{
    (void)state;
    take(1);
    direct_say(0, 1);
    channel_close(&w->cleanup);
    rounds();
    assert_non_null(message_find(&w->qmgr, w->ids[0]));
    result_of(0, FAULT_TRY_LATER, "2.2");
    assert_true(is_nowhere(w->ids[0]));
}

static void a_client_that_leaves_ends_what_has_not_begun(void **state)
{
    (void)state;
    take(3);
    direct_say(0, 1);
    say(QUEUE_DROP, w->ids[0]); /* is under way */
    message_write(1, ENVELOPE_DIRECT, 1);
    queue_file m = { .queue_id = w->ids[1] };
    channel_put(&w->cleanup, QUEUE_DIRECT, 0, queue_file, &m);
    channel_put(&w->cleanup, QUEUE_DROP, 0, queue_file, &m); /* in one packet */
    rounds();
    assert_int_equal(w->requests, 1);
    result_of(0, FAULT_NONE, "");
    say(QUEUE_DROP, w->ids[0]); /* crosses the result */
    assert_int_equal(w->overs + w->outcome_count, 0);
    assert_true(channel_is_open(&w->cleanup));
    assert_true(is_nowhere(w->ids[0]));
    assert_true(is_nowhere(w->ids[1]));
}

static void a_lost_local_is_asked_again(void **state)
{
    (void)state;
    take(1);
    direct_say(0, 1);
    channel_close(&w->local);
    rounds();
    attach(&w->local, &local_end_talk, "local");
    assert_int_equal(w->requests, 2);
    result_of(1, FAULT_NONE, "");
    assert_int_equal(w->outcomes[0].outcome, FAULT_NONE);
    assert_true(is_nowhere(w->ids[0]));
}

/* One that is not there, or is a cleanup's no more, is as wrong as with DURABLE. */
static void only_a_file_that_it_has(void **state)
{
    (void)state;
    take(1);
    say(QUEUE_DIRECT, w->ids[0] + 1000);
    assert_false(channel_is_open(&w->cleanup));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_recipient_has_its_result),
        TEST(nothing_is_too_old),
        TEST(a_damaged_file_is_not_kept),
        TEST(a_busy_queue_says_so),
        TEST(an_admin_cannot_hold_it),
        TEST(a_cleanup_that_ends_leaves_nothing),
        TEST(a_client_that_leaves_ends_what_has_not_begun),
        TEST(a_lost_local_is_asked_again),
        TEST(only_a_file_that_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
