/* POP3 before login (RFC 1939 4, 7; RFC 2449, 2595, 3206, 5034): a row for each command that is allowed there. Runs in:
 * login. */
#include "login/exchange.h"
#include "proto/pop3_command.h"
#include <stdio.h>

static void greet(session *s)
{
    session_reply(s, "+OK %.*s ready.\r\n", STR_ARG(s->config->myhostname));
}

static void forget_user(session *s)
{
    buf_free(&s->user);
    s->user = buf_new(SASL_NAME_MAX);
}

static void reset(session *s)
{
    exchange_end(s);
    forget_user(s);
    s->lines = line_reader_new(POP3_COMMAND_MAX, true);
}

static void bye(session *s, const char *text)
{
    session_reply(s, "-ERR [SYS/TEMP] %s\r\n", text);
}

static void refuse_text(str tag, char *out, size_t size)
{
    (void)tag;
    snprintf(out, size, "-ERR [SYS/TEMP] The mailbox cannot be opened now, try again later.\r\n");
}

static void refuse(session *s, fault_kind why)
{
    session_reply(s, why == FAULT_TRY_LATER ? "-ERR [SYS/TEMP] Logins are not possible now, try again later.\r\n"
                                            : "-ERR [AUTH] Authentication failed.\r\n");
}

static void sasl_failed(session *s, const char *text)
{
    session_reply(s, "-ERR %s\r\n", text);
}

static bool may_log_in(session *s)
{
    if (session_may_log_in(s))
        return true;
    session_reply(s, "-ERR [AUTH] Log in under TLS only.\r\n");
    session_count_error(s);
    return false;
}

static void mechanisms(const session *s, const char *before, const char *after, buf *out)
{
    static const str names[] = { STR_ROW("PLAIN"), STR_ROW("LOGIN") };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (session_may_log_in(s) && session_offers(s, names[i]))
            buf_printf(out, "%s%.*s%s", before, STR_ARG(names[i]), after);
}

static void on_capa(session *s, const pop3_command *c)
{
    buf sasl_names = buf_new(200);
    (void)c;
    mechanisms(s, " ", "", &sasl_names);
    session_reply(s, "+OK These are the capabilities.\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
    if (session_may_log_in(s))
        session_reply(s, "USER\r\n");
    if (sasl_names.n)
        session_reply(s, "SASL%.*s\r\n", STR_ARG(buf_str(&sasl_names)));
    if (session_offers_tls(s))
        session_reply(s, "STLS\r\n");
    session_reply(s, ".\r\n");
    buf_free(&sasl_names);
}

static void on_quit(session *s, const pop3_command *c)
{
    (void)c;
    session_reply(s, "+OK Logging out.\r\n");
    session_finish(s, "logged out");
}

static void on_stls(session *s, const pop3_command *c)
{
    (void)c;
    if (session_has_tls(s)) {
        session_reply(s, "-ERR TLS is on already.\r\n");
    } else if (!session_offers_tls(s)) {
        session_reply(s, "-ERR TLS is not available.\r\n");
    } else {
        session_reply(s, "+OK Begin TLS now.\r\n");
        session_begin_tls(s);
    }
}

static void on_user(session *s, const pop3_command *c)
{
    if (!may_log_in(s))
        return;
    forget_user(s);
    buf_append(&s->user, c->argument);
    session_reply(s, "+OK Now the password.\r\n"); /* also for names that do not exist */
}

static void on_pass(session *s, const pop3_command *c)
{
    if (!may_log_in(s))
        return;
    if (s->user.n == 0) {
        session_reply(s, "-ERR Send USER first.\r\n");
        session_count_error(s);
        return;
    }
    sasl_plain credentials = { .user = buf_str(&s->user), .password = { c->argument } };
    session_note_command(s, STR_NONE, "PASS");
    session_log_in(s, &credentials);
    forget_user(s);
}

static void on_auth(session *s, const pop3_command *c)
{
    if (c->argument.n == 0) {
        buf names = buf_new(200);
        mechanisms(s, "", "\r\n", &names);
        session_reply(s, "+OK These are the mechanisms.\r\n%.*s.\r\n", STR_ARG(buf_str(&names)));
        buf_free(&names);
    } else if (may_log_in(s)) {
        if (session_offers(s, c->argument)) {
            exchange_start(s, STR_NONE, "AUTH", sasl_mechanism_find(c->argument), c->initial);
            return;
        }
        session_reply(s, "-ERR There is no such mechanism.\r\n");
        session_count_error(s);
    }
}

static const struct { pop3_verb verb; void (*handle)(session *s, const pop3_command *c); } rows[] = {
    { POP3_CAPA, on_capa }, { POP3_USER, on_user }, { POP3_PASS, on_pass },
    { POP3_AUTH, on_auth }, { POP3_STLS, on_stls }, { POP3_QUIT, on_quit },
};

static void dispatch(session *s, const pop3_command *c)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].verb == c->verb) {
            rows[i].handle(s, c);
            return;
        }
    session_reply(s, "-ERR %s\r\n", c->verb == POP3_UNKNOWN ? "There is no such command." : "Log in first.");
    session_count_error(s);
}

static void on_line(session *s, str line)
{
    pop3_command c = { 0 };
    if (s->commands == 0 && session_is_http(line)) {
        session_finish(s, "a browser");
    } else if (session_count_command(s)) {
        if (pop3_command_parse(line, &c) == PARSE_DONE) {
            dispatch(s, &c);
        } else {
            session_reply(s, "-ERR %s\r\n", c.problem ? c.problem : "Syntax error.");
            session_count_error(s);
        }
    }
}

/* One step, as in login/imap.c. */
static bool take(session *s, str in, size_t *used)
{
    bool is_whole = true, had_tls = session_has_tls(s);
    str line;
    if (s->is_in_sasl) {
        *used = exchange_input(s, in, &is_whole);
        return is_whole;
    }
    s->lines.max = POP3_COMMAND_MAX;
    parse p = line_read(&s->lines, in, &line, used);
    if (p == PARSE_MORE)
        return false;
    if (p == PARSE_DONE) {
        on_line(s, line);
    } else {
        session_reply(s, "-ERR The line is too long or has a byte that none may have.\r\n");
        session_count_error(s);
    }
    return session_has_tls(s) == had_tls && !s->stream.is_ended;
}

static size_t input(session *s, str bytes)
{
    size_t done = 0;
    bool goes_on = true;
    while (goes_on && s->phase == AT_COMMANDS && done < bytes.n) {
        size_t used = 0;
        goes_on = take(s, str_from(bytes, done), &used);
        done += used;
    }
    return done;
}

const dialect pop3_dialect = { "pop3", "pop3d", greet, input, reset, refuse, bye, sasl_failed, refuse_text };
