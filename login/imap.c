/* IMAP before login (RFC 3501 6.1, 6.2; RFC 2971, 4959, 7888): a row for each command that is allowed there. Runs in:
 * login. Everything else waits for the worker. No reply repeats what the client sent but its tag, which the grammar has
 * checked. */
#include "login/exchange.h"
#include "proto/imap_command.h"
#include "proto/imap_write.h"
#include <stdio.h>

static void capabilities(const session *s, buf *out)
{
    buf_printf(out, "IMAP4rev1 LITERAL+ SASL-IR ID");
    if (session_offers_tls(s))
        buf_printf(out, " STARTTLS");
    if (!session_may_log_in(s))
        buf_printf(out, " LOGINDISABLED");
    if (session_may_log_in(s) && session_offers(s, STR("PLAIN")))
        buf_printf(out, " AUTH=PLAIN");
    if (session_may_log_in(s) && session_offers(s, STR("LOGIN")))
        buf_printf(out, " AUTH=LOGIN");
}

static void greet(session *s)
{
    buf text = buf_new(1024);
    capabilities(s, &text);
    session_reply(s, "* OK [CAPABILITY %.*s] %.*s ready.\r\n", STR_ARG(buf_str(&text)), STR_ARG(s->config->myhostname));
    buf_free(&text);
}

static void reset(session *s)
{
    exchange_end(s);
    imap_input_free(&s->imap);
    s->imap = imap_input_new(IMAP_LIMITS_BEFORE_LOGIN);
}

static void bye(session *s, const char *text)
{
    session_reply(s, "* BYE %s\r\n", text);
}

static void refuse_text(str tag, char *out, size_t size)
{
    snprintf(out, size, "%.*s NO [UNAVAILABLE] The mailbox cannot be opened now.\r\n* BYE Try again later.\r\n",
             STR_ARG(tag.n ? tag : STR("*")));
}

static void refuse(session *s, fault_kind why)
{
    if (why == FAULT_TRY_LATER)
        session_reply(s, "%s NO [UNAVAILABLE] Logins are not possible now, try again later.\r\n", s->tag);
    else
        session_reply(s, "%s NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", s->tag);
}

static void sasl_failed(session *s, const char *text)
{
    session_reply(s, "%s BAD %s\r\n", s->tag, text);
}

static void on_capability(session *s, const imap_command *c)
{
    buf text = buf_new(1024);
    capabilities(s, &text);
    session_reply(s, "* CAPABILITY %.*s\r\n%.*s OK Capability completed.\r\n", STR_ARG(buf_str(&text)), STR_ARG(c->tag));
    buf_free(&text);
}

static void on_noop(session *s, const imap_command *c)
{
    session_reply(s, "%.*s OK Noop completed.\r\n", STR_ARG(c->tag));
}

static void on_logout(session *s, const imap_command *c)
{
    session_reply(s, "* BYE Logging out.\r\n%.*s OK Logout completed.\r\n", STR_ARG(c->tag));
    session_finish(s, "logged out");
}

static void on_id(session *s, const imap_command *c)
{
    buf name = buf_new(1024);
    imap_write_string(&name, s->config->mail_name);
    session_reply(s, "* ID (\"name\" %.*s)\r\n%.*s OK Id completed.\r\n", STR_ARG(buf_str(&name)), STR_ARG(c->tag));
    buf_free(&name);
}

static void on_starttls(session *s, const imap_command *c)
{
    if (session_has_tls(s)) {
        session_reply(s, "%.*s BAD TLS is on already.\r\n", STR_ARG(c->tag));
    } else if (!session_offers_tls(s)) {
        session_reply(s, "%.*s NO TLS is not available.\r\n", STR_ARG(c->tag));
    } else {
        session_reply(s, "%.*s OK Begin TLS now.\r\n", STR_ARG(c->tag));
        session_begin_tls(s);
    }
}

/* RFC 3501 6.2.3, RFC 5530: before auth hears anything. */
static bool may_log_in(session *s, const imap_command *c)
{
    if (session_may_log_in(s))
        return true;
    session_reply(s, "%.*s NO [PRIVACYREQUIRED] Log in under TLS only.\r\n", STR_ARG(c->tag));
    session_count_error(s);
    return false;
}

