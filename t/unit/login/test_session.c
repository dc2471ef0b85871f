/* SOURCES: login/session.c login/pump.c login/exchange.c login/imap.c login/pop3.c login/sleep.c login/front.c  NEEDS: daemon tls proto */
#include "world.h"
#include "login/pump.h"

static int setup(void **state)
{
    static world w;
    world_open_all(&w, LOGIN_IMAP);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_close_all(*state);
    return 0;
}

static void who_is_too_many_is_told(void **state)
{
    world *w = *state;
    w->meter_refuses = true;
    client_connect(w);
    assert_hears(w, "* BYE Too many connections from your address.\r\nEOF");
    close(w->client);
    w->meter_refuses = false;
    w->service.config.login_session_limit = 0;
    client_connect(w);
    assert_hears(w, "* BYE Too many connections.\r\nEOF");
}

static void a_missing_meter_keeps_nobody_out(void **state)
{
    world *w = *state;
    channel_close(&w->meter);
    rounds(w);
    client_connect(w);
    assert_true(hears(w, "* OK "));
    world_attach(w, &w->meter, &world_meter_talk, "meter");
}

static void a_lost_auth_is_a_reason_to_try_later(void **state)
{
    world *w = *state;
    w->auth_is_deaf = true;
    client_connect(w);
    heard(w);
    say(w, "a LOGIN anna secret\r\n");
    assert_int_equal(w->logins, 1);
    channel_close(&w->auth);
    rounds(w);
    assert_true(hears(w, "a NO [UNAVAILABLE]"));
    say(w, "b LOGIN anna secret\r\n");
    assert_true(hears(w, "b NO [UNAVAILABLE]"));
}

static void a_client_that_leaves_during_auth_costs_nothing(void **state)
{
    world *w = *state;
    w->auth_is_deaf = true;
    client_connect(w);
    say(w, "a LOGIN anna secret\r\n");
    close(w->client);
    w->client = -1;
    rounds(w);
    auth_answer late = { .outcome = FAULT_NONE, .token = TOKEN };
    assert_int_equal(w->front.asked.n, 1);
    channel_put(&w->auth, AUTH_ANSWER, w->front.sessions->ref, auth_answer, &late);
    rounds(w);
    assert_null(w->front.sessions);
}

static void an_answer_to_nobody_is_ignored(void **state)
{
    world *w = *state;
    auth_answer stray = { .outcome = FAULT_NONE, .token = TOKEN };
    client_connect(w);
    channel_put(&w->auth, AUTH_ANSWER, 99999, auth_answer, &stray);
    rounds(w);
    assert_int_equal(w->sessions, 0);
    assert_true(channel_is_open(&w->auth));
}

static void silence_ends_in_time(void **state)
{
    world *w = *state;
    w->service.config.login_timeout = 1;
    client_connect(w);
    heard(w);
    timer_set(&w->stop, 1100);
    loop_run(w->process.loop);
    assert_hears(w, "* BYE Disconnected: no login in time.\r\nEOF");
}

static void a_silent_handshake_ends_in_time(void **state)
{
    world *w = *state;
    world_tls(w);
    w->service.config.login_timeout = 1;
    w->service.config.tls_wrappermode = true;
    client_connect(w);
    say(w, "\x16\x03");
    timer_set(&w->stop, 1100);
    loop_run(w->process.loop);
    assert_null(w->front.sessions);
    assert_true(hears(w, "EOF"));
}

static void draining_ends_who_has_not_logged_in(void **state)
{
    world *w = *state;
    client_connect(w);
    heard(w);
    session_drain(w->front.sessions);
    rounds(w);
    assert_hears(w, "* BYE The server is going down.\r\nEOF");
}

static void a_refused_socket_comes_back_with_word(void **state)
{
    world *w = *state;
    w->pool_refuses = true;
    client_connect(w);
    heard(w);
    say(w, "a7 LOGIN anna secret\r\n");
    assert_hears(w, "a7 NO [UNAVAILABLE] The mailbox cannot be opened now.\r\n* BYE Try again later.\r\nEOF");
}

