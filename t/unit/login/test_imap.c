/* SOURCES: login/session.c login/pump.c login/exchange.c login/imap.c login/pop3.c login/sleep.c login/front.c  NEEDS: daemon tls proto */
#include "world.h"

#define CAPABILITIES "IMAP4rev1 LITERAL+ SASL-IR ID"
#define GREETING "* OK [CAPABILITY " CAPABILITIES " AUTH=PLAIN AUTH=LOGIN] mx.example.test ready.\r\n"

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

static void connect_and_greet(world *w)
{
    client_connect(w);
    assert_hears(w, GREETING);
}

static void it_greets_and_answers_what_is_allowed(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    assert_int_equal(w->opens, 1);
    say(w, "a CAPABILITY\r\nb noop\r\nc ID NIL\r\nd ID (\"name\" \"x\")\r\n");
    assert_hears(w, "* CAPABILITY " CAPABILITIES " AUTH=PLAIN AUTH=LOGIN\r\na OK Capability completed.\r\n"
                    "b OK Noop completed.\r\n"
                    "* ID (\"name\" \"Postrider\")\r\nc OK Id completed.\r\n"
                    "* ID (\"name\" \"Postrider\")\r\nd OK Id completed.\r\n");
    say(w, "e LOGOUT\r\n");
    assert_hears(w, "* BYE Logging out.\r\ne OK Logout completed.\r\nEOF");
    assert_int_equal(w->closes, 1);
}

static void a_login_hands_the_socket_over(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a1 LOGIN anna \"secret\"\r\na2 SELECT INBOX\r\n");
    assert_string_equal(w->user, "anna");
    assert_string_equal(w->service_name, "imap");
    assert_string_equal(w->client_address, "192.0.2.1");
    assert_int_equal(w->sessions, 1);
    assert_int_equal(w->token, TOKEN);
    assert_string_equal(w->tag, "a1");
    assert_string_equal(w->verb, "LOGIN");
    assert_string_equal(w->input, "a2 SELECT INBOX\r\n");
    assert_int_equal(w->has_tls, 0);
    assert_null(w->front.sessions);
    assert_int_equal(write(w->given, "a1 OK\r\n", 7), 7);
    assert_hears(w, "a1 OK\r\n");
}

static void answers_before_a_login_come_before_the_workers(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a NOOP\r\nb LOGIN anna secret\r\n");
    assert_int_equal(w->sessions, 1);
    assert_hears(w, "a OK Noop completed.\r\n");
}

static void login_in_every_form(void **state)
{
    static const char *const forms[] = {
        "a LOGIN anna secret\r\n",
        "a login \"anna\" \"secret\"\r\n",
        "a LOGIN {4+}\r\nanna {6+}\r\nsecret\r\n",
        "a LOGIN \"an\\\\na\" \"secret\"\r\n",
        "a AUTHENTICATE PLAIN AGFubmEAc2VjcmV0\r\n",
        "a AUTHENTICATE PLAIN\r\nAGFubmEAc2VjcmV0\r\n",
        "a AUTHENTICATE LOGIN\r\nYW5uYQ==\r\nc2VjcmV0\r\n",
        "a AUTHENTICATE LOGIN YW5uYQ==\r\nc2VjcmV0\r\n",
    };
    world *w = *state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        connect_and_greet(w);
        say(w, forms[i]);
        assert_int_equal(w->sessions, i + 1);
        assert_true(strcmp(w->user, "anna") == 0 || strcmp(w->user, "an\\na") == 0);
        assert_string_equal(w->tag, "a");
        close(w->given);
        w->given = -1;
        close(w->client);
    }
    w->client = -1;
}

static void every_split_is_the_same(void **state)
{
    static const char text[] = "a NOOP\r\nb LOGIN {4+}\r\nanna \"secret\"\r\n";
    world *w = *state;
    for (size_t at = 1; at < sizeof text - 1; at += 3) {
        char first[64];
        snprintf(first, sizeof first, "%.*s", (int)at, text);
        connect_and_greet(w);
        say(w, first);
        say(w, text + at);
        assert_string_equal(w->user, "anna");
        assert_string_equal(w->tag, "b");
        close(w->given);
        w->given = -1;
        close(w->client);
        w->user[0] = 0;
    }
    w->client = -1;
}

static void literals_wait_for_a_go_ahead(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a LOGIN {4}\r\n");
    assert_hears(w, "+ OK\r\n");
    say(w, "anna {6}\r\n");
    assert_hears(w, "+ OK\r\n");
    say(w, "secret\r\n");
    assert_int_equal(w->sessions, 1);
}

static void hostile_literals_allocate_nothing(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a LOGIN {4294967296}\r\n");
    assert_true(hears(w, "a BAD [TOOBIG]"));
    say(w, "b LOGIN {99999999999999999999}\r\n");
    assert_true(hears(w, "b BAD "));
    say(w, "c LOGIN {-1}\r\n");
    assert_true(hears(w, "c BAD "));
    say(w, "d LOGIN {2000000000+}\r\n");
    assert_true(hears(w, "EOF")); /* what follows cannot be told from commands */
    assert_int_equal(w->logins, 0);
}

static void refusals_sound_alike_and_the_session_goes_on(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a LOGIN anna wrong\r\nb LOGIN ghost wrong\r\nc NOOP\r\n");
    assert_hears(w, "a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"
                    "b NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"
                    "c OK Noop completed.\r\n");
    w->auth_says = FAULT_TRY_LATER;
    say(w, "d LOGIN anna secret\r\n");
    assert_true(hears(w, "d NO [UNAVAILABLE]"));
}

