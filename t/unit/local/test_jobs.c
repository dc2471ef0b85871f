/* SOURCES: local/extension.c local/jobs.c local/locks.c local/users.c local/workers.c  NEEDS: daemon queue */
/* local with everybody whom it talks with, over real channels in one loop; workers are ends of channels. */
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/cleanup.h"
#include "local/local.h"
#include "os/fd.h"
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
    char user[40], key[44];
    uid_t uid;
    uint32_t ref;
    uint64_t queue_id;
    unsigned requests, papers;
    bool was_final;
    char extension[20], forwarders[40];
    deliver_rules rules;
    uint32_t paper_outcome;
    int paper;
} worker_end;

static struct world {
    process process;
    program program;
    generation generation;
    local local;
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
    e->was_final = m.is_final;
    snprintf(e->extension, sizeof e->extension, "%.*s", STR_ARG(m.extension));
    snprintf(e->forwarders, sizeof e->forwarders, "%.*s", STR_ARG(m.forwarders));
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
    { CLEANUP_BEGIN, 0, 0, on_begin },   { CLEANUP_ENVELOPE, 0, 0, on_envelope }, { CLEANUP_RECIPIENT, 0, 0, on_recipient },
    { CLEANUP_COMMIT, 0, 0, on_commit }, { CLEANUP_ABORT, 0, 0, on_abort },
};
static const talk cleanup_end_talk = { "cleanup", cleanup_end_rows, COUNT_OF(cleanup_end_rows), NULL };
static const talk_row worker_end_rows[] = { { DELIVER_REQUEST, 1, 1, on_work },
                                            { DELIVER_RULES, 0, 0, on_rules },
                                            { DELIVER_PAPER, 0, 1, on_paper } };
static const talk worker_end_talk = { "worker", worker_end_rows, COUNT_OF(worker_end_rows), NULL };

