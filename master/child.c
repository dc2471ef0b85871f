/* One process: a matrix of states and events. Runs in: master. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include "os/fd.h"
#include "os/spawn.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL_TARGET = 3, STEADY_S = 60, BACKOFF_LEAST_MS = 50, START_S = 60, VARIABLES_MAX = 4 };

static void on_exit_ready(void *context, unsigned ready);

/* It is shown to an admin, on a terminal and in lines. */
static void words_keep(buf *to, str words)
{
    buf_clear(to);
    for (size_t i = 0; i < words.n; i++)
        buf_append_char(to, words.p[i] < ' ' || words.p[i] > '~' ? '?' : words.p[i]);
}

static bool on_report(void *context, channel *ch, received *r)
{
    child *c = context;
    control_report m;
    (void)ch;
    if (control_report_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    words_keep(&c->sandbox, m.sandbox);
    words_keep(&c->detail, m.detail);
    c->sessions = m.sessions;
    c->generation = m.generation;
    c->has_reported = true;
    return true;
}

static bool on_ready(void *context, channel *ch, received *r)
{
    if (!on_report(context, ch, r))
        return false;
    child_event_put(context, EVENT_READY);
    return true;
}

static bool on_answer(void *context, channel *ch, received *r)
{
    if (!on_report(context, ch, r))
        return false;
    ctl_reported(((child *)context)->master);
    return true;
}

static bool on_peer_lost(void *context, channel *ch, received *r)
{
    control_name m;
    (void)ch;
    if (control_name_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    link_again(context, m.name, m.instance);
    return true;
}

static const talk_row rows[] = {
    { CONTROL_READY, 0, 0, on_ready },
    { CONTROL_REPORT, 0, 0, on_answer },
    { CONTROL_PEER_LOST, 0, 0, on_peer_lost },
};
static const talk control_talk = { "control", rows, COUNT_OF(rows), NULL };

/* At the end, so that the processes of a role are shown in the order of their numbers. */
child *child_add(master *m, const role *r, uint32_t instance)
{
    child *c = memory_get(sizeof *c), **end = &m->children;
    while (*end)
        end = &(*end)->next;
    *c = (child){ .master = m,
                  .role = r,
                  .instance = instance,
                  .born = m->generation,
                  .pidfd = -1,
                  .sandbox = buf_new(400),
                  .detail = buf_new(4096) };
    *end = c;
    return c;
}

/* OPENSSL_ia32cap(3): what the admin has set goes on. Else, OpenSSL 3 multiplies for RSA with ADX wherever a CPU has it, but Zen 3
 * is faster with AVX2: a signature of 2,048 bits takes 0.63 ms instead of 0.75 there. Bit 19 of the second vector is ADX. */
static const char *openssl_cpu(void)
{
    const char *own = getenv("OPENSSL_ia32cap");
    if (own)
        return own;
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_is("znver3"))
        return ":~0x80000";
#endif
    return NULL;
}

static char *variable(arena *a, const char *name, const char *value)
{
    return value ? (char *)(uintptr_t)arena_printf(a, "%s=%s", name, value).p : NULL;
}

/* What is not set is left out, and the others move up. */
static void environment(arena *a, char *out[VARIABLES_MAX + 1])
{
    char *const all[VARIABLES_MAX] = { variable(a, "PATH", "/usr/bin:/bin"), variable(a, "TZ", "UTC0"),
                                       variable(a, "OPENSSL_ia32cap", openssl_cpu()),
                                       variable(a, "ASAN_OPTIONS", getenv("ASAN_OPTIONS")) };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i])
            *out++ = all[i];
    *out = NULL;
}

static fault child_exec(child *c, int control_fd)
{
    const config *conf = &c->master->parsed->base.config;
    arena a = arena_new(0);
    str path = arena_printf(&a, "%.*s/%s", STR_ARG(conf->daemon_directory), c->role->name);
    char *argv[] = { (char *)(uintptr_t)c->role->name, NULL };
    char *envp[VARIABLES_MAX + 1];
    environment(&a, envp);
    spawn_fd fds[] = { { c->master->log_fd, 2 }, { control_fd, CONTROL_TARGET } };
    spawned s;
    spawn_plan plan = SPAWN_PLAN(.path = path.p, .argv = argv, .envp = envp, .fds = fds, .fd_count = COUNT_OF(fds),
                                 .starts_session = true);
    fault f = c->master->spawn(&plan, &s);
    if (!is_fault(f)) {
        c->pid = s.pid;
        c->pidfd = s.pidfd;
    }
    arena_free(&a);
    return f;
}

static child_state back_off(child *c)
{
    const config *conf = &c->master->parsed->base.config;
    uint64_t least = conf->restart_backoff_initial * 1000, most = conf->restart_backoff_max * 1000;
    bool was_steady = clock_monotonic_ms() - c->started_ms > STEADY_S * 1000;
    /* The first crash of a process is mended at once; only a crash loop waits. */
    c->backoff_ms = was_steady ? 0 : c->backoff_ms;
    timer_set(&c->timer, c->backoff_ms);
    uint64_t next = c->backoff_ms == 0 ? least : c->backoff_ms * 2;
    c->backoff_ms = next < BACKOFF_LEAST_MS ? BACKOFF_LEAST_MS : next < most ? next : most;
    return CHILD_DOWN;
}

static void on_timer(void *context)
{
    child *c = context;
    child_event_put(c, c->state == CHILD_DOWN ? EVENT_SPAWN : EVENT_KILL);
}

