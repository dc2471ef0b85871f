/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* cleanup between a qmgr, a policy, an smtpd and a local program, over real channels in one loop. */
#include "cleanup/cleanup.h"
#include "daemon/peers.h"
#include "ipc/talk/queue.h"
#include "queue/file.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { FILES_MAX = 64, ASKS_MAX = 16 };

typedef struct qmgr_end {
    channel channel;
    unsigned takes, drops, durables, directs;
    bool is_full, is_slow;
    uint32_t due; /* files that a slow one owes */
} qmgr_end;

static struct world {
    process process;
    program program;
    generation generation;
    cleanup cleanup;
    timer stop;
    qmgr_end qmgr[2];
    channel policy, smtpd, submit;
    int files[FILES_MAX]; /* by queue id, read-write */
    uint64_t last_id;
    uint32_t asks[ASKS_MAX];
    size_t ask_count;
    int fd; /* of the last READY */
    uint64_t ready_id;
    unsigned readies, dones, results;
    uint32_t outcome, result_index[8];
} * w;

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 10; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static void give(qmgr_end *q, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        queue_file m = { .queue_id = ++w->last_id };
        int fd = memfd_create("queue file", MFD_CLOEXEC);
        assert_true(m.queue_id < FILES_MAX);
        w->files[m.queue_id] = fd;
        int fds[2] = { fcntl(fd, F_DUPFD_CLOEXEC, 0), fcntl(fd, F_DUPFD_CLOEXEC, 0) };
        channel_put_fds(&q->channel, QUEUE_FRESH, 0, queue_file, &m, fds, 2);
    }
}

static bool on_take(void *context, channel *c, received *r)
{
    qmgr_end *q = context;
    queue_take m;
    assert_int_equal(queue_take_decode(r->bytes, &m), PARSE_DONE);
    q->takes++;
    if (q->is_full) {
        queue_result full = { .outcome = FAULT_TRY_LATER, .status = STR("3.1"), .reason = STR("full") };
        channel_put(c, QUEUE_FULL, 0, queue_result, &full);
    } else if (q->is_slow) {
        q->due += m.count;
    } else {
        give(q, m.count);
    }
    return true;
}

static bool on_durable(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((qmgr_end *)context)->durables++;
    return true;
}

static bool on_direct(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((qmgr_end *)context)->directs++;
    return true;
}

static bool on_drop(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((qmgr_end *)context)->drops++;
    return true;
}

static bool on_ask(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    assert_true(w->ask_count < ASKS_MAX);
    w->asks[w->ask_count++] = r->ref;
    return true;
}

static bool on_ready(void *context, channel *c, received *r)
{
    cleanup_ready m;
    (void)context, (void)c;
    assert_int_equal(cleanup_ready_decode(r->bytes, &m), PARSE_DONE);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = received_take(r, 0);
    w->ready_id = m.queue_id;
    w->readies++;
    return true;
}

static bool on_done(void *context, channel *c, received *r)
{
    cleanup_done m;
    (void)context, (void)c;
    assert_int_equal(cleanup_done_decode(r->bytes, &m), PARSE_DONE);
    w->outcome = m.outcome;
    w->dones++;
    return true;
}

static bool on_result(void *context, channel *c, received *r)
{
    cleanup_result m;
    (void)context, (void)c;
    assert_int_equal(cleanup_result_decode(r->bytes, &m), PARSE_DONE);
    assert_true(w->results < 8);
    w->result_index[w->results++] = m.index;
    return true;
}

static const talk_row qmgr_rows[] = { { QUEUE_TAKE, 0, 0, on_take },
                                      { QUEUE_DURABLE, 0, 0, on_durable },
                                      { QUEUE_DIRECT, 0, 0, on_direct },
                                      { QUEUE_DROP, 0, 0, on_drop } };
static const talk qmgr_end_talk = { "qmgr", qmgr_rows, COUNT_OF(qmgr_rows), NULL };
static const talk_row policy_rows[] = { { POLICY_ASK, 0, 0, on_ask } };
static const talk policy_end_talk = { "policy", policy_rows, COUNT_OF(policy_rows), NULL };
static const talk_row bringer_rows[] = { { CLEANUP_READY, 1, 1, on_ready },
                                         { CLEANUP_DONE, 0, 0, on_done },
                                         { CLEANUP_RESULT, 0, 0, on_result } };
static const talk bringer_talk = { "bringer", bringer_rows, COUNT_OF(bringer_rows), NULL };

static void attach(channel *end, const talk *t, void *context, const char *role, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, context);
    daemon_peer_add(&w->process, str_c(role), instance, pair[0]);
}

