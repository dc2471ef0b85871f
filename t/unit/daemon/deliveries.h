/* A process that hands deliveries to workers of users (local, pipe) with everybody whom it talks with, over real channels in one loop;
 * workers are ends of channels. Who includes it has named its state before, `typedef local deliverer;`, and gives world_begin,
 * auth_opened and worker_gone. */
#pragma once
#include "daemon/forward.h"
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/program.h"
#include "os/fd.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void world_begin(void); /* the configuration, and what a start does */
static void auth_opened(peer *p);
static void worker_gone(pool_worker *p);

enum { ASKED_MAX = 10, WORKERS = 4 };

typedef struct asked {
    uint32_t ref;
    char user[40];
} asked;

typedef struct auth_end {
    channel channel;
    asked asked[ASKED_MAX];
    size_t n;
} auth_end;

typedef struct worker_end {
    pool_worker worker;
    channel channel;
    char user[40], key[44];
    uid_t uid;
    uint32_t ref;
    uint64_t queue_id;
    unsigned requests, papers, rule_count;
    bool was_final;
    char extension[20], forwarders[40], account[20], shell[20], filter[20], member[40];
    deliver_rules rules;         /* of local */
    program_rules program_rules; /* of pipe */
    uint32_t paper_outcome;
    int paper;
} worker_end;

static struct world {
    process process;
    program program;
    generation generation;
    deliverer state;
    timer stop;
    channel qmgr, cleanup;
    uint32_t begin_ref;
    unsigned begins, aborts, commits, recipients;
    char forwarders[40], last_address[60], last_nexthop[60];
    uint32_t last_notify;
    auth_end auth[2];
    worker_end workers[WORKERS];
    size_t worker_count;
    unsigned results;
    deliver_result result; /* the last; without its texts */
    uint32_t result_ref;
} * w;

static inline void on_stop(void *context)
{
    loop_stop(context);
}

