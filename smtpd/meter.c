/* Limits by client: meter counts, of all smtpds together. Without meter nobody is refused. Runs in: smtpd. */
#include "base/log.h"
#include "smtpd/replies.h"

static uint64_t limit_of(const config *c, enum meter_kind kind)
{
    switch (kind) {
    case METER_CONNECTIONS: return c->smtpd_client_connection_rate_limit;
    case METER_MESSAGES: return c->smtpd_client_message_rate_limit;
    case METER_RECIPIENTS: return c->smtpd_client_recipient_rate_limit;
    case METER_TLS_SESSIONS: return c->smtpd_client_new_tls_session_rate_limit;
    case METER_AUTHS: return c->smtpd_client_auth_rate_limit;
    case METER_KINDS: break;
    }
    return 0;
}

static meter_event event_of(const session *s, enum meter_kind kind)
{
    const config *c = s->config;
    return (meter_event){ .service = STR("smtp"),
                          .client_address = str_c(s->client),
                          .kind = kind,
                          .v4_bits = (uint32_t)c->smtpd_client_ipv4_prefix_length,
                          .v6_bits = (uint32_t)c->smtpd_client_ipv6_prefix_length,
                          .count_limit =
                              kind == METER_CONNECTIONS ? (uint32_t)c->smtpd_client_connection_count_limit : 0,
                          .rate_limit = (uint32_t)limit_of(c, kind),
                          .rate_unit_s = (uint32_t)c->anvil_rate_time_unit };
}

/* False: nobody is there to be asked. */
static bool ask(session *s, uint16_t type, enum meter_kind kind, void (*then)(session *, bool is_allowed))
{
    peer *p = daemon_peer(s->smtpd->process, "meter");
    if (p == NULL)
        return false;
    meter_event m = event_of(s, kind);
    s->on_counted = then;
    s->counting = kind;
    s->has_counted_tls = s->has_counted_tls || kind == METER_TLS_SESSIONS;
    session_wait(s, WAITING_METER, p);
    p->asked++;
    channel_put(&p->channel, type, s->ref, meter_event, &m);
    return true;
}

void meter_question(session *s, void (*then)(session *, bool is_allowed))
{
    bool has_limit = s->config->smtpd_client_connection_count_limit || s->config->smtpd_client_connection_rate_limit;
    s->is_metered = !s->is_unlimited && has_limit && ask(s, METER_OPEN, METER_CONNECTIONS, then);
    if (!s->is_metered)
        then(s, true);
}

void meter_count(session *s, enum meter_kind kind, void (*then)(session *, bool is_allowed))
{
    if (s->is_unlimited || limit_of(s->config, kind) == 0 || !ask(s, METER_COUNT, kind, then))
        then(s, true);
}

static void tell(const session *s, uint16_t type, enum meter_kind kind)
{
    peer *p = daemon_peer(s->smtpd->process, "meter");
    if (p == NULL)
        return;
    meter_event m = event_of(s, kind);
    channel_put(&p->channel, type, 0, meter_event, &m);
}

void meter_forget(session *s)
{
    if (s->is_metered)
        tell(s, METER_CLOSE, METER_CONNECTIONS);
}

void meter_uncount_tls(session *s)
{
    if (s->has_counted_tls)
        tell(s, METER_UNCOUNT, METER_TLS_SESSIONS);
    s->has_counted_tls = false;
}

str meter_words(session *s, const char *too_much)
{
    return arena_printf(&s->arena, "Error: too %s from unknown[%s]", too_much, s->client);
}

static void counted(session *s, bool is_allowed)
{
    session_resume(s);
    s->on_counted(s, is_allowed);
}

static void log_over(const session *s, const meter_answer *m)
{
    static const char *const names[METER_KINDS] = { [METER_CONNECTIONS] = "connections",
                                                    [METER_MESSAGES] = "messages",
                                                    [METER_RECIPIENTS] = "recipients",
                                                    [METER_TLS_SESSIONS] = "tls-sessions",
                                                    [METER_AUTHS] = "auths" };
    log_event(LOG_WARNING, "over-limit", LOG_C("session", s->id), LOG_C("client", s->client),
              LOG_C("of", names[s->counting]), LOG_NUM("open", m->count), LOG_NUM("rate", m->rate));
}

static bool on_answer(void *context, channel *ch, received *r)
{
    peer *from = context;
    meter_answer m;
    (void)ch;
    if (meter_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    from->asked--;
    session *s = session_by_ref(from->daemon->state, r->ref);
    if (s == NULL || s->waiting != WAITING_METER)
        return true;
    if (!m.is_allowed)
        log_over(s, &m);
    counted(s, m.is_allowed);
    return true;
}

static const talk_row rows[] = { { METER_ANSWER, 0, 0, on_answer } };
const talk meter_talk = { "smtpd-meter", rows, COUNT_OF(rows), NULL };

/* Its successor starts to count anew. */
void meter_lost(peer *p)
{
    smtpd *d = p->daemon->state;
    for (size_t i = 0; i < d->sessions.n; i++) {
        session *s = d->sessions.p[i];
        if (s == NULL)
            continue;
        s->is_metered = s->has_counted_tls = false;
        if (s->waiting == WAITING_METER && s->asked == p)
            counted(s, true);
    }
}
