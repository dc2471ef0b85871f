#include "login/sleep.h"
#include "base/log.h"
#include "base/memory.h"
#include <sys/socket.h>
#include <unistd.h>

struct sleeper {
    front *front;
    sleeper *next, **at;
    const char *pool; /* role */
    arena arena;
    session_sleep what; /* views into the arena */
    int fd;
    watch watch;
    timer timeout;
};

static void sleeper_free(sleeper *s)
{
    watch_close(&s->watch);
    timer_close(&s->timeout);
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    if (s->fd >= 0)
        close(s->fd);
    process *p = s->front->process;
    arena_free(&s->arena);
    free(s);
    daemon_session_closed(p);
}

static void on_ready(void *context, unsigned ready)
{
    sleeper *s = context;
    const session_sleep *w = &s->what;
    peer *pool = daemon_peer(s->front->process, s->pool);
    (void)ready;
    if (pool) {
        session_open m = { .token = w->token, .session = w->session, .client = w->client, .state = w->state,
                           .has_tls = w->has_tls, .timeout_s = w->timeout_s };
        watch_close(&s->watch);
        channel_put_fds(&pool->channel, SESSION_OPEN, ++s->front->last_ref, session_open, &m, &s->fd, 1);
        s->fd = -1;
    }
    sleeper_free(s);
}

static void on_timeout(void *context)
{
    sleeper *s = context;
    static const char text[] = "* BYE Disconnected: silent for too long.\r\n";
    if (send(s->fd, text, sizeof text - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        log_event(LOG_DEBUG, "no-bye", LOG_STR("session", s->what.session));
    sleeper_free(s);
}

void sleep_begin(front *f, const char *pool, const session_sleep *m, int fd)
{
    sleeper *s = memory_get(sizeof *s);
    *s = (sleeper){ .front = f, .next = f->sleepers, .at = &f->sleepers, .pool = pool, .arena = arena_new(0),
                    .what = *m, .fd = fd };
    s->what.session = arena_copy(&s->arena, m->session);
    s->what.client = arena_copy(&s->arena, m->client);
    s->what.state = arena_copy(&s->arena, m->state);
    if (s->next)
        s->next->at = &s->next;
    f->sleepers = s;
    daemon_session_opened(f->process);
    watch_open(&s->watch, f->process->loop, fd, on_ready, s);
    watch_want(&s->watch, WATCH_READ);
    timer_open(&s->timeout, f->process->loop, on_timeout, s);
    if (m->timeout_s)
        timer_set(&s->timeout, m->timeout_s * UINT64_C(1000));
}

void sleep_end_all(front *f)
{
    while (f->sleepers)
        sleeper_free(f->sleepers);
}
