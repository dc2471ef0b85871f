/* SOURCES: auth/auth.c auth/login.c auth/find.c auth/question.c auth/throttle.c auth/directory.c auth/hash.c auth/worker/verify.c  NEEDS: daemon db outside_crypt */
#include "auth/auth.h"
#include "auth/login.h"
#include "auth/worker/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/peers.h"
#include "ipc/talk/auth.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define USERS_PLAIN                                                                                                    \
    "anna:{PLAIN}secret:1000:1000:/home/anna:\n"                                                                       \
    "locked:!{PLAIN}secret:1000:1000:/home/locked:\n"                                                                  \
    "starred:*:1000:1000:/home/starred:\n"                                                                             \
    "empty::1000:1000:/home/empty:\n"                                                                                  \
    "root:{PLAIN}secret:0:0:/root:\n"

/* Everyone whom auth talks with, over real channels in one loop. */
typedef struct fixture {
    process process;
    generation generation;
    program program;
    auth auth;
    char folder[64], path[80];
    channel front, reader, pool, worker, pam;
    /* what came back */
    unsigned answers, users, changes, grants;
    uint32_t outcome, ref;
    uint64_t token, granted;
    char user[400], mail[100];
    uint32_t uid, is_system;
    bool worker_is_deaf;
    unsigned checks;
} fixture;

static void keep(char *out, size_t size, str s)
{
    snprintf(out, size, "%.*s", STR_ARG(s));
}

static bool got_answer(void *context, channel *c, received *r)
{
    fixture *f = context;
    auth_answer m = { 0 };
    (void)c;
    assert_int_equal(auth_answer_decode(r->bytes, &m), PARSE_DONE);
    f->answers++;
    f->outcome = m.outcome;
    f->ref = r->ref;
    f->token = m.token;
    keep(f->user, sizeof f->user, m.user);
    loop_stop(f->process.loop);
    return true;
}

static bool got_user(void *context, channel *c, received *r)
{
    fixture *f = context;
    auth_user m = { 0 };
    (void)c;
    assert_int_equal(auth_user_decode(r->bytes, &m), PARSE_DONE);
    f->users++;
    f->outcome = m.outcome;
    f->uid = m.uid;
    f->is_system = m.is_system;
    keep(f->user, sizeof f->user, m.user);
    keep(f->mail, sizeof f->mail, m.mail);
    loop_stop(f->process.loop);
    return true;
}

static bool got_changed(void *context, channel *c, received *r)
{
    fixture *f = context;
    (void)c, (void)r;
    f->changes++;
    loop_stop(f->process.loop);
    return true;
}

static bool got_grant(void *context, channel *c, received *r)
{
    fixture *f = context;
    auth_grant m = { 0 };
    (void)c;
    assert_int_equal(auth_grant_decode(r->bytes, &m), PARSE_DONE);
    f->grants++;
    f->granted = m.token;
    f->uid = m.uid;
    keep(f->mail, sizeof f->mail, m.mail);
    return true;
}

static bool got_check(void *context, channel *c, received *r)
{
    fixture *f = context;
    auth_check m = { 0 };
    assert_int_equal(auth_check_decode(r->bytes, &m), PARSE_DONE);
    f->checks++;
    if (f->worker_is_deaf)
        return true;
    bool is_right = c == &f->pam ? str_equal(m.password.hidden, STR("system"))
                                 : password_verify(m.password, m.stored) == PASSWORD_RIGHT;
    auth_checked answer = { .outcome = is_right ? FAULT_NONE : FAULT_REFUSED };
    channel_put(c, AUTH_CHECKED, r->ref, auth_checked, &answer);
    return true;
}

static bool got_find(void *context, channel *c, received *r)
{
    auth_find m = { 0 };
    (void)context;
    assert_int_equal(auth_find_decode(r->bytes, &m), PARSE_DONE);
    auth_user found = { .outcome = FAULT_REFUSED };
    if (str_starts(m.user, STR("sys")))
        found = (auth_user){ .user = m.user, .uid = str_equal(m.user, STR("sysroot")) ? 0 : 1234, .gid = 1234,
                             .is_system = 1, .home = STR("/home/sys"), .mail = STR("/home/sys/Maildir") };
    channel_put(c, AUTH_USER, r->ref, auth_user, &found);
    return true;
}