/* From here on: TLS from the first byte, and what is pumped. */
static void open_tls(world *w)
{
    world_tls(w);
    w->service.config.tls_wrappermode = true;
    w->service.config.login_tls_required = true;
    client_connect(w);
    assert_true(client_tls(w));
    rounds(w);
    assert_true(strstr(heard_tls(w), "* OK [CAPABILITY") != NULL);
}

static void log_in_tls(world *w)
{
    open_tls(w);
    say_tls(w, "a LOGIN anna secret\r\nb NOOP\r\n");
    assert_int_equal(w->sessions, 1);
    assert_int_equal(w->has_tls, 1);
    assert_string_equal(w->input, ""); /* it comes through the pump */
}

static const char *worker_got(world *w)
{
    static char text[100000];
    ssize_t n = read(w->given, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    return n == 0 ? "EOF" : text;
}

static void tls_is_pumped_both_ways(void **state)
{
    world *w = *state;
    log_in_tls(w);
    assert_string_equal(worker_got(w), "b NOOP\r\n");
    assert_int_equal(write(w->given, "a OK\r\n", 6), 6);
    rounds(w);
    assert_hears_tls(w, "a OK\r\n");
    say_tls(w, "c IDLE\r\n");
    assert_string_equal(worker_got(w), "c IDLE\r\n");
    const session *s = w->front.sessions;
    assert_null(s->stream.in.p); /* an idle one holds no buffers */
    assert_null(s->stream.out.p);
    assert_null(s->inner.out.p);
    assert_null(s->imap.command.p);
}

static void the_workers_end_is_the_clients(void **state)
{
    world *w = *state;
    log_in_tls(w);
    worker_got(w);
    assert_int_equal(write(w->given, "* BYE\r\n", 7), 7);
    close(w->given);
    w->given = -1;
    rounds(w);
    assert_hears_tls(w, "* BYE\r\nEOF");
    assert_null(w->front.sessions);
}

static void the_clients_end_is_heard_and_answered(void **state)
{
    world *w = *state;
    log_in_tls(w);
    worker_got(w);
    say_tls(w, "c LOGOUT\r\n");
    SSL_shutdown(w->ssl);
    rounds(w);
    assert_string_equal(worker_got(w), "c LOGOUT\r\n");
    assert_string_equal(worker_got(w), "EOF");
    assert_int_equal(write(w->given, "c OK\r\n", 6), 6);
    close(w->given);
    w->given = -1;
    rounds(w);
    assert_null(w->front.sessions);
    assert_hears_tls(w, "c OK\r\nEOF");
}

static void a_broken_client_ends_the_worker(void **state)
{
    world *w = *state;
    log_in_tls(w);
    worker_got(w);
    close(w->client);
    w->client = -1;
    rounds(w);
    assert_string_equal(worker_got(w), "EOF");
}

/* Bytes that nobody takes stay where they are; none is lost when they are taken in the end. */
static void a_slow_client_holds_the_worker_back(void **state)
{
    static char bytes[50000];
    world *w = *state;
    size_t put = 0, got = 0;
    log_in_tls(w);
    memset(bytes, 'x', sizeof bytes);
    for (ssize_t n = 1; n > 0 && put < 64 * 1024 * 1024;) {
        n = write(w->given, bytes, sizeof bytes);
        put += n > 0 ? (size_t)n : 0;
        rounds(w);
    }
    assert_true(put < 8 * 1024 * 1024);
    assert_true(w->front.sessions->stream.out.n <= PUMP_HIGH + 64 * 1024);
    for (unsigned i = 0; got < put && i < 10000; i++) {
        got += strlen(heard_tls(w));
        rounds(w);
    }
    assert_int_equal(got, put);
}

static void a_slow_worker_holds_the_client_back(void **state)
{
    static char bytes[16000];
    world *w = *state;
    size_t put = 0, got = strlen("b NOOP\r\n");
    log_in_tls(w);
    memset(bytes, 'x', sizeof bytes);
    for (int n = 1; n > 0;) {
        n = SSL_write(w->ssl, bytes, sizeof bytes);
        put += n > 0 ? (size_t)n : 0;
        rounds(w);
        assert_true(put < 8 * 1024 * 1024);
    }
    assert_true(w->front.sessions->inner.out.n <= PUMP_HIGH + 64 * 1024);
    got = 0;
    for (unsigned i = 0; got < put + 8 && i < 10000; i++) {
        got += strlen(worker_got(w));
        rounds(w);
    }
    assert_true(got >= put + 8);
}

static void a_refused_tls_session_hears_why(void **state)
{
    world *w = *state;
    w->pool_refuses = true;
    open_tls(w);
    say_tls(w, "a LOGIN anna secret\r\n");
    rounds(w);
    const char *text = heard_tls(w);
    assert_true(strstr(text, "a NO [UNAVAILABLE]") != NULL);
    assert_true(strstr(text, "EOF") != NULL);
    assert_null(w->front.sessions);
}

static void put_to_sleep(world *w, int fd)
{
    session_sleep m = { .token = 77, .session = STR("L1"), .client = STR("192.0.2.1"), .state = STR("INBOX 5"),
                        .timeout_s = 100 };
    channel_put_fds(&w->pool, SESSION_SLEEP, 0, session_sleep, &m, &fd, 1);
    rounds(w);
}

static void a_sleeping_session_wakes_when_the_client_speaks(void **state)
{
    world *w = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    put_to_sleep(w, pair[0]);
    assert_int_equal(w->sessions, 0);
    assert_int_equal(w->process.sessions, 1);
    assert_int_equal(write(pair[1], "a NOOP\r\n", 8), 8);
    rounds(w);
    assert_int_equal(w->sessions, 1);
    assert_int_equal(w->token, 77);
    assert_string_equal(w->state, "INBOX 5");
    assert_string_equal(worker_got(w), "a NOOP\r\n"); /* login has read none of it */
    assert_int_equal(w->process.sessions, 0);
    close(pair[1]);
}

static void a_tls_session_sleeps_and_wakes_the_same_way(void **state)
{
    world *w = *state;
    log_in_tls(w);
    worker_got(w);
    put_to_sleep(w, w->given);
    w->given = -1;
    say_tls(w, "c NOOP\r\n");
    assert_int_equal(w->sessions, 2);
    assert_string_equal(worker_got(w), "c NOOP\r\n");
    assert_int_equal(write(w->given, "c OK\r\n", 6), 6);
    rounds(w);
    assert_hears_tls(w, "c OK\r\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(who_is_too_many_is_told),
        TEST(a_missing_meter_keeps_nobody_out),
        TEST(a_lost_auth_is_a_reason_to_try_later),
        TEST(a_client_that_leaves_during_auth_costs_nothing),
        TEST(an_answer_to_nobody_is_ignored),
        TEST(silence_ends_in_time),
        TEST(a_silent_handshake_ends_in_time),
        TEST(draining_ends_who_has_not_logged_in),
        TEST(a_refused_socket_comes_back_with_word),
        TEST(tls_is_pumped_both_ways),
        TEST(the_workers_end_is_the_clients),
        TEST(the_clients_end_is_heard_and_answered),
        TEST(a_broken_client_ends_the_worker),
        TEST(a_slow_client_holds_the_worker_back),
        TEST(a_slow_worker_holds_the_client_back),
        TEST(a_refused_tls_session_hears_why),
        TEST(a_sleeping_session_wakes_when_the_client_speaks),
        TEST(a_tls_session_sleeps_and_wakes_the_same_way),
    };
    log_open(open("/dev/null", O_WRONLY), LOG_FORMAT_TEXT, "test", false);
    tls_preload();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
