/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Messages that are offered before they are durable: delivered and gone, or kept, and nothing else is done with them before. */
#include "t/unit/qmgr_process/world.h"

static void offer_say(size_t i, uint32_t recipient_count)
{
    message_write(i, 0, recipient_count);
    say(QUEUE_OFFER, w->ids[i]);
}

static void result_of(size_t request, fault_kind outcome)
{
    deliver_result m = { .queue_id = w->delivering, .outcome = outcome, .status = STR("2.2"), .reason = STR("reason") };
    channel_put(&w->local, DELIVER_RESULT, w->refs[request], deliver_result, &m);
    rounds();
}

static void what_is_delivered_first_is_over(void **state)
{
    (void)state;
    take(1);
    offer_say(0, 2);
    assert_int_equal(w->requests, 2);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->overs, 0);
    result_of(1, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_NONE);
    assert_int_equal(w->keeps, 0);
    assert_false(is_in(QUEUE_ACTIVE, w->ids[0]));
    assert_int_equal(w->qmgr.offers.n + w->qmgr.messages.n, 0);
    say(QUEUE_DURABLE, w->ids[0]); /* the two words crossed */
    assert_true(channel_is_open(&w->cleanup));
}

static void what_is_durable_first_is_kept(void **state)
{
    (void)state;
    take(1);
    offer_say(0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_int_equal(w->qmgr.offers.n, 0);
    result_of(0, FAULT_TRY_LATER);
    assert_int_equal(w->overs + w->keeps, 0);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
}

/* What was not delivered to all stays where it is until it is durable; then all goes on as ever. */
static void a_failure_waits_until_it_is_durable(void **state)
{
    (void)state;
    take(1);
    offer_say(0, 2);
    result_of(0, FAULT_NONE);
    result_of(1, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1);
    assert_int_equal(w->overs, 0);
    assert_true(is_in(QUEUE_ACTIVE, w->ids[0]));
    assert_int_equal(message_find(&w->qmgr, w->ids[0])->state, MESSAGE_ACTIVE);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
    assert_int_equal(w->qmgr.offers.n + w->qmgr.active_count, 0);
}

static void what_cannot_be_made_durable_goes_and_nothing_is_said_of_it(void **state)
{
    (void)state;
    take(3);
    offer_say(0, 1);
    result_of(0, FAULT_REFUSED);
    assert_int_equal(w->keeps, 1);
    say(QUEUE_DROP, w->ids[0]); /* after its round */
    assert_int_equal(w->qmgr.messages.n, 0);
    offer_say(1, 1);
    say(QUEUE_DROP, w->ids[1]); /* while it is under way */
    assert_int_equal(w->qmgr.offers.n, 0);
    assert_int_equal(w->qmgr.messages.n, 1);
    result_of(1, FAULT_REFUSED);
    assert_int_equal(w->qmgr.messages.n, 0);
    message_write(2, 0, 1);
    queue_file m = { .queue_id = w->ids[2] };
    channel_put(&w->cleanup, QUEUE_OFFER, 0, queue_file, &m);
    channel_put(&w->cleanup, QUEUE_DROP, 0, queue_file, &m); /* before it began */
    rounds();
    assert_int_equal(w->requests, 2);
    assert_int_equal(w->overs + w->qmgr.messages.n + w->qmgr.offers.n + w->qmgr.active_count, 0);
    for (size_t i = 0; i < 3; i++)
        assert_false(is_in(QUEUE_ACTIVE, w->ids[i]));
}

/* A start of a qmgr would find the file whole, too. */
static void a_cleanup_that_ends_leaves_a_message(void **state)
{
    (void)state;
    take(2);
    offer_say(0, 1);
    offer_say(1, 1);
    result_of(1, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1);
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->qmgr.offers.n, 0);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[1]));
    w->delivering = w->ids[0];
    result_of(0, FAULT_TRY_LATER);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
}

static void a_damaged_one_is_refused_and_kept_for_a_look(void **state)
{
    (void)state;
    take(1);
    offer_say(0, 1);
    result_of(0, FAULT_BROKEN);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    assert_true(is_in(QUEUE_CORRUPT, w->ids[0]));
    say(QUEUE_DURABLE, w->ids[0]);
    assert_true(channel_is_open(&w->cleanup));
}

static void an_admin_may_hold_it(void **state)
{
    (void)state;
    take(1);
    offer_say(0, 1);
    message *m = message_find(&w->qmgr, w->ids[0]);
    m->asked = ASKED_HOLD;
    finish_asked(&w->qmgr, m);
    result_of(0, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_true(is_in(QUEUE_HOLD, w->ids[0]));
}

static void only_a_file_that_it_has(void **state)
{
    (void)state;
    take(1);
    say(QUEUE_OFFER, w->ids[0] + 1000);
    assert_false(channel_is_open(&w->cleanup));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_delivered_first_is_over),
        TEST(what_is_durable_first_is_kept),
        TEST(a_failure_waits_until_it_is_durable),
        TEST(what_cannot_be_made_durable_goes_and_nothing_is_said_of_it),
        TEST(a_cleanup_that_ends_leaves_a_message),
        TEST(a_damaged_one_is_refused_and_kept_for_a_look),
        TEST(an_admin_may_hold_it),
        TEST(only_a_file_that_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