static void worker_lost(void *context, channel *c)
{
    pool_worker *p = context;
    (void)c;
    map_remove(&w->local.pool.by_user, p->key);
    if (p->open)
        workers_lost(p);
    workers_gone(p);
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
    snprintf(e->key, sizeof e->key, "%.*s", STR_ARG(key));
    e->worker = (pool_worker){ .pool = p, .user = str_c(e->user), .key = str_c(e->key) };
    channel_open(&e->worker.channel, w->process.loop, pair[0], &worker_talk, &e->worker);
    channel_open(&e->channel, w->process.loop, pair[1], &worker_end_talk, e);
    map_put(&p->by_user, e->worker.key, &e->worker);
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

static void cleanup_opened(peer *p)
{
    p->context = &w->local.desk;
}

static const peer_row peers[] = {
    { "qmgr", { 0 }, NULL, jobs_qmgr_lost },
    { "auth", { 0 }, users_auth_opened, finder_auth_lost },
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
    w->process = (process){ .program = &w->program, .loop = loop_new(), .state = &w->local, .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->local.process = w->local.pool.process = &w->process;
    w->local.desk.on_end = workers_copy_ended;
    w->generation.snapshot.base = (config){ .recipient_delimiter = STR("+"), .allow_mail_to_commands = STR("alias, forward"),
                                            .allow_mail_to_files = STR("alias"), .mailbox_delivery_lock = STR("fcntl"),
                                            .mail_spool_directory = STR("/nowhere/mail"), .deliver_lock_attempts = 3 };
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
    for (job *j; (j = refs_next(&w->local.jobs, &cursor)) != NULL;)
        job_end(j, NO_FAULT, 0, STR_NONE);
    assert_int_equal(w->process.sessions, 0);
    map_free(&w->local.pool.by_user);
    refs_free(&w->local.jobs);
    refs_free(&w->local.desk.copies);
    refs_free(&w->local.finder.findings);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void request(uint32_t ref, uint64_t id, const char *user)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    deliver_request m = { .queue_id = id, .user = str_c(user), .recipient = STR("alice+lists@example.test"),
                          .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE, .forwarders = STR("carol") };
    channel_put_fds(&w->qmgr, DELIVER_REQUEST, ref, deliver_request, &m, &fd, 1);
    rounds();
}

static void answer(auth_end *a, size_t which, const char *user, uint32_t uid)
{
    auth_user m = {
        .outcome = FAULT_NONE, .user = str_c(user), .uid = uid, .gid = uid, .home = STR("/h"), .mail = STR("/m"), .is_system = 1
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

/* So many deliveries as one worker is left alone with; the next one is asked for. */
static void requests_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        request(100 + i, 1000 + i, "alice");
}

static void a_user_with_much_mail_has_two_workers(void **state)
{
    (void)state;
    request(7, 70, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    requests_many(9);
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 10);
    request(8, 80, "alice");
    assert_int_equal(w->auth[0].n, 2);
    answer(&w->auth[0], 1, "alice", 1000);
    assert_int_equal(w->worker_count, 2);
    assert_string_equal(w->workers[1].user, "alice");
    assert_int_equal(w->workers[1].uid, 1000);
    requests_many(3); /* who has less to do gets them */
    assert_int_equal(w->auth[0].n, 2);
    assert_int_equal(w->workers[1].requests, 4);
    result(&w->workers[1], FAULT_NONE);
    assert_int_equal(w->result.queue_id, w->workers[1].queue_id);
    channel_close(&w->workers[1].channel);
    rounds();
    assert_int_equal(w->results, 4); /* the others of that one are tried later */
}

static void a_mailbox_that_is_one_file_has_one_worker(void **state)
{
    (void)state;
    request(7, 70, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    ((mailbox *)w->workers[0].worker.context)->is_mbox = true;
    requests_many(15);
    assert_int_equal(w->auth[0].n, 1);
    assert_int_equal(w->workers[0].requests, 16);
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

/* What the request says of the user: a backslash means that .forward is not asked; the extension is the recipient's. */
static void a_worker_hears_the_rules_and_what_it_needs(void **state)
{
    (void)state;
    request(1, 10, "\\alice");
    assert_string_equal(w->auth[0].asked[0].user, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    worker_end *e = &w->workers[0];
    assert_true(e->was_final);
    assert_string_equal(e->extension, "+lists");
    assert_string_equal(e->forwarders, "carol");
    assert_int_equal(e->rules.flags, DELIVER_MAY_COMMAND | DELIVER_LOCKS_FCNTL);
    assert_int_equal(e->rules.lock_attempts, 3);
    w->generation.snapshot.base.allow_mail_to_commands = STR_NONE;
    e->requests = 0;
    w->local.pool.workers = &e->worker; /* of a reload */
    workers_rules(&w->local);
    w->local.pool.workers = NULL;
    rounds();
    assert_int_equal(e->rules.flags, DELIVER_LOCKS_FCNTL);
}

static void want(worker_end *e)
{
    deliver_result m = { .queue_id = e->queue_id };
    int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    cleanup_ready ready = { .queue_id = 500 };
    channel_put(&e->channel, DELIVER_WANT, e->ref, deliver_result, &m);
    rounds();
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->begin_ref, cleanup_ready, &ready, &file, 1);
    rounds();
}

static void member(worker_end *e, const char *text, bool is_final)
{
    deliver_member m = { .member = str_c(text), .is_final = is_final };
    channel_put(&e->channel, DELIVER_MEMBER, e->ref, deliver_member, &m);
}

static void copied(worker_end *e, uint32_t members)
{
    deliver_copied m = { .content_bytes = 5, .member_count = members };
    channel_put(&e->channel, DELIVER_COPIED, e->ref, deliver_copied, &m);
    rounds();
}

static void done(fault_kind outcome)
{
    cleanup_done m = { .queue_id = 500, .outcome = outcome, .status = STR("3.1"), .reason = STR("the test says so") };
    channel_put(&w->cleanup, CLEANUP_DONE, w->begin_ref, cleanup_done, &m);
    rounds();
}

static worker_end *forwarding_worker(void)
{
    request(1, 10, "alice");
    answer(&w->auth[0], 0, "alice", 1000);
    want(&w->workers[0]);
    assert_int_equal(w->workers[0].papers, 1);
    assert_int_equal(w->workers[0].paper_outcome, FAULT_NONE);
    return &w->workers[0];
}

static void a_copy_is_a_message_and_its_end_the_result(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    member(e, "|/bin/command with words", false);
    copied(e, 1);
    assert_int_equal(w->commits, 1);
    assert_string_equal(w->forwarders, "carol alice");
    assert_string_equal(w->last_nexthop, "pipe alice |/bin/command with words");
    assert_string_equal(w->last_address, "alice+lists@example.test");
    assert_int_equal(w->results, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
    assert_int_equal(w->result.action, DELIVER_PASSED_ON);
    assert_int_equal(w->process.sessions, 0);
}

/* The worker may go when its copy is with cleanup: what cleanup says counts. */
static void a_copy_outlives_its_worker(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    member(e, "bob@example.test", false);
    copied(e, 1);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->results, 0);
    assert_int_equal(w->aborts, 0);
    done(FAULT_NONE);
    assert_int_equal(w->results, 1);
    assert_int_equal(w->result.outcome, FAULT_NONE);
}

static void a_lost_worker_gives_its_copy_up(void **state)
{
    (void)state;
    worker_end *e = forwarding_worker();
    member(e, "bob@example.test", false);
    channel_close(&e->channel);
    rounds();
    assert_int_equal(w->aborts, 1);
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

/* A worker that was taken over must not start programs that its user did not name, and none at all for a virtual user. */
static void what_a_worker_may_not_name_drops_it(void **state)
{
    static const char *const bad[] = { "/file", "", "a\nb", "|" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        worker_end *e = forwarding_worker();
        member(e, bad[i], false);
        rounds();
        assert_int_equal(w->results, 1);
        assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
        teardown(state);
        setup(state);
    }
}

static void mailbox_command_is_filled_in_here(void **state)
{
    (void)state;
    w->generation.snapshot.base.mailbox_command = STR("/bin/mda -x");
    worker_end *e = forwarding_worker();
    assert_true(e->rules.flags & DELIVER_HAS_COMMAND);
    member(e, "|", false);
    copied(e, 1);
    assert_string_equal(w->last_nexthop, "pipe alice |/bin/mda -x");
}

static void an_account_of_the_system_waits_for_an_alias(void **state)
{
    (void)state;
    request(1, 10, "daemon");
    auth_user m = { .outcome = FAULT_REFUSED, .needs_alias = 1, .user = STR("daemon") };
    channel_put(&w->auth[0].channel, AUTH_USER, w->auth[0].asked[0].ref, auth_user, &m);
    rounds();
    assert_int_equal(w->result.outcome, FAULT_TRY_LATER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delivers_by_the_users_worker),
        TEST(a_user_with_much_mail_has_two_workers),
        TEST(a_mailbox_that_is_one_file_has_one_worker),
        TEST(a_second_answer_is_nobodys),
        TEST(waits_for_an_auth_that_restarts),
        TEST(a_lost_worker_defers_all_it_had),
        TEST(a_worker_speaks_for_itself_alone),
        TEST(a_qmgr_that_went_away_hears_nothing),
        TEST(a_worker_hears_the_rules_and_what_it_needs),
        TEST(a_copy_is_a_message_and_its_end_the_result),
        TEST(a_copy_outlives_its_worker),
        TEST(a_lost_worker_gives_its_copy_up),
        TEST(what_a_worker_may_not_name_drops_it),
        TEST(mailbox_command_is_filled_in_here),
        TEST(an_account_of_the_system_waits_for_an_alias),
        TEST(an_unknown_user_is_refused_and_a_failed_search_deferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