static child_state do_spawn(child *c)
{
    int pair[2];
    fault f = channel_pair(pair) ? NO_FAULT : fault_errno("make a socket pair");
    if (!c->timer.is_open)
        timer_open(&c->timer, c->master->loop, on_timer, c);
    c->started_ms = clock_monotonic_ms();
    if (!is_fault(f)) {
        f = child_exec(c, pair[1]);
        close(pair[1]);
        if (is_fault(f))
            close(pair[0]);
    }
    if (is_fault(f)) {
        log_event(LOG_ERROR, "not-started", LOG_C("process", c->role->name), LOG_C("reason", f.text));
        return back_off(c);
    }
    channel_open(&c->control, c->master->loop, pair[0], &control_talk, c);
    watch_open(&c->exit, c->master->loop, c->pidfd, on_exit_ready, c);
    watch_want(&c->exit, WATCH_READ);
    c->has_reported = false;
    timer_set(&c->timer, START_S * 1000);
    if (!start_send(c))
        pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
    return CHILD_STARTING;
}

static child_state do_ready(child *c)
{
    c->up_since_s = clock_s();
    timer_stop(&c->timer);
    if (c->is_successor)
        for (child *old = c->master->children; old; old = old->next)
            if (old != c && old->role == c->role && old->born < c->born)
                child_event_put(old, EVENT_DRAIN);
    return CHILD_UP;
}

static void reap(child *c)
{
    int status = 0;
    char text[120];
    waitpid(c->pid, &status, 0);
    watch_close(&c->exit);
    fd_close(&c->pidfd);
    channel_close(&c->control);
    bool is_wanted = c->state == CHILD_DRAINING || c->master->is_stopping;
    bool is_clean = is_wanted && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    log_event(is_clean ? LOG_INFO : LOG_ERROR, is_clean ? "process-ended" : "process-died",
              LOG_C("process", c->role->name), LOG_NUM("instance", c->instance), LOG_NUM("pid", c->pid),
              LOG_C("reason", spawn_status_text(status, text, sizeof text)));
    c->pid = 0;
    ctl_reported(c->master);
}

static child_state do_restart(child *c)
{
    reap(c);
    c->restarts++;
    return c->master->is_stopping ? CHILD_DOWN : back_off(c);
}

static child_state do_forget(child *c)
{
    reap(c);
    timer_stop(&c->timer);
    return CHILD_DOWN;
}

static child_state do_drain(child *c)
{
    control_none none = { 0 };
    channel_put(&c->control, CONTROL_DRAIN, 0, control_none, &none);
    timer_set(&c->timer, c->master->parsed->base.config.drain_timeout * 1000);
    return CHILD_DRAINING;
}

static child_state do_kill(child *c)
{
    log_event(LOG_WARNING, c->state == CHILD_STARTING ? "start-timeout" : "drain-timeout",
              LOG_C("process", c->role->name), LOG_NUM("pid", c->pid));
    pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
    return c->state;
}

static child_state do_stay_down(child *c)
{
    timer_stop(&c->timer);
    return CHILD_DOWN;
}

typedef child_state transition(child *c);

static transition *const matrix[CHILD_STATES][CHILD_EVENTS] = {
    [CHILD_DOWN] = { [EVENT_SPAWN] = do_spawn, [EVENT_DRAIN] = do_stay_down },
    [CHILD_STARTING] = { [EVENT_READY] = do_ready,
                         [EVENT_EXIT] = do_restart,
                         [EVENT_DRAIN] = do_drain,
                         [EVENT_KILL] = do_kill },
    [CHILD_UP] = { [EVENT_EXIT] = do_restart, [EVENT_DRAIN] = do_drain, [EVENT_KILL] = do_kill },
    [CHILD_DRAINING] = { [EVENT_EXIT] = do_forget, [EVENT_KILL] = do_kill },
};

static void child_free(void *context)
{
    child *c = context;
    child **at = &c->master->children;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    timer_close(&c->timer);
    buf_free(&c->sandbox);
    buf_free(&c->detail);
    free(c);
}

static void announce(master *m)
{
    if (m->is_announced || m->is_stopping || !children_are_up(m))
        return;
    m->is_announced = true;
    notify("READY=1");
    log_event(LOG_INFO, "ready", LOG_NUM("processes", children_count(m)), LOG_NUM("generation", m->generation));
    if (m->ready_fd >= 0)
        (void)!write(m->ready_fd, "ok\n", 3);
    fd_close(&m->ready_fd);
}

void child_event_put(child *c, child_event e)
{
    master *m = c->master;
    child_state before = c->state;
    transition *go = matrix[c->state][e];
    if (go == NULL)
        return;
    c->state = go(c);
    if (c->state == CHILD_DOWN && (before == CHILD_DRAINING || e == EVENT_DRAIN))
        task_put(m->loop, &c->forget, child_free, c); /* callers may walk the list */
    announce(m);
}

static void on_exit_ready(void *context, unsigned ready)
{
    child *c = context;
    (void)ready;
    child_event_put(c, EVENT_EXIT);
    if (c->master->is_stopping)
        master_stop_next(c->master);
}

void children_report(master *m)
{
    control_none none = { 0 };
    for (child *c = m->children; c; c = c->next) {
        c->has_reported = c->state != CHILD_UP;
        if (c->state == CHILD_UP)
            channel_put(&c->control, CONTROL_ASK, 0, control_none, &none);
    }
}

bool children_are_up(const master *m)
{
    for (const child *c = m->children; c; c = c->next)
        if ((c->state == CHILD_DOWN && !c->forget.is_queued) || c->state == CHILD_STARTING)
            return false;
    return true;
}

size_t children_of_rank(const master *m, unsigned most)
{
    size_t n = 0;
    for (const child *c = m->children; c; c = c->next)
        n += c->pid > 0 && (unsigned)c->role->rank <= most;
    return n;
}

size_t children_count(const master *m)
{
    return children_of_rank(m, RANKS);
}
