/* SOURCES: smtpd/transcript.c  NEEDS: conf proto ipc */
/* What is kept of a session, and what never is. */
#include "smtpd/transcript.h"
#include "base/num.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static transcript t;
static char shown[NOTICE_TRANSCRIPT_MAX + 1];

static const char *show(void)
{
    buf out = buf_new(NOTICE_TRANSCRIPT_MAX);
    transcript_append(&t, &out);
    assert_false(out.overflow);
    snprintf(shown, sizeof shown, "%.*s", STR_ARG(buf_str(&out)));
    buf_free(&out);
    return shown;
}

static void say(const char *line, bool is_known)
{
    transcript_command(&t, str_c(line), is_known);
}

static void hear(unsigned code, const char *status, const char *words)
{
    transcript_reply(&t, code, str_c(status), str_c(words));
}

static void lines_both_ways(void **state)
{
    (void)state;
    transcript_open(&t, STR("software"));
    hear(220, "", "mx ready");
    say("EHLO c.example", true);
    hear(250, "", "mx\nPIPELINING\nSIZE 10");
    say("MAIL FROM:<a@b> SIZE=1  ", true);
    hear(451, "4.3.0", "later");
    assert_string_equal(show(), "Out: 220 mx ready\nIn:  EHLO c.example\nOut: 250 mx\n"
                                "In:  MAIL FROM:<a@b> SIZE=1\nOut: 451 4.3.0 later\n");
    transcript_free(&t);
    assert_string_equal(show(), "");
}

static void classes_that_nobody_wants(void **state)
{
    static const char *const lists[] = { "", "2bounce", "delay, 2bounce" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        transcript_open(&t, str_c(lists[i]));
        say("EHLO x", true);
        hear(250, "", "mx");
        transcript_error(&t, 63, STR("bad"));
        assert_null(t.p);
        assert_null(t.reason);
        assert_int_equal(transcript_due(&t), 0);
        transcript_free(&t);
    }
}

static void classes_that_are_told(void **state)
{
    (void)state;
    transcript_open(&t, STR("bounce, Policy data"));
    assert_int_equal(t.wanted, NOTICE_BOUNCE | NOTICE_POLICY | NOTICE_DATA);
    transcript_error(&t, NOTICE_PROTOCOL, STR("syntax"));
    assert_int_equal(transcript_due(&t), 0);
    transcript_error(&t, NOTICE_POLICY | NOTICE_PROTOCOL, STR("no\r\nrelay"));
    transcript_error(&t, NOTICE_DATA, STR("second"));
    assert_int_equal(transcript_due(&t), NOTICE_POLICY | NOTICE_DATA);
    assert_string_equal(t.reason, "no??relay");
    transcript_free(&t);
}

