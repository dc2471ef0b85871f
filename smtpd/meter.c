/* Whether a client may have one more connection: meter counts. Without meter nobody is refused. Runs in: smtpd. */
#include "base/log.h"
#include "ipc/talk/meter.h"
#include "smtpd/replies.h"

static meter_event event_of(const session *s)
{
    const config *c = s->config;
    return (meter_event){ .service = STR("smtp"), .client_address = str_c(s->client),
                          .count_limit = (uint32_t)c->smtpd_client_connection_count_limit,
                          .rate_limit = (uint32_t)c->smtpd_client_connection_rate_limit,
                          .rate_unit_s = (uint32_t)c->anvil_rate_time_unit };
}

void meter_question(session *s)
{
    peer *p = daemon_peer(s->smtpd->process, "meter");
    if (p == NULL) {
        session_greet(s);
        return;
    }
    meter_event m = event_of(s);
    s->is_metered = true;
    session_wait(s, WAITING_METER, p);
    p->asked++;
    channel_put(&p->channel, METER_OPEN, s->ref, meter_event, &m);
}

void meter_forget(session *s)
{
    peer *p = s->is_metered ? daemon_peer(s->smtpd->process, "meter") : NULL;
    if (p == NULL)
        return;
    meter_event m = event_of(s);
    channel_put(&p->channel, METER_CLOSE, 0, meter_event, &m);
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
    session_resume(s);
    if (m.is_allowed) {
        session_greet(s);
        return true;
    }
    reply no = reply_of(REPLY_TOO_MANY_CONNECTIONS);
    log_event(LOG_WARNING, "too-many-connections", LOG_C("session", s->id), LOG_C("client", s->client),
              LOG_NUM("count", m.count), LOG_NUM("rate", m.rate));
    session_close(s, &no);
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
        s->is_metered = false;
        if (s->waiting == WAITING_METER && s->asked == p) {
            session_resume(s);
            session_greet(s);
        }
    }
}
