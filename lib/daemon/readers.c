#include "daemon/readers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/auth.h"
#include "ipc/talk/session.h"
#include "os/fd.h"
#include <stdlib.h>

enum { GRANT_LIFE_MS = 30000, GRANTS_MAX = 10000, EARLY_MS = 2000, EARLY_MAX = 1000 };

typedef struct grant {
    uint64_t token, until_ms;
    arena arena;
    pool_user user;
    struct grant *next;
} grant;

/* A session that was here before its grant: auth and login speak over sockets of their own, and either may be read first. */
typedef struct early {
    struct readers *readers;
    struct early *next;
    peer *from;
    arena arena;
    session_open open; /* views into the arena */
    int fd;
    timer patience;
} early;

typedef struct readers {
    const readers_program *program;
    pool pool;
    grant *grants;
    size_t grant_count;
    early *early;
    size_t early_count;
    uint64_t sessions, refused;
} readers;

static void grant_free(grant *g)
{
    arena_free(&g->arena);
    free(g);
}

/* A token is used once, and soon, or not at all. */
static grant *grant_take(readers *r, uint64_t token)
{
    uint64_t now = clock_monotonic_ms();
    grant *found = NULL;
    for (grant **at = &r->grants; *at;) {
        grant *g = *at;
        bool is_it = g->token == token && g->until_ms > now;
        if (!is_it && g->until_ms > now) {
            at = &g->next;
            continue;
        }
        *at = g->next;
        r->grant_count--;
        if (is_it)
            found = g;
        else
            grant_free(g);
    }
    return found;
}

/* The client's socket goes back with the refusal: login tells the client why. Takes fd. */
static void refuse(readers *r, channel *login, const session_open *s, int fd, const char *why)
{
    session_refused m = { .token = s->token, .tag = s->tag, .reason = str_c(why) };
    r->refused++;
    log_event(LOG_WARNING, "session-refused", LOG_STR("session", s->session), LOG_C("reason", why));
    channel_put_fds(login, SESSION_REFUSED, 0, session_refused, &m, &fd, 1);
}

/* Takes grant and fd. */
static void session_give(readers *r, channel *login, grant *g, session_open *s, int fd)
{
    pool_worker *w;
    fault f = pool_get(&r->pool, &g->user, &w);
    if (is_fault(f)) {
        refuse(r, login, s, fd, f.text);
    } else {
        log_event(LOG_INFO, "session", LOG_STR("session", s->session), LOG_STR("user", g->user.user),
                  LOG_STR("client", s->client), LOG_NUM("tls", s->has_tls), LOG_NUM("worker", w->pid));
        s->token = 0;
        s->user = g->user.user;
        w->open++;
        r->sessions++;
        channel_put_fds(&w->channel, SESSION_GIVE, 0, session_open, s, &fd, 1);
    }
    grant_free(g);
}

static void early_free(early *e)
{
    early **at = &e->readers->early;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    e->readers->early_count--;
    timer_close(&e->patience);
    fd_close(&e->fd);
    arena_free(&e->arena);
    free(e);
}

static int early_fd(early *e)
{
    int fd = e->fd;
    e->fd = -1;
    return fd;
}

static void on_patience(void *context)
{
    early *e = context;
    refuse(e->readers, &e->from->channel, &e->open, early_fd(e), "no grant for this token");
    early_free(e);
}

/* Takes fd. */
static void early_add(readers *r, peer *from, const session_open *s, int fd)
{
    early *e = memory_get(sizeof *e);
    arena *a = &e->arena;
    *e = (early){ .readers = r, .next = r->early, .from = from, .open = *s, .fd = fd };
    e->open.session = arena_copy(a, s->session);
    e->open.client = arena_copy(a, s->client);
    e->open.user = STR_NONE;
    e->open.tag = arena_copy(a, s->tag);
    e->open.verb = arena_copy(a, s->verb);
    e->open.input = arena_copy(a, s->input);
    e->open.state = arena_copy(a, s->state);
    timer_open(&e->patience, from->daemon->loop, on_patience, e);
    timer_set(&e->patience, EARLY_MS);
    r->early = e;
    r->early_count++;
}

static void early_serve(readers *r, uint64_t token)
{
    for (early *e = r->early; e; e = e->next)
        if (e->open.token == token) {
            session_give(r, &e->from->channel, grant_take(r, token), &e->open, early_fd(e));
            early_free(e);
            return;
        }
}