static inline void rounds(void)
{
    for (int i = 0; i < 10; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static inline void keep(char *out, size_t room, str text)
{
    snprintf(out, room, "%.*s", STR_ARG(text));
}

static bool on_find(void *context, channel *c, received *r)
{
    auth_end *a = context;
    auth_find m;
    (void)c;
    assert_int_equal(auth_find_decode(r->bytes, &m), PARSE_DONE);
    assert_true(a->n < ASKED_MAX);
    a->asked[a->n].ref = r->ref;
    snprintf(a->asked[a->n++].user, sizeof a->asked[0].user, "%.*s", STR_ARG(m.user));
    return true;
}

static bool on_delivered(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    assert_int_equal(deliver_result_decode(r->bytes, &w->result), PARSE_DONE);
    w->result_ref = r->ref;
    w->results++;
    return true;
}

static bool on_work(void *context, channel *c, received *r)
{
    worker_end *e = context;
    deliver_request m;
    (void)c;
    assert_int_equal(deliver_request_decode(r->bytes, &m), PARSE_DONE);
    assert_true(fcntl(r->fds[0], F_GETFD) >= 0);
    e->ref = r->ref;
    e->queue_id = m.queue_id;
    e->was_final = m.is_final;
    keep(e->extension, sizeof e->extension, m.extension);
    keep(e->forwarders, sizeof e->forwarders, m.forwarders);
    keep(e->member, sizeof e->member, m.member);
    e->requests++;
    return true;
}

static bool on_rules(void *context, channel *c, received *r)
{
    worker_end *e = context;
    (void)c;
    assert_int_equal(deliver_rules_decode(r->bytes, &e->rules), PARSE_DONE);
    assert_int_equal(e->requests, 0); /* before its first request */
    return true;
}

static bool on_program_rules(void *context, channel *c, received *r)
{
    worker_end *e = context;
    (void)c;
    assert_int_equal(program_rules_decode(r->bytes, &e->program_rules), PARSE_DONE);
    keep(e->account, sizeof e->account, e->program_rules.account);
    keep(e->shell, sizeof e->shell, e->program_rules.shell);
    keep(e->filter, sizeof e->filter, e->program_rules.filter);
    e->rule_count++;
    assert_true(e->requests == 0 || e->rule_count > 1); /* before its first request */
    return true;
}

static bool on_paper(void *context, channel *c, received *r)
{
    worker_end *e = context;
    deliver_result m;
    (void)c;
    assert_int_equal(deliver_result_decode(r->bytes, &m), PARSE_DONE);
    assert_int_equal(r->ref, e->ref);
    e->paper_outcome = m.outcome;
    fd_close(&e->paper);
    e->paper = r->fd_count ? received_take(r, 0) : -1;
    e->papers++;
    return true;
}

static bool on_begin(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    w->begin_ref = r->ref;
    w->begins++;
    return true;
}

static bool on_envelope(void *context, channel *c, received *r)
{
    envelope m;
    (void)context, (void)c;
    assert_int_equal(envelope_decode(r->bytes, &m), PARSE_DONE);
    snprintf(w->forwarders, sizeof w->forwarders, "%.*s", STR_ARG(m.forwarders));
    return true;
}

static bool on_recipient(void *context, channel *c, received *r)
{
    envelope_recipient m;
    (void)context, (void)c;
    assert_int_equal(envelope_recipient_decode(r->bytes, &m), PARSE_DONE);
    snprintf(w->last_address, sizeof w->last_address, "%.*s", STR_ARG(m.address));
    snprintf(w->last_nexthop, sizeof w->last_nexthop, "%.*s %.*s", STR_ARG(m.transport), STR_ARG(m.nexthop));
    w->last_notify = m.notify;
    w->recipients++;
    return true;
}

static bool on_commit(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->commits++;
    return true;
}

static bool on_abort(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->aborts++;
    return true;
}

static const talk_row auth_end_rows[] = { { AUTH_FIND, 0, 0, on_find } };
static const talk auth_end_talk = { "auth", auth_end_rows, COUNT_OF(auth_end_rows), NULL };
static const talk_row qmgr_end_rows[] = { { DELIVER_RESULT, 0, 0, on_delivered } };
static const talk qmgr_end_talk = { "qmgr", qmgr_end_rows, COUNT_OF(qmgr_end_rows), NULL };
static const talk_row cleanup_end_rows[] = {
    { CLEANUP_BEGIN, 0, 0, on_begin },         { CLEANUP_ENVELOPE, 0, 0, on_envelope },
    { CLEANUP_RECIPIENT, 0, 0, on_recipient }, { CLEANUP_COMMIT, 0, 0, on_commit },
    { CLEANUP_ABORT, 0, 0, on_abort },
};
static const talk cleanup_end_talk = { "cleanup", cleanup_end_rows, COUNT_OF(cleanup_end_rows), NULL };
static const talk_row worker_end_rows[] = { { DELIVER_REQUEST, 1, 1, on_work },
                                            { DELIVER_RULES, 0, 0, on_rules },
                                            { PROGRAM_RULES, 0, 0, on_program_rules },
                                            { DELIVER_PAPER, 0, 1, on_paper } };
static const talk worker_end_talk = { "worker", worker_end_rows, COUNT_OF(worker_end_rows), NULL };

static inline void worker_lost(void *context, channel *c)
{
    pool_worker *p = context;
    (void)c;
    pool_worker **at = &w->state.pool.workers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    map_remove(&w->state.pool.by_user, p->key);
    if (p->open)
        workers_lost(p);
    worker_gone(p);
}

static talk worker_talk = { .name = "worker", .on_closed = worker_lost };

/* In the place of lib/daemon/pool.c: no process is started. */
fault pool_get(pool *p, const pool_user *u, pool_worker **out)
{
    int pair[2];
    str key = u->key.n ? u->key : u->user;
    *out = map_get(&p->by_user, key);
    if (*out)
        return NO_FAULT;
    if (w->worker_count == WORKERS)
        return fault_make(FAULT_TRY_LATER, "3.2", "too many workers");
    worker_end *e = &w->workers[w->worker_count++];
    assert_true(channel_pair(pair));
    snprintf(e->user, sizeof e->user, "%.*s", STR_ARG(u->user));
    e->uid = u->uid;
    e->paper = -1;
    keep(e->key, sizeof e->key, key);
    e->worker = (pool_worker){ .pool = p, .user = str_c(e->user), .key = str_c(e->key), .next = p->workers };
    p->workers = &e->worker;
    channel_open(&e->worker.channel, w->process.loop, pair[0], &worker_talk, &e->worker);
    channel_open(&e->channel, w->process.loop, pair[1], &worker_end_talk, e);
    map_put(&p->by_user, e->worker.key, &e->worker);
    *out = &e->worker;
    return NO_FAULT;
}

static inline void attach(channel *end, const talk *t, void *context, const char *role, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, context);
    daemon_peer_add(&w->process, str_c(role), instance, pair[0]);
}

static inline void cleanup_opened(peer *p)
{
    p->context = &w->state.desk;
}

static const peer_row peers[] = {
    { "qmgr", { 0 }, NULL, jobs_qmgr_lost },
    { "auth", { 0 }, auth_opened, finder_auth_lost },
    { "cleanup", { 0 }, cleanup_opened, forward_cleanup_lost },
};

static int setup(void **state)
{
    static peer_row rows[COUNT_OF(peers)];
    (void)state;
    memcpy(rows, peers, sizeof rows);
    rows[0].talk = qmgr_talk;
    rows[1].talk = finder_talk;
    rows[2].talk = forward_talk;
    worker_talk.rows = worker_rows;
    worker_talk.row_count = worker_row_count;
    w = calloc(1, sizeof *w);
    w->program = (program){ .peers = rows, .peer_count = COUNT_OF(rows) };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .state = &w->state, .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->state.process = w->state.pool.process = &w->process;
    w->state.desk.on_end = workers_copy_ended;
    world_begin();
    w->process.current = &w->generation;
    attach(&w->cleanup, &cleanup_end_talk, NULL, "cleanup", 0);
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach(&w->qmgr, &qmgr_end_talk, NULL, "qmgr", 0);
    attach(&w->auth[0].channel, &auth_end_talk, &w->auth[0], "auth", 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < w->worker_count; i++)
        channel_close(&w->workers[i].channel), fd_close(&w->workers[i].paper);
    rounds();
    channel_close(&w->cleanup);
    channel_close(&w->qmgr);
    channel_close(&w->auth[0].channel);
    channel_close(&w->auth[1].channel);
    rounds();
    assert_null(w->process.peers);
    size_t cursor = 0;
    for (job *j; (j = refs_next(&w->state.jobs, &cursor)) != NULL;)
        job_end(j, NO_FAULT, 0, STR_NONE);
    assert_int_equal(w->process.sessions, 0);
    map_free(&w->state.pool.by_user);
    refs_free(&w->state.jobs);
    refs_free(&w->state.desk.copies);
    refs_free(&w->state.finder.findings);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

/* For alice+lists; who has the mailbox, or acts, and for pipe the member. */
static inline void request_of_bytes(uint32_t ref, uint64_t id, const char *user, const char *member, uint64_t bytes)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    deliver_request m = { .queue_id = id,
                          .user = str_c(user),
                          .recipient = STR("alice+lists@example.test"),
                          .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE,
                          .forwarders = STR("carol"),
                          .member = str_c(member),
                          .content_bytes = bytes };
    channel_put_fds(&w->qmgr, DELIVER_REQUEST, ref, deliver_request, &m, &fd, 1);
    rounds();
}

static inline void request_member(uint32_t ref, uint64_t id, const char *user, const char *member)
{
    request_of_bytes(ref, id, user, member, 0);
}

static inline void answer(auth_end *a, size_t which, const char *user, uint32_t uid)
{
    auth_user m = { .outcome = FAULT_NONE,
                    .user = str_c(user),
                    .uid = uid,
                    .gid = uid,
                    .home = STR("/h"),
                    .mail = STR("/m"),
                    .is_system = 1 };
    channel_put(&a->channel, AUTH_USER, a->asked[which].ref, auth_user, &m);
    rounds();
}

static inline void result(worker_end *e, fault_kind outcome)
{
    deliver_result m = { .queue_id = e->queue_id, .outcome = outcome, .status = STR("0.0") };
    channel_put(&e->channel, DELIVER_RESULT, e->ref, deliver_result, &m);
    rounds();
}

static inline void want(worker_end *e)
{
    deliver_result m = { .queue_id = e->queue_id };
    int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    cleanup_ready ready = { .queue_id = 500 };
    channel_put(&e->channel, DELIVER_WANT, e->ref, deliver_result, &m);
    rounds();
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->begin_ref, cleanup_ready, &ready, &file, 1);
    rounds();
}

static inline void say_member(worker_end *e, const char *text, bool is_final)
{
    deliver_member m = { .member = str_c(text), .is_final = is_final };
    channel_put(&e->channel, DELIVER_MEMBER, e->ref, deliver_member, &m);
}

static inline void copied(worker_end *e, uint32_t members)
{
    deliver_copied m = { .content_bytes = 5, .member_count = members };
    channel_put(&e->channel, DELIVER_COPIED, e->ref, deliver_copied, &m);
    rounds();
}

static inline void done(fault_kind outcome)
{
    cleanup_done m = { .queue_id = 500, .outcome = outcome, .status = STR("3.1"), .reason = STR("the test says so") };
    channel_put(&w->cleanup, CLEANUP_DONE, w->begin_ref, cleanup_done, &m);
    rounds();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
