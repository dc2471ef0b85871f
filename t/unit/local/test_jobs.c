/* SOURCES: local/jobs.c local/users.c  NEEDS: daemon queue */
/* local with everybody whom it talks with, over real channels in one loop; workers are ends of channels. */
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "local/local.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ASKED_MAX = 10, WORKERS = 2 };

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
    char user[40];
    uid_t uid;
    uint32_t ref;
    uint64_t queue_id;
    unsigned requests;
} worker_end;

static struct world {
    process process;
    program program;
    local local;
    timer stop;
    channel qmgr;
    auth_end auth[2];
    worker_end workers[WORKERS];
    size_t worker_count;
    unsigned results;
    deliver_result result; /* the last; without its texts */
    uint32_t result_ref;
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
    e->requests++;
    return true;
}

static const talk_row auth_end_rows[] = { { AUTH_FIND, 0, 0, on_find } };
static const talk auth_end_talk = { "auth", auth_end_rows, COUNT_OF(auth_end_rows), NULL };
static const talk_row qmgr_end_rows[] = { { DELIVER_RESULT, 0, 0, on_delivered } };
static const talk qmgr_end_talk = { "qmgr", qmgr_end_rows, COUNT_OF(qmgr_end_rows), NULL };
static const talk_row worker_end_rows[] = { { DELIVER_REQUEST, 1, 1, on_work } };
static const talk worker_end_talk = { "worker", worker_end_rows, COUNT_OF(worker_end_rows), NULL };

static void worker_lost(void *context, channel *c)
{
    pool_worker *p = context;
    (void)c;
    map_remove(&w->local.pool.by_user, p->user);
    if (p->open)
        jobs_worker_lost(p);
}

static talk worker_talk = { .name = "worker", .on_closed = worker_lost };

/* In the place of lib/daemon/pool.c: no process is started. */
fault pool_get(pool *p, const pool_user *u, pool_worker **out)
{
    int pair[2];
    *out = map_get(&p->by_user, u->user);
    if (*out)
        return NO_FAULT;
    if (w->worker_count == WORKERS)
        return fault_make(FAULT_TRY_LATER, "3.2", "too many workers");
    worker_end *e = &w->workers[w->worker_count++];
    assert_true(channel_pair(pair));
    snprintf(e->user, sizeof e->user, "%.*s", STR_ARG(u->user));
    e->uid = u->uid;
    e->worker = (pool_worker){ .pool = p, .user = str_c(e->user) };
    channel_open(&e->worker.channel, w->process.loop, pair[0], &worker_talk, &e->worker);
    channel_open(&e->channel, w->process.loop, pair[1], &worker_end_talk, e);
    map_put(&p->by_user, e->worker.user, &e->worker);
    *out = &e->worker;
    return NO_FAULT;
}

static void attach(channel *end, const talk *t, void *context, const char *role, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, context);
    daemon_peer_add(&w->process, str_c(role), instance, pair[0]);
}

static const peer_row peers[] = {
    { "qmgr", { 0 }, NULL, jobs_qmgr_lost },
    { "auth", { 0 }, users_auth_opened, users_auth_lost },
};

static int setup(void **state)
{
    static peer_row rows[COUNT_OF(peers)];
    (void)state;
    memcpy(rows, peers, sizeof rows);
    rows[0].talk = qmgr_talk;
    rows[1].talk = auth_talk;
    worker_talk.rows = worker_rows;
    worker_talk.row_count = worker_row_count;
    w = calloc(1, sizeof *w);
    w->program = (program){ .peers = rows, .peer_count = COUNT_OF(rows) };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .state = &w->local, .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->local.process = w->local.pool.process = &w->process;
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach(&w->qmgr, &qmgr_end_talk, NULL, "qmgr", 0);
    attach(&w->auth[0].channel, &auth_end_talk, &w->auth[0], "auth", 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < w->worker_count; i++)
        channel_close(&w->workers[i].channel);
    rounds();
    channel_close(&w->qmgr);
    channel_close(&w->auth[0].channel);
    channel_close(&w->auth[1].channel);
    rounds();
    assert_null(w->process.peers);
    size_t cursor = 0;
    for (job *j; (j = refs_next(&w->local.jobs, &cursor)) != NULL;)
        job_end(j, NO_FAULT, STR_NONE);
    assert_int_equal(w->process.sessions, 0);
    map_free(&w->local.pool.by_user);
    refs_free(&w->local.jobs);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void request(uint32_t ref, uint64_t id, const char *user)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    deliver_request m = { .queue_id = id, .user = str_c(user) };
    channel_put_fds(&w->qmgr, DELIVER_REQUEST, ref, deliver_request, &m, &fd, 1);
    rounds();
}

static void answer(auth_end *a, size_t which, const char *user, uint32_t uid)
{
    auth_user m = {
        .outcome = FAULT_NONE, .user = str_c(user), .uid = uid, .gid = uid, .home = STR("/h"), .mail = STR("/m")
    };
    channel_put(&a->channel, AUTH_USER, a->asked[which].ref, auth_user, &m);
    rounds();
}