static void submit_connect(channel *end)
{
    listener l = { .daemon = &w->process };
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], &bringer_talk, NULL);
    bring_submit(&l, &(accepted){ .fd = pair[0], .uid = 1000 });
}

static int setup(void **state)
{
    static peer_row peers[] = { { "smtpd", { 0 }, bring_opened, bring_lost },
                                { "qmgr", { 0 }, stock_opened, stock_lost },
                                { "policy", { 0 }, NULL, resolve_lost } };
    (void)state;
    peers[0].talk = bring_talk;
    peers[1].talk = qmgr_talk;
    peers[2].talk = policy_talk;
    w = calloc(1, sizeof *w);
    w->fd = -1;
    w->generation.holders = 1;
    w->generation.snapshot.base =
        (config){ .myhostname = STR("mx.example.test"), .hopcount_limit = 50, .message_size_limit = 1000 };
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->cleanup,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->cleanup.process = &w->process;
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach(&w->policy, &policy_end_talk, NULL, "policy", 0);
    attach(&w->smtpd, &bringer_talk, NULL, "smtpd", 0);
    return 0;
}

static int teardown(void **state)
{
    channel *all[] = { &w->smtpd, &w->submit, &w->policy, &w->qmgr[0].channel, &w->qmgr[1].channel };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        channel_close(all[i]);
        rounds();
    }
    assert_null(w->process.peers);
    assert_null(w->cleanup.bringers);
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->cleanup.blanks.n, 0);
    vec_free(&w->cleanup.blanks);
    refs_free(&w->cleanup.questions);
    for (uint64_t i = 1; i <= w->last_id; i++)
        close(w->files[i]);
    if (w->fd >= 0)
        close(w->fd);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void qmgr_start(size_t which)
{
    attach(&w->qmgr[which].channel, &qmgr_end_talk, &w->qmgr[which], "qmgr", (uint32_t)which);
    rounds();
}

static void begin(channel *c, uint32_t ref)
{
    cleanup_begin m = { 0 };
    channel_put(c, CLEANUP_BEGIN, ref, cleanup_begin, &m);
    rounds();
}

static void recipient_say(channel *c, uint32_t ref, const char *address, const char *transport)
{
    envelope_recipient m = { .address = str_c(address), .transport = str_c(transport), .nexthop = str_c(transport) };
    channel_put(c, CLEANUP_RECIPIENT, ref, envelope_recipient, &m);
}

static void commit(channel *c, uint32_t ref, const char *address, const char *transport, uint64_t bytes)
{
    envelope e = { .reverse_path = STR("a@b.example"), .protocol = STR("ESMTP") };
    cleanup_commit m = { .content_bytes = bytes, .recipient_count = 1 };
    channel_put(c, CLEANUP_ENVELOPE, ref, envelope, &e);
    recipient_say(c, ref, address, transport);
    channel_put(c, CLEANUP_COMMIT, ref, cleanup_commit, &m);
    rounds();
}

static void content_write(const char *text)
{
    assert_int_equal(pwrite(w->fd, text, strlen(text), QUEUE_CONTENT_START), (ssize_t)strlen(text));
}

static void route(uint32_t ref, const char *user)
{
    policy_route m = { .address = str_c(user), .transport = STR("local"), .nexthop = str_c(user) };
    policy_answer a = { .code = 250 };
    channel_put(&w->policy, POLICY_ROUTE, ref, policy_route, &m);
    channel_put(&w->policy, POLICY_ANSWER, ref, policy_answer, &a);
    rounds();
}

static uint64_t size_of(uint64_t id)
{
    struct stat st;
    assert_int_equal(fstat(w->files[id], &st), 0);
    return (uint64_t)st.st_size;
}

/* The only recipient that the file has. */
static void assert_goes_to(uint64_t id, const char *user)
{
    arena a = arena_new(0);
    queue_message m;
    fault f = queue_read(w->files[id], &a, &m);
    assert_string_equal(f.text, "");
    assert_int_equal(m.head.recipient_count, 1);
    assert_true(str_equal(m.recipients[0].nexthop, str_c(user)));
    arena_free(&a);
}

static void says_yes_when_it_is_durable(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    assert_int_equal(w->readies, 1);
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_goes_to(w->ready_id, "local");
}

/* A compromised smtpd could name any command otherwise: what policy says now is what counts. */
static void programs_are_not_taken_from_who_reads_strangers(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "pipe", 3);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(w->ask_count, 1);
    route(w->asks[0], "joe");
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_goes_to(w->ready_id, "joe");
}

