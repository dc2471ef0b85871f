/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* Messages for mailboxes here are offered before they are durable, and answered when they are, wherever. */
#include "t/unit/cleanup_process/world.h"

static void message_bring(const char *transport)
{
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", transport, 3);
}

static void what_was_delivered_is_answered(void **state)
{
    (void)state;
    message_bring("local");
    assert_int_equal(w->qmgr[0].offers, 1);
    qmgr_say(QUEUE_OVER, w->ready_id, FAULT_NONE);
    assert_answered(FAULT_NONE, 0, 0);
    qmgr_say(QUEUE_KEEP, w->ready_id, FAULT_NONE); /* of one that is not here any more */
    qmgr_say(QUEUE_OVER, w->ready_id, FAULT_NONE);
    assert_answered(FAULT_NONE, 0, 0);
    assert_true(channel_is_open(&w->qmgr[0].channel));
}

static void what_takes_long_is_committed(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 5;
    message_bring("local");
    wait_durable();
    assert_answered(FAULT_NONE, 1, 0);
    qmgr_say(QUEUE_OVER, w->ready_id, FAULT_TRY_LATER); /* too late */
    assert_answered(FAULT_NONE, 1, 0);
}

static void what_qmgr_wants_kept_is_committed_at_once(void **state)
{
    (void)state;
    message_bring("local");
    qmgr_say(QUEUE_KEEP, w->ready_id, FAULT_NONE);
    assert_answered(FAULT_NONE, 1, 0);
}

static void what_is_damaged_is_refused(void **state)
{
    (void)state;
    message_bring("local");
    qmgr_say(QUEUE_OVER, w->ready_id, FAULT_TRY_LATER);
    assert_answered(FAULT_TRY_LATER, 0, 0); /* the file is qmgr's */
}

static void only_what_goes_to_mailboxes_alone_is_offered(void **state)
{
    envelope e = { .reverse_path = STR("a@b.example"), .flags = ENVELOPE_HOLD };
    cleanup_commit m = { .recipient_count = 1 };
    (void)state;
    message_bring("error");
    assert_answered(FAULT_NONE, 1, 0);
    begin(&w->smtpd, 2);
    channel_put(&w->smtpd, CLEANUP_ENVELOPE, 2, envelope, &e);
    recipient_say(&w->smtpd, 2, "u@l.example", "local");
    channel_put(&w->smtpd, CLEANUP_COMMIT, 2, cleanup_commit, &m);
    rounds();
    assert_int_equal(w->qmgr[0].helds, 1);
    w->generation.snapshot.base.queue_commit_delay_ms = 0;
    message_bring("local");
    assert_int_equal(w->qmgr[0].durables, 2);
    assert_int_equal(w->qmgr[0].offers, 0);
}

/* The next qmgr finds it, durable; or the last one had delivered it, and the file has no name any more. */
static void a_lost_qmgr_loses_nothing(void **state)
{
    (void)state;
    message_bring("local");
    channel_close(&w->qmgr[0].channel);
    rounds();
    assert_answered(FAULT_NONE, 0, 0);
    assert_goes_to(w->ready_id, "local");
}

static void it_is_not_called_back(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    message_bring("local");
    channel_put(&w->smtpd, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 0);
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->process.sessions, 0);
}

static void each_has_its_own_time(void **state)
{
    (void)state;
    message_bring("local");
    uint64_t first = w->ready_id;
    begin(&w->smtpd, 2);
    commit(&w->smtpd, 2, "v@l.example", "local", 0);
    intake_by_id(&w->cleanup, first)->due_ms += 100000;
    wait_durable();
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->cleanup.offered, 1);
    w->ready_id = first;
    qmgr_say(QUEUE_OVER, w->ready_id, FAULT_NONE);
    assert_int_equal(w->dones, 2);
    assert_int_equal(w->cleanup.offered, 0);
}

/* They are waited for together; one whose fsync fails is refused, and emptied, and no other. */
static void each_of_several_commits_has_its_own_result(void **state)
{
    int pair[2];
    (void)state;
    message_bring("local");
    uint64_t first = w->ready_id;
    begin(&w->smtpd, 2);
    commit(&w->smtpd, 2, "v@l.example", "local", 0);
    assert_int_equal(pipe(pair), 0);
    assert_true(dup2(pair[1], intake_by_id(&w->cleanup, first)->file.read_write) >= 0); /* it has no fsync */
    for (uint64_t id = first; id; id = id == first ? w->ready_id : 0) {
        queue_file m = { .queue_id = id };
        channel_put(&w->qmgr[0].channel, QUEUE_KEEP, 0, queue_file, &m);
    }
    rounds();
    assert_int_equal(w->dones, 2);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->qmgr[0].drops, 1);
    assert_int_equal(w->outcome, FAULT_NONE); /* of the second, said last */
    assert_int_equal(w->cleanup.commits.n, 0);
    close(pair[0]);
    close(pair[1]);
}

/* What is in the background when its bringer goes is settled first: qmgr hears of it, once. */
static void a_bringer_may_go_while_several_are_committed(void **state)
{
    (void)state;
    message_bring("local");
    uint64_t first = w->ready_id;
    begin(&w->smtpd, 2);
    commit(&w->smtpd, 2, "v@l.example", "local", 0);
    commit_put(intake_by_id(&w->cleanup, first));
    commit_put(intake_by_id(&w->cleanup, w->ready_id));
    w->cleanup.commit.run(&w->cleanup);
    assert_int_equal(w->cleanup.syncing, 2);
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].durables, 2);
    assert_int_equal(w->cleanup.syncing, 0);
    assert_int_equal(w->process.sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFFERING(what_was_delivered_is_answered),
        OFFERING(what_takes_long_is_committed),
        OFFERING(what_qmgr_wants_kept_is_committed_at_once),
        OFFERING(what_is_damaged_is_refused),
        OFFERING(only_what_goes_to_mailboxes_alone_is_offered),
        OFFERING(a_lost_qmgr_loses_nothing),
        OFFERING(it_is_not_called_back),
        OFFERING(each_has_its_own_time),
        OFFERING(each_of_several_commits_has_its_own_result),
        OFFERING(a_bringer_may_go_while_several_are_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