static void result(worker_end *e, fault_kind outcome)
{
    deliver_result m = { .queue_id = e->queue_id, .outcome = outcome, .status = STR("0.0") };
    channel_put(&e->channel, DELIVER_RESULT, e->ref, deliver_result, &m);
    rounds();
}

static void delivers_by_the_users_worker(void **state)
{
    (void)state;
    request(7, 70, "alice");
    assert_int_equal(w->auth[0].n, 1);
    assert_string_equal(w->auth[0].asked[0].user, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
    assert_int_equal(w->workers[0].uid, 1000);
    assert_int_equal(w->process.sessions, 1); /* keeps a draining local */
    result(&w->workers[0], FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result_ref, 7);
    assert_int_equal(w->result.queue_id, 70);
    assert_int_equal(w->process.sessions, 0);
    request(8, 71, "alice"); /* the worker is there: nobody is asked */
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 2);
}

/* A reload starts another auth, which is asked again; the late second answer is about a delivery that is over. */
static void a_second_answer_is_nobodys(void **state)
{
    (void)state;
    request(1, 10, "alice");
    attach(&w->auth[1].channel, &auth_end_talk, &w->auth[1], "auth", 1);
    rounds();
    assert_int_equal(w->auth[1].n, 1);
    answer(&w->auth[0], 0, "alice", 1000);
    result(&w->workers[0], FAULT_NONE);
    request(2, 11, "bob");
    answer(&w->auth[1], 0, "alice", 1000);
    assert_int_equal(w->worker_count, 1);
    auth_end *last = w->auth[1].n == 2 ? &w->auth[1] : &w->auth[0];
    assert_string_equal(last->asked[1].user, "bob");
    answer(last, 1, "bob", 1001);
    assert_int_equal(w->worker_count, 2);
    assert_string_equal(w->workers[1].user, "bob");
    assert_int_equal(w->workers[1].uid, 1001);
}

static void waits_for_an_auth_that_restarts(void **state)
{
    (void)state;
    channel_close(&w->auth[0].channel);
    rounds();
    request(1, 10, "alice");
    assert_int_equal(w->results, 0);
    attach(&w->auth[1].channel, &auth_end_talk, &w->auth[1], "auth", 0);
    rounds();
    answer(&w->auth[1], 0, "alice", 1000);
    assert_int_equal(w->workers[0].requests, 1);
}

static void a_lost_worker_defers_all_it_had(void **state)
{
    (void)state;
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    request(2, 11, "alice");
    channel_close(&w->workers[0].channel);
    rounds();
    assert_int_equal(w->results, 2);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
}

/* Of another's delivery, of another message, of a kind that does not exist: that worker is dropped, what it had is deferred. */
static void a_worker_speaks_for_itself_alone(void **state)
{
    static const struct {
        uint32_t ref;
        uint64_t id;
        uint32_t outcome;
    } rows[] = { { 0, 10, FAULT_NONE }, { 1, 99, FAULT_NONE }, { 1, 10, FAULT_BUG + 1 } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        request(1, 10, "alice");
        request(2, 11, "bob");
        answer(&w->auth[0], 0, "alice", 1000);
        answer(&w->auth[0], 1, "bob", 1001);
        worker_end *bad = &w->workers[0];
        deliver_result m = { .queue_id = rows[i].id, .outcome = rows[i].outcome };
        channel_put(&bad->channel, DELIVER_RESULT, rows[i].ref ? bad->ref : w->workers[1].ref, deliver_result, &m);
        rounds();
        assert_int_equal(w->results, 1);
        assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
        assert_int_equal(w->result.queue_id, 10);
        if (i + 1 < COUNT_OF(rows)) {
            teardown(state);
            setup(state);
        }
    }
}

static void a_qmgr_that_went_away_hears_nothing(void **state)
{
    (void)state;
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    channel_close(&w->qmgr);
    rounds();
    attach(&w->qmgr, &qmgr_end_talk, NULL, "qmgr", 0);
    result(&w->workers[0], FAULT_NONE);
    assert_int_equal(w->results, 0);
    assert_int_equal(w->process.sessions, 0);
}

static void an_unknown_user_is_refused_and_a_failed_search_deferred(void **state)
{
    (void)state;
    request(1, 10, "nobody");
    auth_user m = { .outcome = FAULT_REFUSED };
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->result.outcome, FAULT_REFUSED);
    request(2, 11, "somebody");
    m.outcome = FAULT_TRY_LATER;
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[1].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->results, 2);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_by_the_users_worker),
        TEST(a_second_answer_is_nobodys),
        TEST(waits_for_an_auth_that_restarts),
        TEST(a_lost_worker_defers_all_it_had),
        TEST(a_worker_speaks_for_itself_alone),
        TEST(a_qmgr_that_went_away_hears_nothing),
        TEST(an_unknown_user_is_refused_and_a_failed_search_deferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
