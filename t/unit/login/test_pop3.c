/* SOURCES: login/session.c login/pump.c login/exchange.c login/imap.c login/pop3.c login/sleep.c login/front.c  NEEDS: daemon tls proto */
#include "world.h"

static int setup(void **state)
{
    static world w;
    world_open_all(&w, LOGIN_POP3);
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
    assert_hears(w, "+OK mx.example.test ready.\r\n");
}

static void capabilities_follow_the_rules(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "CAPA\r\n");
    assert_hears(w, "+OK These are the capabilities.\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                    "USER\r\nSASL PLAIN LOGIN\r\n.\r\n");
    say(w, "AUTH\r\n");
    assert_hears(w, "+OK These are the mechanisms.\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    w->service.config.login_tls_required = true;
    world_tls(w);
    say(w, "CAPA\r\n");
    assert_hears(w, "+OK These are the capabilities.\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                    "STLS\r\n.\r\n");
    say(w, "USER anna\r\nAUTH PLAIN AGFubmEAc2VjcmV0\r\n");
    assert_hears(w, "-ERR [AUTH] Log in under TLS only.\r\n-ERR [AUTH] Log in under TLS only.\r\n");
    assert_int_equal(w->logins, 0);
}

static void user_and_pass_hand_the_socket_over(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "USER anna\r\nPASS secret\r\nSTAT\r\n");
    assert_string_equal(w->user, "anna");
    assert_string_equal(w->service_name, "pop3");
    assert_int_equal(w->sessions, 1);
    assert_string_equal(w->verb, "PASS");
    assert_string_equal(w->tag, "");
    assert_string_equal(w->input, "STAT\r\n");
    assert_hears(w, "+OK Now the password.\r\n");
}

static void a_password_may_have_blanks(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "USER anna\r\nPASS  two words \r\n");
    assert_string_equal(w->password, " two words ");
    assert_true(hears(w, "-ERR [AUTH] Authentication failed.\r\n"));
    say(w, "PASS secret\r\n");
    assert_hears(w, "-ERR Send USER first.\r\n");
}

static void exchanges_work(void **state)
{
    static const char *const forms[] = {
        "AUTH PLAIN AGFubmEAc2VjcmV0\r\n",
        "AUTH PLAIN\r\nAGFubmEAc2VjcmV0\r\n",
        "AUTH LOGIN\r\nYW5uYQ==\r\nc2VjcmV0\r\n",
    };
    world *w = *state;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        connect_and_greet(w);
        say(w, forms[i]);
        assert_int_equal(w->sessions, i + 1);
        assert_string_equal(w->verb, "AUTH");
        close(w->given);
        w->given = -1;
        close(w->client);
    }
    w->client = -1;
}

static void after_an_exchange_lines_are_commands_again(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "AUTH PLAIN\r\n*\r\nCAPA\r\n");
    const char *text = heard(w);
    assert_true(strstr(text, "+ \r\n-ERR Authentication cancelled.\r\n+OK These are the capabilities.") != NULL);
    say(w, "AUTH PLAIN\r\nAGFubmEAd3Jvbmc=\r\nUSER anna\r\n");
    assert_hears(w, "+ \r\n-ERR [AUTH] Authentication failed.\r\n+OK Now the password.\r\n");
}

static void what_stands_behind_stls_is_dropped(void **state)
{
    world *w = *state;
    world_tls(w);
    connect_and_greet(w);
    say(w, "USER anna\r\n");
    heard(w);
    say(w, "STLS\r\nPASS secret\r\n");
    assert_hears(w, "+OK Begin TLS now.\r\n");
    assert_true(client_tls(w));
    rounds(w);
    assert_hears_tls(w, "");
    assert_int_equal(w->logins, 0);
    say_tls(w, "PASS secret\r\n"); /* nor is the name from before known */
    assert_hears_tls(w, "-ERR Send USER first.\r\n");
}

static void what_is_not_allowed_is_refused_and_counted(void **state)
{
    static char line[400];
    world *w = *state;
    connect_and_greet(w);
    say(w, "STAT\r\n");
    assert_hears(w, "-ERR Log in first.\r\n");
    say(w, "XYZZY\r\n");
    assert_true(hears(w, "-ERR "));
    memset(line, 'a', sizeof line - 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    say(w, line);
    assert_true(hears(w, "-ERR The line is too long"));
    for (int i = 0; i < ERRORS_MAX - 3; i++)
        say(w, "DELE 1\r\n");
    assert_true(hears(w, "Too many bad commands.\r\nEOF"));
}

static void quit_and_browsers_end(void **state)
{
    world *w = *state;
    connect_and_greet(w);
    say(w, "QUIT\r\n");
    assert_hears(w, "+OK Logging out.\r\nEOF");
    close(w->client);
    connect_and_greet(w);
    say(w, "POST / HTTP/1.1\r\n\r\n");
    assert_hears(w, "EOF");
}

static void a_pool_that_cannot_sends_the_client_word(void **state)
{
    world *w = *state;
    w->pool_refuses = true;
    connect_and_greet(w);
    say(w, "USER anna\r\nPASS secret\r\n");
    assert_hears(w, "+OK Now the password.\r\n-ERR [SYS/TEMP] The mailbox cannot be opened now, try again later.\r\nEOF");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(capabilities_follow_the_rules),
        TEST(user_and_pass_hand_the_socket_over),
        TEST(a_password_may_have_blanks),
        TEST(exchanges_work),
        TEST(after_an_exchange_lines_are_commands_again),
        TEST(what_stands_behind_stls_is_dropped),
        TEST(what_is_not_allowed_is_refused_and_counted),
        TEST(quit_and_browsers_end),
        TEST(a_pool_that_cannot_sends_the_client_word),
    };
    log_open(open("/dev/null", O_WRONLY), LOG_FORMAT_TEXT, "test", false);
    tls_preload();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