static const talk_row front_rows[] = { { AUTH_ANSWER, 0, 0, got_answer } };
static const talk_row reader_rows[] = { { AUTH_USER, 0, 0, got_user }, { AUTH_CHANGED, 0, 0, got_changed } };
static const talk_row pool_rows[] = { { AUTH_GRANT, 0, 0, got_grant } };
static const talk_row worker_rows[] = { { AUTH_CHECK, 0, 0, got_check }, { AUTH_FIND, 0, 0, got_find } };
static const talk front_talk = { "front", front_rows, COUNT_OF(front_rows), NULL };
static const talk reader_talk = { "reader", reader_rows, COUNT_OF(reader_rows), NULL };
static const talk pool_talk = { "pool", pool_rows, COUNT_OF(pool_rows), NULL };
static const talk worker_talk = { "worker", worker_rows, COUNT_OF(worker_rows), NULL };

static void on_stop(void *context)
{
    loop_stop(context);
}

static void attach(fixture *f, channel *c, const talk *t, const char *role)
{
    int pair[2];
    assert_true(channel_pair(pair));
    daemon_peer_add(&f->process, str_c(role), 0, pair[0]);
    channel_open(c, f->process.loop, pair[1], t, f);
}

static void put_users(fixture *f, const char *text)
{
    file_owner owner = { .mode = 0600 };
    assert_false(is_fault(file_replace(AT_FDCWD, f->path, str_c(text), owner)));
    auth_refresh(&f->auth, true);
}

static void run(fixture *f)
{
    loop_run(f->process.loop);
}

/* Lets everybody do what they can do now. */
static void rounds(fixture *f)
{
    timer stop;
    timer_open(&stop, f->process.loop, on_stop, f->process.loop);
    for (int i = 0; i < 10; i++) {
        timer_set(&stop, 1);
        run(f);
    }
    timer_close(&stop);
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .folder = "/tmp/test_login.XXXXXX" };
    assert_non_null(mkdtemp(f.folder));
    snprintf(f.path, sizeof f.path, "%s/users", f.folder);
    f.generation.holders = 1;
    f.generation.snapshot.base = (config){ .minimum_uid = 500, .maximum_uid = 60000, .mydestination = STR("example.test"),
                                           .auth_failure_window = 600, .auth_failure_delay_max = 1 };
    f.program = (program){ .peers = auth_peers, .peer_count = auth_peer_count };
    f.process = (process){ .program = &f.program, .loop = loop_new(), .current = &f.generation, .state = &f.auth,
                           .control = { .fd = -1 } };
    f.process.control.loop = f.process.loop;
    auth_init(&f.auth, &f.process, f.path);
    put_users(&f, USERS_PLAIN);
    attach(&f, &f.front, &front_talk, "smtpd");
    attach(&f, &f.pool, &pool_talk, "imapd");
    attach(&f, &f.worker, &worker_talk, "auth-worker");
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    channel *all[] = { &f->front, &f->reader, &f->pool, &f->worker, &f->pam };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        channel_close(all[i]);
    rounds(f); /* peers see the end */
    assert_null(f->process.peers);
    auth_free(&f->auth);
    unlink(f->path);
    rmdir(f->folder);
    loop_free(f->process.loop);
    return 0;
}

static void ask(fixture *f, auth_login m)
{
    static uint32_t ref = 100;
    f->answers = f->grants = 0;
    if (m.client_address.n == 0)
        m.client_address = STR("192.0.2.1");
    if (m.service.n == 0)
        m.service = STR("smtp");
    assert_true(channel_put(&f->front, AUTH_LOGIN, ++ref, auth_login, &m));
}

