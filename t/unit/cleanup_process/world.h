/* cleanup between a qmgr, a policy, an smtpd and a local program, over real channels in one loop. */
#pragma once
#include "cleanup/cleanup.h"
#include "daemon/peers.h"
#include "os/fd.h"
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

enum { FILES_MAX = 512, ASKS_MAX = 16 };

typedef struct qmgr_end {
    channel channel;
    unsigned takes, drops, durables, directs, offers, helds, names, orphans, unnameds;
    bool is_full, is_slow, is_deaf, is_broken; /* to NAME: it says nothing, or gives what cannot be written */
    uint32_t due; /* files that a slow one owes */
    queue_take how; /* the last TAKE */
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

static inline void rounds(void)
{
    for (int i = 0; i < 10 || w->cleanup.syncing; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static inline void give(qmgr_end *q, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        queue_fresh m = { .queue_id = ++w->last_id, .prepared_bytes = q->how.prepared_bytes };
        int fds[2];
        assert_true(m.queue_id < FILES_MAX);
        w->files[m.queue_id] = q->how.kind == FRESH_ID ? -1 : memfd_create("queue file", MFD_CLOEXEC);
        for (size_t k = 0; k < q->how.kind; k++)
            fds[k] = fcntl(w->files[m.queue_id], F_DUPFD_CLOEXEC, 0);
        if (q->how.kind != FRESH_ID)
            assert_int_equal(ftruncate(w->files[m.queue_id], m.prepared_bytes), 0);
        channel_put_fds(&q->channel, QUEUE_FRESH, 0, queue_fresh, &m, fds, q->how.kind);
    }
}

static inline void give_due(qmgr_end *q)
{
    uint32_t due = q->due;
    q->due = 0;
    give(q, due);
    rounds();
}

static bool on_take(void *context, channel *c, received *r)
{
    qmgr_end *q = context;
    queue_take m;
    assert_int_equal(queue_take_decode(r->bytes, &m), PARSE_DONE);
    q->takes++;
    q->how = m;
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

/* What stands in memory is looked at in the place of a file. */
static void memory_keep(received *r)
{
    queue_file m;
    assert_int_equal(queue_file_decode(r->bytes, &m), PARSE_DONE);
    if (r->fd_count == 0)
        return;
    assert_int_equal(w->files[m.queue_id], -1);
    assert_true(fd_is_sealed(r->fds[0]));
    w->files[m.queue_id] = received_take(r, 0);
}

static bool on_direct(void *context, channel *c, received *r)
{
    (void)c;
    ((qmgr_end *)context)->directs++;
    memory_keep(r);
    return true;
}

static bool on_name(void *context, channel *c, received *r)
{
    qmgr_end *q = context;
    queue_name_ask m;
    assert_int_equal(queue_name_ask_decode(r->bytes, &m), PARSE_DONE);
    q->names++;
    q->orphans += m.is_orphan;
    if (q->is_deaf)
        return true;
    if (w->files[m.queue_id] >= 0)
        close(w->files[m.queue_id]);
    w->files[m.queue_id] = q->is_broken ? open("/dev/full", O_RDWR | O_CLOEXEC) : memfd_create("queue file", MFD_CLOEXEC);
    int fd = fcntl(w->files[m.queue_id], F_DUPFD_CLOEXEC, 0);
    queue_file named = { .queue_id = m.queue_id };
    channel_put_fds(c, QUEUE_NAMED, 0, queue_file, &named, &fd, 1);
    return true;
}

static bool on_unnamed(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((qmgr_end *)context)->unnameds++;
    return true;
}

static bool on_held(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((qmgr_end *)context)->helds++;
    return true;
}

static bool on_offer(void *context, channel *c, received *r)
{
    (void)c;
    ((qmgr_end *)context)->offers++;
    memory_keep(r);
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
                                      { QUEUE_DIRECT, 0, 1, on_direct },
                                      { QUEUE_OFFER, 0, 1, on_offer },
                                      { QUEUE_NAME, 0, 0, on_name },
                                      { QUEUE_UNNAMED, 0, 0, on_unnamed },
                                      { QUEUE_HELD, 0, 0, on_held },
                                      { QUEUE_DROP, 0, 0, on_drop } };
static const talk qmgr_end_talk = { "qmgr", qmgr_rows, COUNT_OF(qmgr_rows), NULL };
static const talk_row policy_rows[] = { { POLICY_ASK, 0, 0, on_ask } };
static const talk policy_end_talk = { "policy", policy_rows, COUNT_OF(policy_rows), NULL };
static const talk_row bringer_rows[] = { { CLEANUP_READY, 1, 1, on_ready },
                                         { CLEANUP_DONE, 0, 0, on_done },
                                         { CLEANUP_RESULT, 0, 0, on_result } };
static const talk bringer_talk = { "bringer", bringer_rows, COUNT_OF(bringer_rows), NULL };

static inline void attach(channel *end, const talk *t, void *context, const char *role, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, context);
    daemon_peer_add(&w->process, str_c(role), instance, pair[0]);
}

static inline void submit_connect(channel *end)
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
    for (size_t kind = 0; kind < FRESH_KINDS; kind++) {
        assert_int_equal(w->cleanup.stock[kind].n, 0);
        vec_free(&w->cleanup.stock[kind]);
    }
    vec_free(&w->cleanup.commits);
    watch_close(&w->cleanup.synced);
    refs_free(&w->cleanup.questions);
    for (uint64_t i = 1; i <= w->last_id; i++)
        if (w->files[i] >= 0)
            close(w->files[i]);
    if (w->fd >= 0)
        close(w->fd);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static inline void qmgr_start(size_t which)
{
    attach(&w->qmgr[which].channel, &qmgr_end_talk, &w->qmgr[which], "qmgr", (uint32_t)which);
    rounds();
}

static inline void begin(channel *c, uint32_t ref)
{
    cleanup_begin m = { 0 };
    channel_put(c, CLEANUP_BEGIN, ref, cleanup_begin, &m);
    rounds();
}

static inline void recipient_say(channel *c, uint32_t ref, const char *address, const char *transport)
{
    envelope_recipient m = { .address = str_c(address), .transport = str_c(transport), .nexthop = str_c(transport) };
    channel_put(c, CLEANUP_RECIPIENT, ref, envelope_recipient, &m);
}

static inline void commit(channel *c, uint32_t ref, const char *address, const char *transport, uint64_t bytes)
{
    envelope e = { .reverse_path = STR("a@b.example"), .protocol = STR("ESMTP") };
    cleanup_commit m = { .content_bytes = bytes, .recipient_count = 1 };
    channel_put(c, CLEANUP_ENVELOPE, ref, envelope, &e);
    recipient_say(c, ref, address, transport);
    channel_put(c, CLEANUP_COMMIT, ref, cleanup_commit, &m);
    rounds();
}

static inline void content_write(const char *text)
{
    assert_int_equal(pwrite(w->fd, text, strlen(text), QUEUE_CONTENT_START), (ssize_t)strlen(text));
}

/* Everything in one packet, as smtpd sends it. */
static inline void enclosed_put(channel *c, uint32_t ref, str content, uint64_t said_bytes)
{
    envelope e = { .reverse_path = STR("a@b.example"), .protocol = STR("ESMTP") };
    cleanup_commit m = { .content_bytes = said_bytes, .recipient_count = 1, .content = content };
    channel_put(c, CLEANUP_ENVELOPE, ref, envelope, &e);
    recipient_say(c, ref, "u@l.example", "local");
    channel_put(c, CLEANUP_COMMIT, ref, cleanup_commit, &m);
}

static inline void enclosed_say(channel *c, uint32_t ref, str content, uint64_t said_bytes)
{
    enclosed_put(c, ref, content, said_bytes);
    rounds();
}

static inline void route(uint32_t ref, const char *user)
{
    policy_route m = { .address = str_c(user), .transport = STR("local"), .nexthop = str_c(user) };
    policy_answer a = { .code = 250 };
    channel_put(&w->policy, POLICY_ROUTE, ref, policy_route, &m);
    channel_put(&w->policy, POLICY_ANSWER, ref, policy_answer, &a);
    rounds();
}

static inline uint64_t size_of(uint64_t id)
{
    struct stat st;
    if (w->files[id] < 0)
        return 0;
    assert_int_equal(fstat(w->files[id], &st), 0);
    return (uint64_t)st.st_size;
}

/* The only recipient that the file has. */
static inline void assert_goes_to(uint64_t id, const char *user)
{
    arena a = arena_new(0);
    queue_message m;
    fault f = queue_read(w->files[id], &a, &m);
    assert_string_equal(f.text, "");
    assert_int_equal(m.head.recipient_count, 1);
    assert_true(str_equal(m.recipients[0].nexthop, str_c(user)));
    arena_free(&a);
}

static inline void qmgr_say(uint16_t type, uint64_t id, fault_kind outcome)
{
    queue_file file = { .queue_id = id };
    queue_result result = { .queue_id = id, .outcome = outcome, .status = STR("3.1") };
    if (type == QUEUE_OVER || type == QUEUE_UNNAMED)
        channel_put(&w->qmgr[0].channel, type, 0, queue_result, &result);
    else
        channel_put(&w->qmgr[0].channel, type, 0, queue_file, &file);
    rounds();
}

static inline void assert_answered(fault_kind outcome, unsigned durables, unsigned drops)
{
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, outcome);
    assert_int_equal(w->qmgr[0].durables, durables);
    assert_int_equal(w->qmgr[0].drops, drops);
    assert_int_equal(w->cleanup.offered + w->process.sessions, 0);
}

static inline void wait_durable(void)
{
    for (int i = 0; i < 1000 && w->qmgr[0].durables == 0; i++)
        rounds();
}

static inline int offering_setup(void **state)
{
    setup(state);
    w->generation.snapshot.base.queue_commit_delay_ms = 1000;
    qmgr_start(0);
    return 0;
}

#define OFFERING(name) cmocka_unit_test_setup_teardown(name, offering_setup, teardown)
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
