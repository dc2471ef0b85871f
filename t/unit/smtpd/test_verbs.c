/* SOURCES: smtpd/verbs.c smtpd/replies.c  NEEDS: daemon tls proto queue */
/* Each verb in each phase with each shape of argument: who handles it, and what the dispatcher refuses by itself. */
#include "smtpd/replies.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *called;

#define HANDLER(name)                                     \
    verdict name(session *s, const smtp_command *c)       \
    {                                                     \
        (void)c;                                          \
        called = #name;                                   \
        return (verdict){ s->phase, reply_of(REPLY_OK) }; \
    }
HANDLER(on_helo)
HANDLER(on_ehlo)
HANDLER(on_starttls)
HANDLER(on_mail)
HANDLER(on_rcpt)
HANDLER(on_data)
HANDLER(on_rset)
HANDLER(on_vrfy)
HANDLER(on_auth)

static config rules;
static session s;

bool is_lmtp(const session *of)
{
    return of->config->smtpd_protocol == PROTOCOL_LMTP;
}

static verdict command(phase in, const char *line)
{
    smtp_command c;
    s.config = &rules;
    s.phase = in;
    called = NULL;
    smtp_command_parse(str_c(line), &c);
    return session_command(&s, &c);
}

static int setup(void **state)
{
    (void)state;
    rules = (config){ .smtpd_junk_command_limit = 1000000, .smtpd_tls_security_level = TLS_LEVEL_MAY };
    s = (session){ .errors = 0 };
    return 0;
}

typedef struct row {
    const char *line, *handler; /* NULL: verbs.c itself */
    unsigned legal_in, code;    /* where it is legal, and what is said there if nobody handles it */
    bool before_tls;
} row;

enum { EVERYWHERE = PHASE_COMMANDS };

static const row rows[] = {
    { "EHLO x", "on_ehlo", EVERYWHERE, 250, true },
    { "HELO x", "on_helo", EVERYWHERE, 250, true },
    { "MAIL FROM:<a@b>", "on_mail", PHASE_MAIL, 250, false },
    { "MAIL FROM:<>", "on_mail", PHASE_MAIL, 250, false },
    { "mail from:<a@b> SIZE=1", "on_mail", PHASE_MAIL, 250, false },
    { "RCPT TO:<a@b>", "on_rcpt", PHASE_RCPT | PHASE_DATA, 250, false },
    { "DATA", "on_data", PHASE_RCPT | PHASE_DATA, 250, false },
    { "RSET", "on_rset", EVERYWHERE, 250, true },
    { "NOOP", NULL, EVERYWHERE, 250, true },
    { "NOOP x y", NULL, EVERYWHERE, 250, true },
    { "VRFY x", "on_vrfy", EVERYWHERE, 250, false },
    { "HELP", NULL, EVERYWHERE, 214, true },
    { "QUIT", NULL, EVERYWHERE, 221, true },
    { "STARTTLS", "on_starttls", PHASE_HELLO | PHASE_MAIL, 250, true },
    { "AUTH PLAIN", "on_auth", PHASE_HELLO | PHASE_MAIL, 250, false },
};

static const phase phases[] = { PHASE_HELLO, PHASE_MAIL, PHASE_RCPT, PHASE_DATA };

static void check(const row *r, phase in, bool needs_tls)
{
    verdict v = command(in, r->line);
    unsigned want = needs_tls && !r->before_tls ? 530 : !(r->legal_in & in) ? 503 : r->code;
    if (v.reply.code != want)
        fail_msg("%s in phase %d: %u, not %u", r->line, in, v.reply.code, want);
    bool is_handled = want == r->code && r->handler;
    assert_int_equal(called != NULL, is_handled);
    if (is_handled)
        assert_string_equal(called, r->handler);
    assert_int_equal(v.next, strcmp(r->line, "QUIT") == 0 ? PHASE_CLOSED : in);
}

static void each_verb_in_each_phase(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t k = 0; k < COUNT_OF(phases); k++)
            check(&rows[i], phases[k], false);
}

static void where_tls_is_a_must(void **state)
{
    (void)state;
    rules.smtpd_tls_security_level = TLS_LEVEL_ENCRYPT;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t k = 0; k < COUNT_OF(phases); k++)
            check(&rows[i], phases[k], true);
}

