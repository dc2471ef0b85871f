#include "daemon/pool.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/worker.h"
#include "os/fd.h"
#include "os/spawn.h"
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POOL_FD = 3 };

static void worker_unlist(pool_worker *w)
{
    if (map_get(&w->pool->by_user, w->key) == w)
        map_remove(&w->pool->by_user, w->key);
}

static void worker_go(pool_worker *w)
{
    worker_ready m = { 0 };
    if (w->state == WORKER_GOING)
        return;
    w->state = WORKER_GOING;
    worker_unlist(w);
    channel_put(&w->channel, WORKER_LEAVE, 0, worker_ready, &m);
}

static bool on_ready(void *context, channel *c, received *r)
{
    worker_ready m;
    (void)context, (void)c;
    return worker_ready_decode(r->bytes, &m) == PARSE_DONE;
}

/* What was sent to it since it asked keeps it. */
static bool on_idle(void *context, channel *c, received *r)
{
    pool_worker *w = context;
    worker_ready m;
    (void)c;
    if (worker_ready_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (w->open == 0)
        worker_go(w);
    return true;
}

static void worker_free(pool_worker *w)
{
    pool_worker **at = &w->pool->workers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->pool->count--;
    worker_unlist(w);
    watch_close(&w->exit);
    channel_close(&w->channel);
    fd_close(&w->pidfd);
    free((char *)(uintptr_t)w->user.p);
    free(w);
}

/* Its last words are read before it is forgotten: the channel closes by itself behind them. */
static void settle(pool_worker *w)
{
    if (w->pid != 0 || channel_is_open(&w->channel))
        return;
    process *d = w->pool->process;
    if (w->open > 0 && w->pool->program->on_lost)
        w->pool->program->on_lost(w);
    if (w->pool->program->on_gone)
        w->pool->program->on_gone(w);
    worker_free(w);
    daemon_session_closed(d);
}

/* -1: a signal ended it. */
static int exit_status(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}

static void on_exit_ready(void *context, unsigned ready)
{
    pool_worker *w = context;
    int status = 0;
    char text[120];
    (void)ready;
    if (waitpid(w->pid, &status, WNOHANG) != w->pid)
        return;
    int said = exit_status(status);
    bool had_no_mail = said == WORKER_EXIT_NO_MAIL; /* it said why */
    w->had_no_folder = said == WORKER_EXIT_NO_FOLDER || spawn_had_no_root(status);
    w->had_moved = said == WORKER_EXIT_MOVED;
    if (w->had_no_folder || had_no_mail) {
        log_event(LOG_WARNING, "worker-left", LOG_STR("user", w->user), LOG_NUM("pid", w->pid),
                  LOG_C("reason", had_no_mail ? "the mail cannot be opened" : "the mail folder cannot be opened"));
    } else if (said != 0 && !w->had_moved) {
        w->pool->crashed++;
        log_event(LOG_ERROR, "worker-died", LOG_STR("user", w->user), LOG_NUM("pid", w->pid),
                  LOG_C("reason", spawn_status_text(status, text, sizeof text)));
    }
    w->pid = 0;
    watch_close(&w->exit);
    worker_unlist(w);
    settle(w);
}

static void on_closed(void *context, channel *c)
{
    pool_worker *w = context;
    (void)c;
    w->state = WORKER_GOING;
    worker_unlist(w);
    settle(w);
}

bool pool_open(pool *p, process *d, const pool_program *workers, uint64_t idle_s)
{
    *p = (pool){
        .process = d, .program = workers, .idle_s = idle_s, .exec_fd = daemon_file(d, "worker"), .filter_fd = -1
    };
    assert(workers->row_count + 2 <= COUNT_OF(p->rows));
    p->rows[0] = (talk_row){ WORKER_READY, 0, 0, on_ready };
    p->rows[1] = (talk_row){ WORKER_IDLE, 0, 0, on_idle };
    memcpy(p->rows + 2, workers->rows, workers->row_count * sizeof *p->rows);
    p->talk = (talk){ workers->role, p->rows, workers->row_count + 2, on_closed };
    fault f = seccomp_export(workers->role, workers->calls, &p->filter_fd);
    if (is_fault(f))
        log_fault(LOG_ERROR, "no-worker-filter", f);
    return !is_fault(f) && p->exec_fd >= 0;
}

static bool may_become(const pool *p, const pool_user *u)
{
    const identity *id = &p->process->identity;
    if (!id->is_privileged)
        return u->uid == geteuid();
    bool has_gid = u->gid >= id->ids.gid_min && u->gid <= id->ids.gid_max;
    for (size_t i = 0; i < id->ids.gid_count; i++)
        has_gid = has_gid || id->ids.gids[i] == u->gid;
    bool is_extra = id->ids.extra_uid != 0 && u->uid == id->ids.extra_uid && u->gid == id->ids.extra_gid;
    return is_extra || (has_gid && u->uid >= id->ids.uid_min && u->uid <= id->ids.uid_max);
}

static fault worker_spawn(pool_worker *w, const pool_user *u, int fd, bool *out_is_rooted)
{
    pool *p = w->pool;
    bool is_privileged = p->process->identity.is_privileged;
    arena a = arena_new(0);
    const char *options = getenv("ASAN_OPTIONS");
    char *argv[] = { (char *)(uintptr_t)p->program->role, NULL };
    /* Freed memory goes back to the heap at once, where an idle worker can give it back to the kernel. */
    char *envp[] = { (char *)(uintptr_t) "GLIBC_TUNABLES=glibc.malloc.tcache_count=0",
                     options ? (char *)(uintptr_t)arena_printf(&a, "ASAN_OPTIONS=%s", options).p : NULL, NULL };
    spawn_fd fds[] = { { daemon_log_fd(p->process), 2 }, { fd, POOL_FD } };
    spawn_plan plan =
        SPAWN_PLAN(.argv = argv, .envp = envp, .fds = fds, .fd_count = COUNT_OF(fds), .changes_ids = is_privileged,
                   .uid = u->uid, .gid = u->gid, .drops_caps = is_privileged,
                   .root_path =
                       is_privileged && !u->is_system && !p->program->runs_programs ? arena_c(&a, u->mail) : NULL);
    plan.exec_fd = p->exec_fd;
    if (u->mbox.n) {
        plan.makes_path = arena_c(&a, u->mbox);
        plan.makes_gid = u->mbox_group ? u->mbox_group : u->gid;
    }
    spawned s;
    fault f = spawn(&plan, &s);
    arena_free(&a);
    if (is_fault(f))
        return f;
    w->pid = s.pid;
    w->pidfd = s.pidfd;
    *out_is_rooted = s.is_rooted;
    return NO_FAULT;
}

static void start_put(pool_worker *w, const pool_user *u, bool is_rooted)
{
    const config *c = daemon_config(w->pool->process);
    const identity *id = &w->pool->process->identity;
    worker_start m = { .user = u->user,
                       .home = w->pool->program->sees_home && u->is_system ? u->home : STR_NONE,
                       .mail = is_rooted ? STR("/") : u->mail,
                       .mbox = u->mbox,
                       .host = c->myhostname,
                       .requires_sandbox = id->requires_landlock,
                       .idle_s = (uint32_t)w->pool->idle_s,
                       .log_format = c->maillog_file.n ? c->log_format : LOG_FORMAT_SYSLOG,
                       .is_verbose = c->log_verbose };
    int fds[2] = { fcntl(daemon_log_fd(w->pool->process), F_DUPFD_CLOEXEC, 0),
                   fcntl(w->pool->filter_fd, F_DUPFD_CLOEXEC, 0) };
    channel_put_fds(&w->channel, WORKER_START, 0, worker_start, &m, fds, 2);
    channel_flush(&w->channel); /* in a packet of its own: what follows is read by the confined worker */
}

static void make_room(pool *p)
{
    if (p->count < daemon_config(p->process)->worker_limit)
        return;
    for (pool_worker *w = p->workers; w; w = w->next)
        if (w->open == 0 && w->state == WORKER_UP) {
            worker_go(w);
            return;
        }
}

static str key_of(const pool_user *u)
{
    return u->key.n ? u->key : u->user;
}

static fault worker_new(pool *p, const pool_user *u, pool_worker **out)
{
    int pair[2];
    bool is_rooted = false;
    make_room(p);
    if (p->count >= 2 * daemon_config(p->process)->worker_limit)
        return fault_make(FAULT_TRY_LATER, "3.2", "too many workers");
    if (!channel_pair(pair))
        return fault_errno("make a socket pair");
    pool_worker *w = memory_get(sizeof *w);
    char *name = memory_get(u->user.n + key_of(u).n);
    memcpy(name, u->user.p, u->user.n);
    memcpy(name + u->user.n, key_of(u).p, key_of(u).n);
    *w = (pool_worker){
        .pool = p, .user = { name, u->user.n }, .key = { name + u->user.n, key_of(u).n }, .pidfd = -1
    };
    fault f = worker_spawn(w, u, pair[1], &is_rooted);
    close(pair[1]);
    if (is_fault(f)) {
        close(pair[0]);
        free(name);
        free(w);
        return f;
    }
    w->next = p->workers;
    p->workers = w;
    p->count++;
    p->started++;
    map_put(&p->by_user, w->key, w);
    channel_open(&w->channel, p->process->loop, pair[0], &p->talk, w);
    watch_open(&w->exit, p->process->loop, w->pidfd, on_exit_ready, w);
    watch_want(&w->exit, WATCH_READ);
    daemon_session_opened(p->process);
    start_put(w, u, is_rooted);
    *out = w;
    return NO_FAULT;
}

fault pool_get(pool *p, const pool_user *u, pool_worker **out)
{
    *out = map_get(&p->by_user, key_of(u));
    if (*out)
        return NO_FAULT;
    if (!may_become(p, u))
        return fault_make(FAULT_TRY_LATER, "3.5",
                          "user %.*s: uid %u or gid %u is outside of what mail may run as "
                          "(minimum_uid, maximum_uid, mail_gids)",
                          STR_ARG(u->user), u->uid, u->gid);
    return worker_new(p, u, out);
}

void pool_leave_all(pool *p)
{
    for (pool_worker *w = p->workers; w; w = w->next)
        worker_go(w);
}