static fault_kind log_in(fixture *f, auth_login m)
{
    ask(f, m);
    run(f);
    assert_int_equal(f->answers, 1);
    return (fault_kind)f->outcome;
}

#define LOGIN(...) (auth_login){ __VA_ARGS__ }
#define PASSWORD(text) .password = { STR(text) }

static void the_right_password_is_let_in(void **state)
{
    fixture *f = *state;
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("secret"))), FAULT_NONE);
    assert_string_equal(f->user, "anna");
    assert_int_equal(f->token, 0);
    assert_int_equal(f->grants, 0);
    assert_int_equal(log_in(f, LOGIN(.user = STR("Anna@Example.TEST"), PASSWORD("secret"))), FAULT_NONE);
    assert_string_equal(f->user, "anna");
}

static void all_others_are_refused_at_the_same_work(void **state)
{
    static const struct { str user, password, authorization; } rows[] = {
        { STR_ROW("anna"), STR_ROW("wrong"), STR_ROW("") },
        { STR_ROW("anna"), STR_ROW(""), STR_ROW("") },
        { STR_ROW("anna"), STR_ROW("secret\0"), STR_ROW("") },
        { STR_ROW("anna"), STR_ROW("secret"), STR_ROW("locked") },
        { STR_ROW("nobody"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("nobody"), STR_ROW("nobody-has-this-password"), STR_ROW("") },
        { STR_ROW("locked"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("locked"), STR_ROW("nobody-has-this-password"), STR_ROW("") },
        { STR_ROW("starred"), STR_ROW("nobody-has-this-password"), STR_ROW("") },
        { STR_ROW("empty"), STR_ROW(""), STR_ROW("") },
        { STR_ROW("root"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW(""), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("anna\n"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("anna\0"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("ann\xc3"), STR_ROW("secret"), STR_ROW("") },
        { STR_ROW("anna' OR '1'='1"), STR_ROW("secret"), STR_ROW("") },
    };
    fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->checks = 0;
        assert_int_equal(log_in(f, LOGIN(.user = rows[i].user, .password = { rows[i].password },
                                         .authorization = rows[i].authorization)),
                         FAULT_REFUSED);
        assert_string_equal(f->user, "");
        assert_int_equal(f->token, 0);
        assert_int_equal(f->checks, 1);
    }
}

static void a_name_of_10_kb_is_unknown(void **state)
{
    fixture *f = *state;
    static char huge[10240];
    memset(huge, 'a', sizeof huge);
    assert_int_equal(log_in(f, LOGIN(.user = { huge, sizeof huge }, .password = { { huge, sizeof huge } })),
                     FAULT_REFUSED);
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("secret"))), FAULT_NONE);
}

static void acting_as_oneself_is_fine(void **state)
{
    fixture *f = *state;
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), .authorization = STR("anna"), PASSWORD("secret"))), FAULT_NONE);
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), .authorization = STR("anna@example.test"), PASSWORD("secret"))),
                     FAULT_NONE);
}

static void a_reader_gets_a_token_and_the_pool_the_grant_first(void **state)
{
    fixture *f = *state;
    assert_int_equal(log_in(f, LOGIN(.service = STR("imap"), .user = STR("anna"), PASSWORD("secret"))), FAULT_NONE);
    uint64_t first = f->token;
    assert_int_not_equal(first, 0);
    assert_int_equal(f->grants, 1);
    assert_int_equal(f->granted, f->token);
    assert_int_equal(f->uid, 1000);
    assert_string_equal(f->mail, "/home/anna/Maildir");
    assert_int_equal(log_in(f, LOGIN(.service = STR("imap"), .user = STR("anna"), PASSWORD("secret"))), FAULT_NONE);
    assert_int_not_equal(f->token, first);
    assert_int_equal(log_in(f, LOGIN(.service = STR("imap"), .user = STR("anna"), PASSWORD("wrong"))), FAULT_REFUSED);
    assert_int_equal(f->grants, 0);
}