static void login_lost(peer *p)
{
    readers *r = p->daemon->state;
    for (early *e = r->early, *next; e; e = next) {
        next = e->next;
        if (e->from == p)
            early_free(e);
    }
}

static bool on_grant(void *context, channel *ch, received *m)
{
    peer *from = context;
    readers *r = from->daemon->state;
    auth_grant g;
    (void)ch;
    if (auth_grant_decode(m->bytes, &g) != PARSE_DONE || g.token == 0)
        return false;
    (void)grant_take(r, 0); /* no token is 0: forgets what has expired */
    if (r->grant_count >= GRANTS_MAX)
        return true;
    grant *n = memory_get(sizeof *n);
    arena *a = &n->arena;
    *n = (grant){ .token = g.token, .until_ms = clock_monotonic_ms() + GRANT_LIFE_MS, .next = r->grants };
    n->user = (pool_user){ .user = arena_copy(a, g.user),
                           .uid = g.uid,
                           .gid = g.gid,
                           .is_system = g.is_system,
                           .home = arena_copy(a, g.home),
                           .mail = arena_copy(a, g.mail) };
    r->grants = n;
    r->grant_count++;
    early_serve(r, g.token);
    return true;
}

static bool on_open(void *context, channel *ch, received *m)
{
    peer *from = context;
    readers *r = from->daemon->state;
    session_open s;
    if (session_open_decode(m->bytes, &s) != PARSE_DONE)
        return false;
    grant *g = grant_take(r, s.token);
    int fd = received_take(m, 0);
    if (g)
        session_give(r, ch, g, &s, fd);
    else if (s.token != 0 && r->early_count < EARLY_MAX)
        early_add(r, from, &s, fd);
    else
        refuse(r, ch, &s, fd, "no grant for this token");
    return true;
}

static bool on_session_closed(void *context, channel *ch, received *m)
{
    pool_worker *w = context;
    readers *r = w->pool->process->state;
    session_closed s;
    (void)ch;
    if (session_closed_decode(m->bytes, &s) != PARSE_DONE || w->open == 0)
        return false;
    w->open--;
    r->sessions--;
    log_event(LOG_INFO, "session-closed", LOG_STR("session", s.session), LOG_STR("user", w->user),
              LOG_STR("reason", s.reason), LOG_NUM("in", s.bytes_in), LOG_NUM("out", s.bytes_out));
    return true;
}

static void on_worker_lost(pool_worker *w)
{
    readers *r = w->pool->process->state;
    r->sessions -= w->open;
}

static const talk_row auth_rows[] = { { AUTH_GRANT, 0, 0, on_grant } };
static const talk_row login_rows[] = { { SESSION_OPEN, 1, 1, on_open } };
static const talk_row worker_rows[] = { { SESSION_CLOSED, 0, 0, on_session_closed } };

static bool start(process *p)
{
    static pool_program workers;
    readers *r = p->state;
    workers = (pool_program){ .role = r->program->worker,
                              .calls = r->program->worker_calls,
                              .rows = worker_rows,
                              .row_count = COUNT_OF(worker_rows),
                              .on_lost = on_worker_lost };
    return pool_open(&r->pool, p, &workers, r->program->idle_s(daemon_config(p)));
}

static void on_drain(process *p)
{
    readers *r = p->state;
    pool_leave_all(&r->pool);
}

static void report(process *p, buf *detail)
{
    readers *r = p->state;
    buf_printf(detail, "sessions_open=%llu workers=%zu workers_started=%llu refused=%llu",
               (unsigned long long)r->sessions, r->pool.count, (unsigned long long)r->pool.started,
               (unsigned long long)r->refused);
}

int readers_run(const readers_program *p)
{
    static readers r;
    const peer_row peers[] = {
        { "auth", { "grants", auth_rows, COUNT_OF(auth_rows), NULL }, NULL, NULL },
        { "login", { "sessions", login_rows, COUNT_OF(login_rows), NULL }, NULL, login_lost },
    };
    const program program_rows = { .contract = p->contract,
                                   .peers = peers,
                                   .peer_count = COUNT_OF(peers),
                                   .start = start,
                                   .on_drain = on_drain,
                                   .report = report };
    r.program = p;
    return daemon_run(&program_rows, &r);
}