static void nobody_logs_in_in_clear_when_tls_is_required(void **state)
{
    world *w = *state;
    w->service.config.login_tls_required = true;
    world_tls(w);
    client_connect(w);
    assert_hears(w, "* OK [CAPABILITY " CAPABILITIES " STARTTLS LOGINDISABLED] mx.example.test ready.\r\n");
    say(w, "a LOGIN anna secret\r\nb AUTHENTICATE PLAIN AGFubmEAc2VjcmV0\r\n");
    assert_hears(w, "a NO [PRIVACYREQUIRED] Log in under TLS only.\r\n"
                    "b NO [PRIVACYREQUIRED] Log in under TLS only.\r\n");
    assert_int_equal(w->logins, 0);
}

static void what_stands_behind_starttls_is_dropped(void **state)
{
    world *w = *state;
    w->service.config.login_tls_required = true;
    world_tls(w);
    client_connect(w);
    heard(w);
    say(w, "a STARTTLS\r\nb LOGIN anna secret\r\nc NOOP\r\n");
    assert_hears(w, "a OK Begin TLS now.\r\n");
    assert_true(client_tls(w));
    rounds(w);
    assert_hears_tls(w, "");
    assert_int_equal(w->logins, 0);
    say_tls(w, "d CAPABILITY\r\n");
    assert_hears_tls(w, "* CAPABILITY " CAPABILITIES " AUTH=PLAIN AUTH=LOGIN\r\nd OK Capability completed.\r\n");
    say_tls(w, "e STARTTLS\r\n");
    assert_hears_tls(w, "e BAD TLS is on already.\r\n");
}

static void a_half_command_before_tls_is_forgotten(void **state)
{
    world *w = *state;
    world_tls(w);
    client_connect(w);
    heard(w);
    say(w, "a STARTTLS\r\nb LOGIN ann");
    assert_hears(w, "a OK Begin TLS now.\r\n");
    assert_true(client_tls(w));
    say_tls(w, "a secret\r\n");
    assert_true(strstr(heard_tls(w), "BAD") != NULL);
    assert_int_equal(w->logins, 0);
}

static void without_a_certificate_there_is_no_tls(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a STARTTLS\r\n");
    assert_hears(w, "a NO TLS is not available.\r\n");
}

static void what_is_not_allowed_is_refused_and_counted(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a SELECT INBOX\r\n");
    assert_hears(w, "a BAD Log in first.\r\n");
    say(w, "b XYZZY\r\n");
    assert_true(hears(w, "b BAD "));
    say(w, "c AUTHENTICATE CRAM-MD5\r\n");
    assert_true(hears(w, "c NO "));
    for (int i = 0; i < ERRORS_MAX - 4; i++)
        say(w, "\"\r\n");
    heard(w);
    say(w, "z XYZZY\r\n");
    assert_true(hears(w, "* BYE Too many bad commands.\r\nEOF"));
}

static void a_cancelled_or_broken_exchange_is_told(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "a AUTHENTICATE PLAIN\r\n");
    assert_hears(w, "+ \r\n");
    say(w, "*\r\n");
    assert_hears(w, "a BAD Authentication cancelled.\r\n");
    say(w, "b AUTHENTICATE PLAIN\r\n!!!\r\nc NOOP\r\n");
    assert_hears(w, "+ \r\nb BAD That is no correct response.\r\nc OK Noop completed.\r\n");
    assert_int_equal(w->logins, 0);
}

static void an_endless_response_ends_the_session(void **state)
{
    static char line[13000];
    world *w = *state;
    memset(line, 'A', sizeof line - 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    connect_and_greet(w);
    say(w, "a AUTHENTICATE PLAIN\r\n");
    say(w, line);
    assert_true(hears(w, "EOF"));
    assert_int_equal(w->logins, 0);
}

static void a_browser_hears_nothing(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "GET / HTTP/1.0\r\nHost: x\r\n\r\n");
    assert_hears(w, "EOF");
}

static void a_flood_of_commands_ends(void **state)
{
    static char flood[COMMANDS_MAX * 8 + 100];
    world *w = *state;
    for (size_t i = 0; i <= COMMANDS_MAX; i++)
        memcpy(flood + i * 8, "a NOOP\r\n", 8);
    connect_and_greet(w);
    say(w, flood);
    assert_true(hears(w, "* BYE Too many commands before login.\r\nEOF"));
}

static void too_many_failed_logins_end(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    for (int i = 0; i < LOGINS_MAX; i++)
        say(w, "a LOGIN anna wrong\r\n");
    assert_true(hears(w, "* BYE Too many failed logins.\r\nEOF"));
    assert_int_equal(w->logins, LOGINS_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_greets_and_answers_what_is_allowed),
        TEST(a_login_hands_the_socket_over),
        TEST(answers_before_a_login_come_before_the_workers),
        TEST(login_in_every_form),
        TEST(every_split_is_the_same),
        TEST(literals_wait_for_a_go_ahead),
        TEST(hostile_literals_allocate_nothing),
        TEST(refusals_sound_alike_and_the_session_goes_on),
        TEST(nobody_logs_in_in_clear_when_tls_is_required),
        TEST(what_stands_behind_starttls_is_dropped),
        TEST(a_half_command_before_tls_is_forgotten),
        TEST(without_a_certificate_there_is_no_tls),
        TEST(what_is_not_allowed_is_refused_and_counted),
        TEST(a_cancelled_or_broken_exchange_is_told),
        TEST(an_endless_response_ends_the_session),
        TEST(a_browser_hears_nothing),
        TEST(a_flood_of_commands_ends),
        TEST(too_many_failed_logins_end),
    };
    log_open(open("/dev/null", O_WRONLY), LOG_FORMAT_TEXT, "test", false);
    tls_preload();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