static void a_missing_pool_is_a_reason_to_try_later(void **state)
{
    fixture *f = *state;
    assert_int_equal(log_in(f, LOGIN(.service = STR("pop3"), .user = STR("anna"), PASSWORD("secret"))), FAULT_TRY_LATER);
    assert_int_equal(log_in(f, LOGIN(.service = STR("imap"), .pool = 7, .user = STR("anna"), PASSWORD("secret"))),
                     FAULT_TRY_LATER);
}

static void a_worker_that_dies_is_a_reason_to_try_later(void **state)
{
    fixture *f = *state;
    f->worker_is_deaf = true;
    ask(f, LOGIN(.user = STR("anna"), PASSWORD("secret")));
    channel_flush(&f->front);
    rounds(f);
    assert_int_equal(f->checks, 1);
    assert_int_equal(f->answers, 0);
    channel_close(&f->worker);
    run(f);
    assert_int_equal(f->outcome, FAULT_TRY_LATER);
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("secret"))), FAULT_TRY_LATER); /* none is there */
    assert_int_equal(f->auth.question_count, 0);
}

static void a_front_that_dies_costs_nothing(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < 10; i++)
        ask(f, LOGIN(.user = STR("anna"), PASSWORD("wrong")));
    channel_flush(&f->front);
    channel_close(&f->front);
    rounds(f);
    assert_int_equal(f->auth.question_count, 0);
    assert_int_equal(f->answers, 0);
}

static void an_unknown_service_drops_the_peer(void **state)
{
    fixture *f = *state;
    ask(f, LOGIN(.service = STR("ftp"), .user = STR("anna"), PASSWORD("secret")));
    rounds(f);
    assert_int_equal(f->answers, 0);
    assert_false(channel_is_open(&f->front));
    assert_true(channel_is_open(&f->worker));
}

static void failures_slow_a_source_and_then_refuse_it(void **state)
{
    fixture *f = *state;
    f->auth.throttle.rules = (throttle_rules){ .delay_ms = 20, .delay_max_ms = 40, .limit = 3, .window_ms = 600000 };
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = clock_monotonic_ms();
        assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("wrong"))), FAULT_REFUSED);
        assert_true(clock_monotonic_ms() - before >= (i == 0 ? 19u : 39u));
    }
    f->checks = 0;
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("secret"))), FAULT_REFUSED);
    assert_int_equal(f->checks, 0); /* without a look */
    uint64_t before = clock_monotonic_ms();
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("secret"), .client_address = STR("192.0.2.2"))),
                     FAULT_NONE);
    assert_true(clock_monotonic_ms() - before < 20);
}

static void readers_find_users_and_hear_of_changes(void **state)
{
    fixture *f = *state;
    attach(f, &f->reader, &reader_talk, "policy");
    run(f);
    assert_int_equal(f->changes, 1); /* a fresh reader forgets what it may have known */
    auth_find find = { .user = STR("anna@example.test") };
    channel_put(&f->reader, AUTH_FIND, 1, auth_find, &find);
    run(f);
    assert_int_equal(f->users, 1);
    assert_int_equal(f->outcome, FAULT_NONE);
    assert_string_equal(f->user, "anna");
    assert_string_equal(f->mail, "/home/anna/Maildir");
    assert_int_equal(f->is_system, 0);
    find.user = STR("nobody");
    channel_put(&f->reader, AUTH_FIND, 2, auth_find, &find);
    run(f);
    assert_int_equal(f->outcome, FAULT_REFUSED);
    put_users(f, "bert:{PLAIN}x:1000:1000:/home/bert:\n");
    run(f);
    assert_int_equal(f->changes, 2);
}