static void secrets(void **state)
{
    static const struct {
        const char *line, *shown;
    } rows[] = {
        { "AUTH PLAIN c2VjcmV0", "In:  AUTH PLAIN <hidden>\n" },
        { "auth login", "In:  AUTH login\n" },
        { " AUTH\tPLAIN\tc2VjcmV0", "In:  AUTH PLAIN <hidden>\n" },
        { "AUTH c2VjcmV0", "In:  AUTH <hidden>\n" },
        { "AUTHPLAIN c2VjcmV0", "In:  AUTH PLAIN <hidden>\n" },
        { "AUTHc2VjcmV0", "In:  AUTH <hidden>\n" },
        { "AUTH CRAM c2VjcmV0", "In:  AUTH <hidden>\n" },
        { "AUTH", "In:  AUTH <hidden>\n" },
        { "AUTH PLAIN c2VjcmV0 c2VjcmV0", "In:  AUTH PLAIN <hidden>\n" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        transcript_open(&t, STR("policy"));
        say(rows[i].line, true);
        assert_string_equal(show(), rows[i].shown);
        transcript_free(&t);
    }
}

/* A client that does not wait for 334 sends its name and password as commands. */
static void what_comes_behind_a_refused_auth(void **state)
{
    (void)state;
    transcript_open(&t, STR("policy"));
    say("XYZZY", false);
    say("AUTH LOGIN", true);
    hear(503, "", "no");
    say("c2VjcmV0", false);
    transcript_secret(&t);
    say("QUIT", true);
    assert_string_equal(show(), "In:  XYZZY\nIn:  AUTH LOGIN\nOut: 503 no\nIn:  <hidden>\nIn:  <hidden>\nIn:  QUIT\n");
    transcript_free(&t);
}

/* A client that does not wait for 354 sends its content as commands. */
static void what_comes_behind_a_refused_data(void **state)
{
    (void)state;
    transcript_open(&t, STR("protocol"));
    say("data", true);
    hear(554, "5.5.1", "No valid recipients");
    say("Subject: secret", false);
    say("RSET", true);
    assert_string_equal(show(), "In:  data\nOut: 554 5.5.1 No valid recipients\nIn:  <hidden>\nIn:  RSET\n");
    transcript_free(&t);
    transcript_open(&t, STR("protocol"));
    transcript_secret(&t); /* a line that was too long for AUTH, or anything else */
    say("c2VjcmV0", false);
    assert_string_equal(show(), "In:  <hidden>\nIn:  <hidden>\n");
    transcript_free(&t);
}

static void message_say(unsigned recipients)
{
    say("MAIL FROM:<a@b>", true);
    hear(250, "2.1.0", "Ok");
    for (unsigned i = 0; i < recipients; i++) {
        say("RCPT TO:<u@l>", true);
        hear(250, "2.1.5", "Ok");
    }
    hear(250, "2.0.0", "Ok: queued as 1");
}

static void messages_that_went_well(void **state)
{
    (void)state;
    transcript_open(&t, STR("policy"));
    hear(220, "", "mx");
    say("EHLO c", true);
    for (unsigned recipients = 1; recipients < 1000; recipients *= 5) {
        message_say(recipients);
        transcript_error(&t, NOTICE_PROTOCOL, STR("not asked for"));
        transcript_message_done(&t);
        assert_true(t.size <= TRANSCRIPT_AT_REST_MAX);
    }
    say("RSET", true);
    assert_string_equal(show(), "Out: 220 mx\nIn:  EHLO c\n... 1577 lines are left out ...\nIn:  RSET\n");
    message_say(1);
    transcript_error(&t, NOTICE_POLICY, STR("no"));
    transcript_message_done(&t);
    assert_non_null(
        strstr(show(), "left out ...\nIn:  RSET\nIn:  MAIL FROM:<a@b>\nOut: 250 2.1.0 Ok\nIn:  RCPT TO:<u@l>\n"));
    transcript_free(&t);
    message_say(1); /* nothing is kept: nothing can be dropped */
    transcript_message_done(&t);
    assert_null(t.p);
}

/* A greeting that is all there is room for stays whole. */
static void a_long_greeting(void **state)
{
    (void)state;
    transcript_open(&t, STR("policy"));
    for (int i = 0; i < 1000; i++)
        say("NOOP", true);
    message_say(1);
    transcript_message_done(&t);
    assert_true(t.n >= TRANSCRIPT_BEGINNING && t.size == t.n);
    assert_non_null(strstr(show(), "In:  NOOP\n... "));
    transcript_free(&t);
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    transcript_open(&t, STR("protocol"));
    transcript_command(&t, STR("A\0B\x1b[2J\tC\xff\x7f\r\nZ"), false);
    hear(250, "", "\x80\r\nX");
    assert_string_equal(show(), "In:  A?B?[2J?C????Z\nOut: 250 ?\n");
    transcript_free(&t);
}

static void long_lines(void **state)
{
    char line[3000] = { 0 }, wanted[TRANSCRIPT_LINE_MAX + 20];
    (void)state;
    memset(line, 'x', sizeof line - 1);
    transcript_open(&t, STR("protocol"));
    say(line, false);
    snprintf(wanted, sizeof wanted, "In:  %.*s...\n", TRANSCRIPT_LINE_MAX, line);
    assert_string_equal(show(), wanted);
    hear(500, "5.5.2", line);
    assert_true(t.n < 2 * TRANSCRIPT_LINE_MAX + 20);
    transcript_free(&t);
}

static void long_sessions(void **state)
{
    char line[60];
    (void)state;
    transcript_open(&t, STR("protocol"));
    for (int i = 0; i < 20000; i++) {
        snprintf(line, sizeof line, "BAD%d%.*s", i, i % 50, "..................................................");
        say(line, false);
        hear(500, "5.5.2", "what?");
        assert_true(t.n <= TRANSCRIPT_MAX && t.size <= TRANSCRIPT_MAX);
    }
    const char *all = show(), *gap = strstr(all, "\n... ");
    assert_ptr_equal(strstr(all, "In:  BAD0\nOut: 500 5.5.2 what?\nIn:  BAD1.\n"), all);
    assert_non_null(strstr(all, "In:  BAD19999"));
    assert_non_null(gap);
    str number, behind = str_c(gap + strlen("\n... "));
    uint64_t dropped, lines = 0;
    assert_true(str_cut(&behind, ' ', &number) && num_parse(number, 1, 100000, &dropped));
    assert_true(str_starts(behind, STR("lines are left out ...\n")));
    for (const char *at = all; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines - 1 + dropped, 40000);
    transcript_free(&t);
}

/* The worst that fits: short lines, each shown with four octets more. */
static void short_lines(void **state)
{
    (void)state;
    transcript_open(&t, STR("protocol"));
    for (int i = 0; i < 5000; i++) {
        say("", false);
        hear(334, "", "");
    }
    assert_true(strlen(show()) > TRANSCRIPT_MAX - 2 * 1024);
    transcript_free(&t);
}

/* What a session weighs that waits after EHLO, its part of `session` included. */
static void an_idle_session(void **state)
{
    (void)state;
    transcript_open(&t, STR("resource, software"));
    hear(220, "", "mail.example.test ESMTP Postrider");
    say("EHLO client.example", true);
    hear(250, "", "mail.example.test\nPIPELINING\nSIZE 10240000\n8BITMIME");
    assert_true(sizeof t + t.size + 16 /* malloc's */ <= 300);
    transcript_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_both_ways),
        cmocka_unit_test(classes_that_nobody_wants),
        cmocka_unit_test(classes_that_are_told),
        cmocka_unit_test(secrets),
        cmocka_unit_test(what_comes_behind_a_refused_auth),
        cmocka_unit_test(what_comes_behind_a_refused_data),
        cmocka_unit_test(messages_that_went_well),
        cmocka_unit_test(a_long_greeting),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(long_sessions),
        cmocka_unit_test(short_lines),
        cmocka_unit_test(an_idle_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
