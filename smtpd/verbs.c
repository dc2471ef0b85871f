/* The SMTP verbs: what each needs and who handles it. The dispatcher alone says 500, 501, 503, 530. Runs in: smtpd. */
#include "base/log.h"
#include "smtpd/replies.h"

typedef enum shape { ARGUMENT_NONE, ARGUMENT_ANY, ARGUMENT_WORD, ARGUMENT_SOME, ARGUMENT_PATH } shape;

enum { BEFORE_TLS = 1, IS_JUNK = 2, IS_HOSTILE = 4, NOT_IN_LMTP = 8, ONLY_IN_LMTP = 16 };

typedef struct verb {
    str name;
    phase legal_in;
    shape argument;
    unsigned flags; /* BEFORE_TLS: allowed when the service requires TLS and has none yet. IS_JUNK: counts against its limit */
    verdict (*handle)(session *, const smtp_command *);
} verb;

static verdict on_noop(session *s, const smtp_command *c)
{
    (void)c;
    return (verdict){ s->phase, reply_of(REPLY_OK) };
}

static verdict on_help(session *s, const smtp_command *c)
{
    (void)c;
    return (verdict){ s->phase, reply_of(REPLY_HELP) };
}

static verdict on_quit(session *s, const smtp_command *c)
{
    (void)s, (void)c;
    return (verdict){ PHASE_CLOSED, reply_of(REPLY_BYE) };
}

/* A browser, or somebody who makes one speak to us: nothing is said, least of all what it sent. */
static verdict on_web(session *s, const smtp_command *c)
{
    log_event(LOG_WARNING, "not-smtp", LOG_C("session", s->id), LOG_C("client", s->client), LOG_STR("verb", c->verb));
    return (verdict){ PHASE_CLOSED, REPLY_LATER };
}

/* CHUNKING is not offered: what follows may be content, and content is never run. */
static verdict on_bdat(session *s, const smtp_command *c)
{
    log_event(LOG_WARNING, "not-offered", LOG_C("session", s->id), LOG_C("client", s->client), LOG_STR("verb", c->verb));
    return (verdict){ PHASE_CLOSED, reply_of(REPLY_UNKNOWN) };
}

static const verb verbs[] = {
    { STR_ROW("EHLO"), PHASE_COMMANDS, ARGUMENT_WORD, BEFORE_TLS | NOT_IN_LMTP, on_ehlo },
    { STR_ROW("HELO"), PHASE_COMMANDS, ARGUMENT_WORD, BEFORE_TLS | NOT_IN_LMTP, on_helo },
    { STR_ROW("LHLO"), PHASE_COMMANDS, ARGUMENT_WORD, BEFORE_TLS | ONLY_IN_LMTP, on_ehlo },
    { STR_ROW("MAIL FROM:"), PHASE_MAIL, ARGUMENT_PATH, 0, on_mail },
    { STR_ROW("RCPT TO:"), PHASE_RCPT | PHASE_DATA, ARGUMENT_PATH, 0, on_rcpt },
    { STR_ROW("DATA"), PHASE_RCPT | PHASE_DATA, ARGUMENT_NONE, 0, on_data },
    { STR_ROW("RSET"), PHASE_COMMANDS, ARGUMENT_NONE, BEFORE_TLS | IS_JUNK, on_rset },
    { STR_ROW("NOOP"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_JUNK, on_noop },
    { STR_ROW("VRFY"), PHASE_COMMANDS, ARGUMENT_SOME, IS_JUNK, on_vrfy },
    { STR_ROW("HELP"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_JUNK, on_help },
    { STR_ROW("QUIT"), PHASE_COMMANDS, ARGUMENT_NONE, BEFORE_TLS, on_quit },
    { STR_ROW("STARTTLS"), PHASE_HELLO | PHASE_MAIL, ARGUMENT_NONE, BEFORE_TLS, on_starttls },
    { STR_ROW("AUTH"), PHASE_HELLO | PHASE_MAIL, ARGUMENT_SOME, 0, on_auth },
    { STR_ROW("BDAT"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS, on_bdat },
    { STR_ROW("GET"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
    { STR_ROW("POST"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
    { STR_ROW("PUT"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
    { STR_ROW("HEAD"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
    { STR_ROW("CONNECT"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
    { STR_ROW("OPTIONS"), PHASE_COMMANDS, ARGUMENT_ANY, BEFORE_TLS | IS_HOSTILE, on_web },
};

/* RFC 2033 4.1: LHLO stands for HELO and EHLO, which are no commands there. */
static const verb *verb_find(const session *s, str name)
{
    unsigned absent = is_lmtp(s) ? NOT_IN_LMTP : ONLY_IN_LMTP;
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_equal_nocase(verbs[i].name, name))
            return verbs[i].flags & absent ? NULL : &verbs[i];
    return NULL;
}

bool session_knows(const session *s, const smtp_command *c)
{
    return verb_find(s, c->verb) != NULL;
}

static bool has_shape(const smtp_command *c, shape wanted)
{
    switch (wanted) {
    case ARGUMENT_NONE: return c->argument.n == 0 && !c->is_path;
    case ARGUMENT_WORD: return c->argument.n > 0 && !c->is_path && !str_has(c->argument, ' ');
    case ARGUMENT_SOME: return c->argument.n > 0 || c->is_path;
    case ARGUMENT_PATH: return c->is_path;
    case ARGUMENT_ANY: return true;
    }
    return false;
}

static bool is_junk_over(session *s, const verb *v)
{
    return (v->flags & IS_JUNK) && ++s->junk > s->config->smtpd_junk_command_limit;
}

verdict session_command(session *s, const smtp_command *c)
{
    const verb *v = verb_find(s, c->verb);
    if (v == NULL)
        return (verdict){ s->phase, reply_of(REPLY_UNKNOWN) };
    if (s->config->smtpd_tls_security_level == TLS_LEVEL_ENCRYPT && !tls_is_on(&s->stream) && !(v->flags & BEFORE_TLS))
        return (verdict){ s->phase, reply_of(REPLY_NEEDS_TLS) };
    if (!(v->legal_in & s->phase))
        return (verdict){ s->phase, reply_of(s->phase != PHASE_HELLO ? REPLY_SEQUENCE
                                             : is_lmtp(s)            ? REPLY_LHLO_FIRST
                                                                     : REPLY_HELO_FIRST) };
    if (!has_shape(c, v->argument))
        return (verdict){ s->phase, reply_of(REPLY_SYNTAX) };
    if (is_junk_over(s, v))
        return (verdict){ PHASE_CLOSED, reply_of(REPLY_TOO_MANY_ERRORS) };
    return v->handle(s, c);
}