static void system_accounts_are_asked_when_they_are_on(void **state)
{
    fixture *f = *state;
    assert_int_equal(log_in(f, LOGIN(.user = STR("sys1"), PASSWORD("system"))), FAULT_REFUSED);
    f->generation.snapshot.base.system_users = true;
    assert_int_equal(log_in(f, LOGIN(.user = STR("sys1"), PASSWORD("system"))), FAULT_TRY_LATER); /* no helper */
    attach(f, &f->pam, &worker_talk, "pam");
    attach(f, &f->reader, &reader_talk, "local");
    run(f);
    assert_int_equal(log_in(f, LOGIN(.service = STR("imap"), .user = STR("sys1"), PASSWORD("system"))), FAULT_NONE);
    assert_int_equal(f->uid, 1234);
    assert_int_equal(log_in(f, LOGIN(.user = STR("sys1"), PASSWORD("wrong"))), FAULT_REFUSED);
    assert_int_equal(log_in(f, LOGIN(.user = STR("sysroot"), PASSWORD("system"))), FAULT_REFUSED); /* uid 0 */
    assert_int_equal(log_in(f, LOGIN(.user = STR("ghost"), PASSWORD("system"))), FAULT_REFUSED);
    assert_int_equal(log_in(f, LOGIN(.user = STR("anna"), PASSWORD("system"))), FAULT_REFUSED); /* the file is first */
    auth_find find = { .user = STR("sys1") };
    channel_put(&f->reader, AUTH_FIND, 1, auth_find, &find);
    run(f);
    assert_int_equal(f->outcome, FAULT_NONE);
    assert_int_equal(f->is_system, 1);
    find.user = STR("sysroot");
    channel_put(&f->reader, AUTH_FIND, 2, auth_find, &find);
    run(f);
    assert_int_equal(f->outcome, FAULT_REFUSED);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Known and unknown in turn, so that what else the machine does hits both. */
static uint64_t median_difference_ns(fixture *f, unsigned tries)
{
    uint64_t times[2][400];
    assert_true(tries <= 400);
    for (unsigned i = 0; i < tries; i++)
        for (unsigned unknown = 0; unknown < 2; unknown++) {
            uint64_t before = now_ns();
            log_in(f, LOGIN(.user = unknown ? STR("anne") : STR("anna"), PASSWORD("wrong")));
            times[unknown][i] = now_ns() - before;
        }
    qsort(times[0], tries, sizeof **times, by_value);
    qsort(times[1], tries, sizeof **times, by_value);
    uint64_t a = times[0][tries / 2], b = times[1][tries / 2];
    return a > b ? a - b : b - a;
}

/* What a busy machine adds is not in every round; what the code gives away would be. */
static bool is_indistinguishable(fixture *f, unsigned tries)
{
    for (int round = 0; round < 6; round++)
        if (median_difference_ns(f, tries) < 1000000)
            return true;
    return false;
}

static void time_does_not_tell_who_exists(void **state)
{
    fixture *f = *state;
    assert_true(is_indistinguishable(f, 300));
    put_users(f, "anna:{CRYPT}$6$rounds=20000$saltsalt$"
                 "RkPMfCSLMhRCtKBROqFbvTvW7xO7PVQ7VXc9gVX0PkHXrCBZTkX6kT1xB.T0AiZ6DlVC3xWwYkCnfLVzOhJIv."
                 ":1000:1000:/home/anna:\n");
    assert_true(is_indistinguishable(f, 40));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_right_password_is_let_in),
        TEST(all_others_are_refused_at_the_same_work),
        TEST(a_name_of_10_kb_is_unknown),
        TEST(acting_as_oneself_is_fine),
        TEST(a_reader_gets_a_token_and_the_pool_the_grant_first),
        TEST(a_missing_pool_is_a_reason_to_try_later),
        TEST(a_worker_that_dies_is_a_reason_to_try_later),
        TEST(a_front_that_dies_costs_nothing),
        TEST(an_unknown_service_drops_the_peer),
        TEST(failures_slow_a_source_and_then_refuse_it),
        TEST(readers_find_users_and_hear_of_changes),
        TEST(system_accounts_are_asked_when_they_are_on),
        TEST(time_does_not_tell_who_exists),
    };
    int quiet = open("/dev/null", O_WRONLY);
    log_open(quiet, LOG_FORMAT_TEXT, "test", false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
