/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* Messages whose results go back to who brought them. */
#include "t/unit/cleanup_process/world.h"

/* Of three recipients two are the same mailbox. */
static void direct_begin(channel *c)
{
    static const char *const to[] = { "u@l.example", "v@l.example", "U@L.example" };
    envelope e = { .reverse_path = STR("a@b.example"), .protocol = STR("LMTP"), .flags = ENVELOPE_DIRECT };
    cleanup_commit m = { .content_bytes = 3, .recipient_count = COUNT_OF(to) };
    begin(c, 1);
    content_write("x\r\n");
    channel_put(c, CLEANUP_ENVELOPE, 1, envelope, &e);
    for (size_t i = 0; i < COUNT_OF(to); i++)
        recipient_say(c, 1, to[i], "local");
    channel_put(c, CLEANUP_COMMIT, 1, cleanup_commit, &m);
    rounds();
}

static void outcome_say(uint64_t id, uint32_t index)
{
    queue_outcome m = { .queue_id = id, .index = index, .outcome = FAULT_NONE };
    channel_put(&w->qmgr[0].channel, QUEUE_OUTCOME, 0, queue_outcome, &m);
}

static void over(uint64_t id, fault_kind outcome)
{
    queue_result m = { .queue_id = id, .outcome = outcome };
    channel_put(&w->qmgr[0].channel, QUEUE_OVER, 0, queue_result, &m);
    rounds();
}

static void results_come_back_to_who_brought_them(void **state)
{
    (void)state;
    qmgr_start(0);
    direct_begin(&w->smtpd);
    assert_int_equal(w->qmgr[0].directs, 1);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(w->dones, 0);
    outcome_say(w->ready_id, 1);
    outcome_say(w->ready_id, 0);
    over(w->ready_id, FAULT_NONE);
    assert_int_equal(w->results, 3);
    assert_int_equal(w->result_index[0], 1);
    assert_int_equal(w->result_index[1], 0);
    assert_int_equal(w->result_index[2], 2);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_int_equal(w->qmgr[0].drops, 0);
    assert_int_equal(w->process.sessions, 0);
    outcome_say(w->ready_id, 0); /* of one that is not here any more */
    over(w->ready_id, FAULT_NONE);
    assert_int_equal(w->dones, 1);
    assert_true(channel_is_open(&w->qmgr[0].channel));
}

static void what_qmgr_cannot_take_is_told(void **state)
{
    (void)state;
    qmgr_start(0);
    direct_begin(&w->smtpd);
    over(w->ready_id, FAULT_TRY_LATER);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(w->qmgr[0].drops, 0); /* it is gone already */
}

/* Somebody may be reading it: it is not emptied. */
static void a_lost_qmgr_is_told_and_the_file_is_left(void **state)
{
    (void)state;
    qmgr_start(0);
    direct_begin(&w->smtpd);
    channel_close(&w->qmgr[0].channel);
    rounds();
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_true(size_of(w->ready_id) > QUEUE_CONTENT_START);
}

static void qmgr_hears_that_nobody_waits(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    qmgr_start(0);
    direct_begin(&w->smtpd);
    channel_put(&w->smtpd, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 1);
    assert_int_equal(w->process.sessions, 0);
    direct_begin(&w->smtpd);
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 2);
    assert_true(size_of(w->ready_id) > QUEUE_CONTENT_START);
}

/* Others than those whom it was brought for get it, too: it is kept until they have. */
static void with_blind_copies_it_is_queued_like_any_other(void **state)
{
    (void)state;
    w->generation.snapshot.base.always_bcc = STR("archive@l.example");
    qmgr_start(0);
    direct_begin(&w->smtpd);
    assert_int_equal(w->ask_count, 1);
    route(w->asks[0], "archive");
    assert_int_equal(w->qmgr[0].directs, 0);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_int_equal(w->results, 0);
}

/* A local program has no copy that it would bring again. */
static void only_smtpd_brings_what_is_not_kept(void **state)
{
    (void)state;
    qmgr_start(0);
    submit_connect(&w->submit);
    direct_begin(&w->submit);
    for (size_t i = 0; i < w->ask_count; i++)
        route(w->asks[i], "u");
    assert_int_equal(w->qmgr[0].directs, 0);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(results_come_back_to_who_brought_them),         TEST(what_qmgr_cannot_take_is_told),
        TEST(a_lost_qmgr_is_told_and_the_file_is_left),      TEST(qmgr_hears_that_nobody_waits),
        TEST(with_blind_copies_it_is_queued_like_any_other), TEST(only_smtpd_brings_what_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