static fault_kind read_kind(uint64_t id)
{
    arena a = arena_new(0);
    queue_message m;
    fault f = queue_read(w->files[id], &a, &m);
    arena_free(&a);
    return f.kind;
}

static void without_its_qmgr_it_is_refused_and_no_message(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    channel_close(&w->qmgr[0].channel);
    rounds();
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(read_kind(w->ready_id), FAULT_REFUSED);
}

static void a_bringer_that_ends_leaves_no_message(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    uint64_t id = w->ready_id;
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 1);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(read_kind(id), FAULT_REFUSED);
    assert_true(channel_is_open(&w->qmgr[0].channel));
}

static void a_full_disk_is_not_asked_again_at_once(void **state)
{
    (void)state;
    w->qmgr[0].is_full = true;
    qmgr_start(0);
    assert_int_equal(w->qmgr[0].takes, 1);
    begin(&w->smtpd, 1);
    assert_int_equal(w->qmgr[0].takes, 2);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    w->qmgr[0].is_full = false;
    begin(&w->smtpd, 2);
    assert_int_equal(w->readies, 1);
}

/* The next qmgr is there, and asked for files, before the last one's end is seen. */
static void files_of_the_next_qmgr_are_taken(void **state)
{
    (void)state;
    w->qmgr[0].is_slow = w->qmgr[1].is_slow = true;
    qmgr_start(0);
    qmgr_start(1);
    begin(&w->smtpd, 1);
    assert_int_equal(w->qmgr[1].takes, 1);
    channel_close(&w->qmgr[0].channel);
    rounds();
    give(&w->qmgr[1], w->qmgr[1].due);
    rounds();
    assert_true(channel_is_open(&w->qmgr[1].channel));
    assert_int_equal(w->readies, 1);
}

/* The answer for a message that went away does not become another's. */
static void an_answer_finds_its_own_message(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    qmgr_start(0);
    submit_connect(&w->submit);
    begin(&w->submit, 1);
    commit(&w->submit, 1, "first@l.example", "", 0);
    assert_int_equal(w->ask_count, 1);
    channel_put(&w->submit, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    begin(&w->submit, 2);
    commit(&w->submit, 2, "second@l.example", "", 0);
    assert_int_equal(w->ask_count, 2);
    route(w->asks[0], "first");
    assert_int_equal(w->qmgr[0].durables, 0);
    route(w->asks[1], "second");
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_goes_to(w->ready_id, "second");
    assert_true(channel_is_open(&w->policy));
}

static void open_messages_keep_a_draining_cleanup(void **state)
{
    (void)state;
    qmgr_start(0);
    submit_connect(&w->submit);
    begin(&w->smtpd, 1);
    assert_int_equal(w->process.sessions, 1); /* the connection that brings nothing does not count */
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->process.sessions, 0);
}

static void a_size_that_wraps_is_not_whole(void **state)
{
    (void)state;
    w->generation.snapshot.base.message_size_limit = 0;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    assert_int_equal(pwrite(w->fd, "x", 1, 9), 1);
    commit(&w->smtpd, 1, "u@l.example", "local", (uint64_t)10 - QUEUE_CONTENT_START);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
}

static void one_uid_has_so_many_connections(void **state)
{
    channel *many = calloc(100, sizeof *many);
    size_t open_count = 0;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        submit_connect(&many[i]);
    rounds();
    for (size_t i = 0; i < 100; i++) {
        open_count += channel_is_open(&many[i]);
        channel_close(&many[i]);
    }
    assert_int_equal(open_count, 64);
    rounds();
    free(many);
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_are_not_taken_from_who_reads_strangers),
        TEST(says_yes_when_it_is_durable),           TEST(without_its_qmgr_it_is_refused_and_no_message),
        TEST(a_bringer_that_ends_leaves_no_message), TEST(a_full_disk_is_not_asked_again_at_once),
        TEST(files_of_the_next_qmgr_are_taken),      TEST(an_answer_finds_its_own_message),
        TEST(open_messages_keep_a_draining_cleanup), TEST(a_size_that_wraps_is_not_whole),
        TEST(one_uid_has_so_many_connections),       TEST(results_come_back_to_who_brought_them),
        TEST(what_qmgr_cannot_take_is_told),         TEST(a_lost_qmgr_is_told_and_the_file_is_left),
        TEST(qmgr_hears_that_nobody_waits),          TEST(only_smtpd_brings_what_is_not_kept),
        TEST(with_blind_copies_it_is_queued_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
