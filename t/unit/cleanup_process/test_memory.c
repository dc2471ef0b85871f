/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* Small messages that are offered stand in memory, and get a file when they are kept after all. */
#include "t/unit/cleanup_process/world.h"
#include <sys/resource.h>

#define CONTENT "Subject: x\r\n\r\ny\r\n"

/* Its id. */
static uint64_t message_bring(void)
{
    enclosed_say(&w->smtpd, 1, STR(CONTENT), sizeof CONTENT - 1);
    return w->cleanup.intakes ? w->cleanup.intakes->file.id : 0;
}

static void what_is_offered_has_no_file(void **state)
{
    (void)state;
    uint64_t id = message_bring();
    assert_int_equal(w->qmgr[0].how.kind, FRESH_ID);
    assert_int_equal(w->qmgr[0].offers, 1);
    assert_goes_to(id, "local");
    qmgr_say(QUEUE_OVER, id, FAULT_NONE);
    assert_answered(FAULT_NONE, 0, 0);
    assert_int_equal(w->qmgr[0].names, 0);
}

static void what_is_kept_gets_one(void **state)
{
    (void)state;
    uint64_t id = message_bring();
    assert_true(fd_is_sealed(w->files[id]));
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    assert_answered(FAULT_NONE, 1, 0);
    assert_int_equal(w->qmgr[0].names, 1);
    assert_int_equal(w->qmgr[0].orphans, 0);
    assert_false(fd_is_sealed(w->files[id]));
    assert_goes_to(id, "local");
}

static void what_takes_long_gets_one(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 100;
    uint64_t id = message_bring();
    wait_durable();
    assert_answered(FAULT_NONE, 1, 0);
    assert_goes_to(id, "local");
}

static void it_may_be_delivered_while_it_waits_for_one(void **state)
{
    (void)state;
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring();
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE); /* once is enough */
    assert_int_equal(w->qmgr[0].names, 1);
    assert_int_equal(w->dones, 0);
    qmgr_say(QUEUE_OVER, id, FAULT_NONE);
    assert_answered(FAULT_NONE, 0, 0);
    int fd = memfd_create("late", MFD_CLOEXEC);
    queue_file named = { .queue_id = id };
    channel_put_fds(&w->qmgr[0].channel, QUEUE_NAMED, 0, queue_file, &named, &fd, 1);
    rounds();
    assert_answered(FAULT_NONE, 0, 0);
    assert_true(channel_is_open(&w->qmgr[0].channel));
}

static void without_one_it_is_refused(void **state)
{
    (void)state;
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring();
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    qmgr_say(QUEUE_OVER, id, FAULT_TRY_LATER);
    assert_answered(FAULT_TRY_LATER, 0, 0);
}

static void what_cannot_be_copied_is_refused(void **state)
{
    (void)state;
    w->qmgr[0].is_broken = true;
    uint64_t id = message_bring();
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    assert_answered(FAULT_TRY_LATER, 0, 1);
}

static void wait_named(void)
{
    for (int i = 0; i < 1000 && w->qmgr[0].names == 0; i++)
        rounds();
    assert_int_equal(w->qmgr[0].names, 1);
}

/* It was due: what of it is under way yet may end well, and who was told no would bring it again. */
static void without_one_it_may_be_delivered_yet(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 100;
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring();
    wait_named();
    qmgr_say(QUEUE_UNNAMED, id, FAULT_TRY_LATER);
    assert_int_equal(w->dones, 0);
    assert_int_equal(w->cleanup.offered, 1);
    assert_true(w->cleanup.intakes->file.is_in_memory);
    enclosed_say(&w->smtpd, 2, STR(CONTENT), sizeof CONTENT - 1);
    for (int i = 0; i < 1000 && w->qmgr[0].names == 1; i++)
        rounds();
    assert_int_equal(w->qmgr[0].names, 2); /* the other one is due as ever */
    qmgr_say(QUEUE_OVER, w->cleanup.intakes->file.id, FAULT_NONE);
    assert_int_equal(w->dones, 1);
    qmgr_say(QUEUE_OVER, id, FAULT_NONE);
    assert_int_equal(w->dones, 2);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_int_equal(w->cleanup.offered + w->process.sessions, 0);
}

/* Or not, and then it is refused, unless there is room again. */
static void or_it_must_be_kept_after_all(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 100;
    w->qmgr[0].is_broken = true;
    uint64_t id = message_bring();
    wait_named();
    rounds();
    assert_int_equal(w->qmgr[0].unnameds, 1);
    assert_int_equal(w->dones, 0);
    w->qmgr[0].is_broken = false;
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    assert_answered(FAULT_NONE, 1, 0);
    assert_goes_to(id, "local");
}

/* The word comes while the disk is waited for, which then fails. */
static void what_was_delivered_while_it_was_committed_is_answered(void **state)
{
    (void)state;
    uint64_t id = message_bring();
    w->qmgr[0].is_deaf = true;
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    intake *i = intake_by_id(&w->cleanup, id);
    i->state = INTAKE_COMMITTING;
    qmgr_say(QUEUE_OVER, id, FAULT_NONE);
    assert_int_equal(w->dones, 0);
    assert_true(i->is_delivered);
    i->state = INTAKE_NAMING;
    qmgr_say(QUEUE_UNNAMED, id, FAULT_TRY_LATER);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
}

