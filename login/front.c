#include "login/front.h"
#include "base/log.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/meter.h"
#include "ipc/talk/session.h"
#include "login/pump.h"
#include "login/sleep.h"
#include <sys/socket.h>

enum { REFUSAL_MAX = 400 };

void front_load_tls(front *f)
{
    int certificate = daemon_file(f->process, "tls-cert"), key = daemon_file(f->process, "tls-key");
    tls_context *next;
    if (certificate < 0 || key < 0)
        return;
    fault fail = tls_context_open(certificate, key, daemon_file(f->process, "tls-tickets"), &next);
    if (is_fault(fail)) {
        log_fault(LOG_ERROR, "bad-certificate", fail);
        return;
    }
    tls_context_release(f->tls);
    f->tls = next;
}

static bool on_meter(void *context, channel *c, received *r)
{
    peer *p = context;
    meter_answer m;
    (void)c;
    if (meter_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    session *s = session_by_ref(p->daemon->state, p, r->ref);
    if (s && s->phase == AT_METER)
        session_on_meter(s, m.is_allowed);
    return true;
}

static bool on_auth(void *context, channel *c, received *r)
{
    peer *p = context;
    auth_answer m;
    (void)c;
    if (auth_answer_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    session *s = session_by_ref(p->daemon->state, p, r->ref);
    if (s && s->phase == AT_AUTH)
        session_on_auth(s, (fault_kind)m.outcome, m.token);
    return true;
}

/* The client's socket came back: it hears why before it is closed. */
static void tell_refused(const dialect *d, const session_refused *m, int fd)
{
    char text[REFUSAL_MAX];
    d->refuse_text(str_upto(m->tag, TAG_MAX), text, sizeof text);
    if (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_event(LOG_DEBUG, "client-gone", LOG_STR("tag", m->tag));
}

static bool on_refused(void *context, channel *c, received *r)
{
    peer *p = context;
    front *f = p->daemon->state;
    session_refused m;
    (void)c;
    if (session_refused_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    session *s = map_get(&f->handed, (str){ (const char *)&m.token, sizeof m.token });
    const dialect *d = strcmp(p->role, pop3_dialect.pool) == 0 ? &pop3_dialect : &imap_dialect;
    log_event(LOG_WARNING, "session-refused", LOG_C("pool", p->role), LOG_STR("reason", m.reason));
    if (s)
        pump_refused(s);
    else if (r->fd_count)
        tell_refused(d, &m, r->fds[0]);
    return true;
}

static bool on_sleep(void *context, channel *c, received *r)
{
    peer *p = context;
    session_sleep m;
    (void)c;
    if (session_sleep_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    sleep_begin(p->daemon->state, p->role, &m, r->fds[0]);
    r->fds[0] = -1;
    return true;
}

static void on_lost(peer *p)
{
    front *f = p->daemon->state;
    bool is_meter = strcmp(p->role, "meter") == 0;
    for (session *s = f->sessions, *next; s; s = next) {
        next = s->next; /* a session never frees itself within session_lose: its streams end in the next round */
        if (is_meter)
            s->is_counted = false; /* its successor counts anew */
        session_lose(s, p);
    }
}

static const talk_row meter_rows[] = { { METER_ANSWER, 0, 0, on_meter } };
static const talk_row auth_rows[] = { { AUTH_ANSWER, 0, 0, on_auth } };
static const talk_row pool_rows[] = { { SESSION_REFUSED, 0, 1, on_refused }, { SESSION_SLEEP, 1, 1, on_sleep } };

const peer_row front_peers[] = {
    { .role = "meter", .talk = { "login-meter", meter_rows, COUNT_OF(meter_rows), NULL }, .on_lost = on_lost },
    { .role = "auth", .talk = { "login-auth", auth_rows, COUNT_OF(auth_rows), NULL }, .on_lost = on_lost },
    { .role = "imapd", .talk = { "login-imapd", pool_rows, COUNT_OF(pool_rows), NULL } },
    { .role = "pop3d", .talk = { "login-pop3d", pool_rows, COUNT_OF(pool_rows), NULL } },
};
const size_t front_peer_count = COUNT_OF(front_peers);