static void on_login(session *s, const imap_command *c)
{
    sasl_plain credentials = { .user = c->login.user, .password = c->login.password };
    if (!may_log_in(s, c))
        return;
    session_note_command(s, c->tag, "LOGIN");
    session_log_in(s, &credentials);
    secret_wipe((char *)(uintptr_t)c->login.password.hidden.p, c->login.password.hidden.n); /* ours, and writable */
}

static void on_authenticate(session *s, const imap_command *c)
{
    if (!may_log_in(s, c))
        return;
    if (!session_offers(s, c->authenticate.mechanism)) {
        session_reply(s, "%.*s NO [CANNOT] There is no such mechanism.\r\n", STR_ARG(c->tag));
        session_count_error(s);
        return;
    }
    exchange_start(s, c->tag, "AUTHENTICATE", sasl_mechanism_find(c->authenticate.mechanism), c->authenticate.initial);
}

static const struct { imap_verb verb; void (*handle)(session *s, const imap_command *c); } rows[] = {
    { IMAP_CAPABILITY, on_capability }, { IMAP_NOOP, on_noop },         { IMAP_LOGOUT, on_logout },
    { IMAP_ID, on_id },                 { IMAP_STARTTLS, on_starttls }, { IMAP_LOGIN, on_login },
    { IMAP_AUTHENTICATE, on_authenticate },
};

static void dispatch(session *s, const imap_command *c)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].verb == c->verb) {
            rows[i].handle(s, c);
            return;
        }
    session_reply(s, "%.*s BAD %s\r\n", STR_ARG(c->tag),
                  c->verb == IMAP_UNKNOWN ? "There is no such command." : "Log in first.");
    session_count_error(s);
}

static void on_command(session *s)
{
    arena mem = arena_new(64 * 1024);
    imap_command c = { 0 };
    if (s->commands == 0 && session_is_http(imap_input_command(&s->imap))) {
        session_finish(s, "a browser");
    } else if (session_count_command(s)) {
        if (imap_command_parse(imap_input_command(&s->imap), &mem, &c) == PARSE_DONE) {
            dispatch(s, &c);
        } else {
            session_reply(s, "%.*s BAD %s\r\n", STR_ARG(c.tag.n && c.tag.n <= TAG_MAX ? c.tag : STR("*")),
                          c.problem ? c.problem : "Syntax error.");
            session_count_error(s);
        }
    }
    arena_free(&mem);
}

static void on_problem(session *s)
{
    bool is_big = s->imap.problem == IMAP_INPUT_LITERAL_TOO_BIG;
    session_reply(s, "%.*s BAD %s\r\n", STR_ARG(imap_input_tag(&s->imap)),
                  is_big ? "[TOOBIG] The literal is too large." : "The command is too long or has a byte that none may have.");
    if (s->imap.is_fatal) {
        bye(s, "The connection cannot be followed any more.");
        session_finish(s, "broken input");
    } else {
        session_count_error(s);
    }
}

/* One step. False: no whole command is left, or TLS has begun and what is left does not count. */
static bool take(session *s, str in, size_t *used)
{
    bool is_whole = true, had_tls = session_has_tls(s);
    if (s->is_in_sasl) {
        *used = exchange_input(s, in, &is_whole);
        return is_whole;
    }
    parse p = imap_input_feed(&s->imap, in, used);
    if (p == PARSE_MORE) {
        if (s->imap.wants_continuation)
            session_reply(s, "+ OK\r\n");
        return *used > 0;
    }
    if (p == PARSE_DONE)
        on_command(s);
    else
        on_problem(s);
    if (session_has_tls(s) != had_tls || s->stream.is_ended)
        return false;
    if (s->imap.command.p)
        secret_wipe(s->imap.command.p, s->imap.command.n);
    imap_input_next(&s->imap);
    return true;
}

static size_t input(session *s, str bytes)
{
    size_t done = 0, used = 0;
    bool goes_on = true;
    while (goes_on && s->phase == AT_COMMANDS && done < bytes.n) {
        used = 0;
        goes_on = take(s, str_from(bytes, done), &used);
        done += used;
    }
    return done;
}

const dialect imap_dialect = { "imap", "imapd", greet, input, reset, refuse, bye, sasl_failed, refuse_text };