/* Nobody would say of it that it is over. */
static void what_the_next_qmgr_cannot_keep_is_refused(void **state)
{
    (void)state;
    uint64_t id = message_bring();
    channel_close(&w->qmgr[0].channel);
    w->qmgr[1].is_deaf = true;
    qmgr_start(1);
    assert_int_equal(w->qmgr[1].orphans, 1);
    queue_result full = { .queue_id = id, .outcome = FAULT_TRY_LATER, .status = STR("3.1"), .reason = STR("full") };
    channel_put(&w->qmgr[1].channel, QUEUE_UNNAMED, 0, queue_result, &full);
    rounds();
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(w->cleanup.offered + w->process.sessions, 0);
}

static void what_must_be_kept_and_cannot_is_refused(void **state)
{
    (void)state;
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring();
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    qmgr_say(QUEUE_UNNAMED, id, FAULT_TRY_LATER);
    assert_answered(FAULT_TRY_LATER, 0, 1);
}

/* Whether the one that is gone had delivered it is not known: it is kept, and the next one delivers it. */
static void the_next_qmgr_keeps_what_one_left(void **state)
{
    (void)state;
    uint64_t id = message_bring();
    channel_close(&w->qmgr[0].channel);
    rounds();
    assert_int_equal(w->dones, 0);
    qmgr_start(1);
    assert_int_equal(w->qmgr[1].orphans, 1);
    assert_int_equal(w->qmgr[1].durables, 1);
    assert_answered(FAULT_NONE, 0, 0);
    assert_goes_to(id, "local");
}

static void also_one_that_is_there_already(void **state)
{
    (void)state;
    qmgr_start(1);
    uint64_t id = message_bring();
    size_t first = w->qmgr[0].offers == 0;
    w->qmgr[first].is_deaf = true;
    queue_file keep = { .queue_id = id };
    channel_put(&w->qmgr[first].channel, QUEUE_KEEP, 0, queue_file, &keep);
    rounds();
    assert_int_equal(w->qmgr[first].names, 1);
    channel_close(&w->qmgr[first].channel);
    rounds();
    assert_int_equal(w->qmgr[!first].orphans, 1);
    assert_int_equal(w->qmgr[!first].durables, 1);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
}

/* Nobody was told that it is queued. */
static void its_bringer_may_go(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring();
    channel_put(&w->smtpd, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 0); /* it is not called back */
    qmgr_say(QUEUE_KEEP, id, FAULT_NONE);
    channel_put(&w->smtpd, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 0);
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 1);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(w->process.sessions, 0);
}

static void what_its_client_keeps_has_none_either(void **state)
{
    envelope e = { .reverse_path = STR("a@b.example"), .protocol = STR("LMTP"), .flags = ENVELOPE_DIRECT };
    cleanup_commit m = { .content_bytes = sizeof CONTENT - 1, .recipient_count = 1, .content = STR(CONTENT) };
    (void)state;
    channel_put(&w->smtpd, CLEANUP_ENVELOPE, 1, envelope, &e);
    recipient_say(&w->smtpd, 1, "u@l.example", "local");
    channel_put(&w->smtpd, CLEANUP_COMMIT, 1, cleanup_commit, &m);
    rounds();
    assert_int_equal(w->qmgr[0].directs, 1);
    uint64_t id = w->cleanup.intakes->file.id;
    assert_goes_to(id, "local");
    qmgr_say(QUEUE_OVER, id, FAULT_NONE);
    assert_answered(FAULT_NONE, 0, 0);
    assert_int_equal(w->qmgr[0].names, 0);
}

/* While no more than so many descriptors can be opened. */
static uint64_t message_bring_with(rlim_t descriptors)
{
    struct rlimit before, now;
    int next = fcntl(0, F_DUPFD_CLOEXEC, 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = (struct rlimit){ (rlim_t)next + descriptors, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    uint64_t id = message_bring();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    return id;
}

static void without_descriptors_it_is_refused(void **state)
{
    (void)state;
    qmgr_say(QUEUE_OVER, message_bring(), FAULT_NONE);
    assert_int_equal(w->dones, 1);
    assert_int_equal(message_bring_with(0), 0);
    assert_int_equal(w->dones, 2);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(w->qmgr[0].drops, 1);
}

static void what_cannot_be_handed_over_is_committed(void **state)
{
    (void)state;
    qmgr_say(QUEUE_OVER, message_bring(), FAULT_NONE);
    w->qmgr[0].is_deaf = true;
    uint64_t id = message_bring_with(1);
    assert_int_equal(w->qmgr[0].offers, 1);
    assert_int_equal(w->qmgr[0].names, 1);
    qmgr_say(QUEUE_OVER, id, FAULT_TRY_LATER);
    assert_int_equal(w->dones, 2);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OFFERING(what_is_offered_has_no_file),
        OFFERING(what_is_kept_gets_one),
        OFFERING(what_takes_long_gets_one),
        OFFERING(it_may_be_delivered_while_it_waits_for_one),
        OFFERING(without_one_it_is_refused),
        OFFERING(what_cannot_be_copied_is_refused),
        OFFERING(without_one_it_may_be_delivered_yet),
        OFFERING(or_it_must_be_kept_after_all),
        OFFERING(what_must_be_kept_and_cannot_is_refused),
        OFFERING(what_was_delivered_while_it_was_committed_is_answered),
        OFFERING(what_the_next_qmgr_cannot_keep_is_refused),
        OFFERING(the_next_qmgr_keeps_what_one_left),
        OFFERING(also_one_that_is_there_already),
        OFFERING(its_bringer_may_go),
        OFFERING(what_its_client_keeps_has_none_either),
        OFFERING(without_descriptors_it_is_refused),
        OFFERING(what_cannot_be_handed_over_is_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
