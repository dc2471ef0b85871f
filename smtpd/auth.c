/* AUTH (RFC 4954): the exchange here, the decision in auth, which also takes its time over failures. Runs in: smtpd. */
#include "base/log.h"
#include "ipc/talk/auth.h"
#include "proto/smtp_reply.h"
#include "smtpd/replies.h"

static bool is_offered(const session *s, str mechanism)
{
    str rest = s->config->auth_mechanisms, word;
    while (str_word(&rest, " ,\t", &word))
        if (str_equal_nocase(word, mechanism))
            return true;
    return false;
}

/* Counted when there is something to try: what was malformed or cancelled tried nothing, and is an error. */
static void counted(session *s, bool is_allowed)
{
    if (!is_allowed) {
        reply r = { 450, STR("4.7.1"), meter_words(s, "many AUTH commands"), NOTICE_POLICY };
        sasl_close(&s->sasl);
        session_settle(s, (verdict){ PHASE_MAIL, r });
        return;
    }
    peer *p = daemon_peer(s->smtpd->process, "auth");
    if (p == NULL) {
        sasl_close(&s->sasl);
        session_settle(s, (verdict){ PHASE_MAIL, reply_of(REPLY_NO_AUTH) });
        return;
    }
    auth_login m = { .service = STR("smtp"), .client_address = str_c(s->client), .session = str_c(s->id),
                     .authorization = s->sasl.credentials.authorization, .user = s->sasl.credentials.user,
                     .password = s->sasl.credentials.password };
    s->phase = PHASE_MAIL;
    session_wait(s, WAITING_AUTH, p);
    p->asked++;
    channel_put(&p->channel, AUTH_LOGIN, s->ref, auth_login, &m);
    sasl_close(&s->sasl);
}

static void step(session *s, sasl_step what)
{
    switch (what) {
    case SASL_CHALLENGE: {
        reply r = { 334, STR_NONE, s->sasl.challenge, 0 };
        session_settle(s, (verdict){ PHASE_SASL, r });
        return;
    }
    case SASL_FINISHED: meter_count(s, METER_AUTHS, counted); return;
    case SASL_CANCELLED:
    case SASL_BROKEN: break;
    }
    sasl_close(&s->sasl);
    session_settle(s, (verdict){ PHASE_MAIL, reply_of(what == SASL_CANCELLED ? REPLY_CANCELLED : REPLY_BAD_BASE64) });
}

verdict on_auth(session *s, const smtp_command *c)
{
    str rest = c->argument, mechanism, initial = STR_NONE;
    if (!s->config->smtpd_sasl_auth_enable || c->is_path)
        return (verdict){ s->phase, reply_of(REPLY_UNKNOWN) };
    if (!s->is_esmtp)
        return (verdict){ s->phase, reply_of(REPLY_HELO_FIRST) };
    if (s->login.n)
        return (verdict){ s->phase, reply_of(REPLY_AUTH_TWICE) };
    if (s->config->smtpd_tls_auth_only && !tls_is_on(&s->stream))
        return (verdict){ s->phase, reply_of(REPLY_AUTH_NEEDS_TLS) };
    str_word(&rest, " ", &mechanism);
    if (str_trim(rest).n)
        initial = str_trim(rest);
    sasl_mechanism m = sasl_mechanism_find(mechanism);
    if (m == SASL_NONE || !is_offered(s, mechanism))
        return (verdict){ s->phase, reply_of(REPLY_NO_MECHANISM) };
    step(s, sasl_start(&s->sasl, m, initial));
    return (verdict){ s->phase, REPLY_LATER };
}

void auth_line(session *s, str line)
{
    step(s, sasl_respond(&s->sasl, line));
}

static bool on_answer(void *context, channel *ch, received *r)
{
    peer *from = context;
    auth_answer m;
    (void)ch;
    if (auth_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    from->asked--;
    session *s = session_by_ref(from->daemon->state, r->ref);
    if (s == NULL || s->waiting != WAITING_AUTH)
        return true; /* the client went away meanwhile */
    bool is_in = m.outcome == FAULT_NONE;
    log_event(is_in ? LOG_INFO : LOG_WARNING, is_in ? "login" : "login-failed", LOG_C("session", s->id),
              LOG_C("client", s->client), LOG_STR("user", m.user), LOG_STR("reason", m.reason));
    session_resume(s);
    if (is_in)
        s->login = arena_copy(&s->arena, m.user);
    session_settle(s, (verdict){ PHASE_MAIL, reply_of(is_in                            ? REPLY_LOGGED_IN
                                                      : m.outcome == FAULT_TRY_LATER ? REPLY_NO_AUTH
                                                                                      : REPLY_BAD_CREDENTIALS) });
    return true;
}

static const talk_row rows[] = { { AUTH_ANSWER, 0, 0, on_answer } };
const talk auth_talk = { "smtpd-auth", rows, COUNT_OF(rows), NULL };

void auth_lost(peer *p)
{
    smtpd *d = p->daemon->state;
    for (size_t i = 0; i < d->sessions.n; i++) {
        session *s = d->sessions.p[i];
        if (s == NULL || s->waiting != WAITING_AUTH || s->asked != p)
            continue;
        session_resume(s);
        session_settle(s, (verdict){ PHASE_MAIL, reply_of(REPLY_NO_AUTH) });
    }
}