static void lmtp_has_a_hello_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(command(PHASE_HELLO, "LHLO x").reply.code, 500);
    rules.smtpd_protocol = PROTOCOL_LMTP;
    assert_int_equal(command(PHASE_HELLO, "EHLO x").reply.code, 500);
    assert_int_equal(command(PHASE_HELLO, "HELO x").reply.code, 500);
    assert_int_equal(command(PHASE_HELLO, "LHLO").reply.code, 501);
    assert_null(called);
    assert_true(str_equal(command(PHASE_HELLO, "MAIL FROM:<>").reply.words, reply_of(REPLY_LHLO_FIRST).words));
    for (size_t k = 0; k < COUNT_OF(phases); k++) {
        assert_int_equal(command(phases[k], "LHLO x").reply.code, 250);
        assert_string_equal(called, "on_ehlo");
    }
}

static void arguments_of_another_shape(void **state)
{
    static const struct {
        const char *line;
        phase in;
    } wrong[] = {
        { "EHLO", PHASE_HELLO },          { "EHLO a b", PHASE_HELLO },     { "HELO", PHASE_MAIL },
        { "HELO a b", PHASE_MAIL },       { "MAIL FROM:a@b", PHASE_MAIL }, { "MAIL FROM:", PHASE_MAIL },
        { "MAIL FROM:<a@b", PHASE_MAIL }, { "RCPT TO:", PHASE_RCPT },      { "RCPT TO:a@b", PHASE_DATA },
        { "DATA x", PHASE_DATA },         { "RSET x", PHASE_MAIL },        { "QUIT x", PHASE_MAIL },
        { "STARTTLS x", PHASE_MAIL },     { "AUTH", PHASE_MAIL },          { "VRFY", PHASE_MAIL },
        { "RSET <x>", PHASE_MAIL },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        verdict v = command(wrong[i].in, wrong[i].line);
        if (v.reply.code != 501)
            fail_msg("%s: %u", wrong[i].line, v.reply.code);
        assert_null(called);
        assert_int_equal(v.next, wrong[i].in);
    }
}

static void what_is_no_verb(void **state)
{
    static const char *const lines[] = {
        "",     "X",      "EXPN x", "MAIL",   "RCPT", "MAILFROM:<a@b>", "MAIL TO:<a@b>", "RCPT FROM:<a@b>",
        "TURN", "BDAT1", "EHL",    "EHLOO x"
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        assert_int_equal(command(PHASE_MAIL, lines[i]).reply.code, 500);
}

static void content_that_was_not_asked_for_is_never_run(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT_OF(phases); k++) {
        verdict v = command(phases[k], k % 2 ? "BDAT 99 LAST" : "bdat");
        assert_int_equal(v.reply.code, 500);
        assert_int_equal(v.next, PHASE_CLOSED);
    }
}

static void browsers_hear_nothing(void **state)
{
    static const char *const lines[] = {
        "GET / HTTP/1.1", "POST /", "PUT /", "HEAD /", "CONNECT x", "OPTIONS *", "get"
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        for (size_t k = 0; k < COUNT_OF(phases); k++) {
            verdict v = command(phases[k], lines[i]);
            assert_int_equal(v.reply.code, 0);
            assert_int_equal(v.next, PHASE_CLOSED);
        }
}

static void useless_commands_have_a_limit(void **state)
{
    static const char *const lines[] = { "NOOP", "RSET", "VRFY x", "HELP" };
    (void)state;
    for (size_t limit = 1; limit < 4; limit++) {
        rules.smtpd_junk_command_limit = limit;
        s.junk = 0;
        for (size_t n = 0; n < limit; n++)
            assert_int_equal(command(PHASE_MAIL, lines[n % 4]).next, PHASE_MAIL);
        assert_int_equal(command(PHASE_MAIL, "MAIL FROM:<>").next, PHASE_MAIL); /* of some use */
        verdict v = command(PHASE_MAIL, lines[limit % 4]);
        assert_int_equal(v.reply.code, 421);
        assert_int_equal(v.next, PHASE_CLOSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_verb_in_each_phase, setup),
        cmocka_unit_test_setup(where_tls_is_a_must, setup),
        cmocka_unit_test_setup(lmtp_has_a_hello_of_its_own, setup),
        cmocka_unit_test_setup(arguments_of_another_shape, setup),
        cmocka_unit_test_setup(what_is_no_verb, setup),
        cmocka_unit_test_setup(content_that_was_not_asked_for_is_never_run, setup),
        cmocka_unit_test_setup(browsers_hear_nothing, setup),
        cmocka_unit_test_setup(useless_commands_have_a_limit, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
