#include "worker/worker.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/worker_confine.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POOL_FD = 3, ROWS_MAX = 16 };

typedef struct start {
    worker *worker;
    char *home, *mail;
    int log_fd, filter_fd;
    bool is_there, requires_sandbox;
} start;

static str keep(str s)
{
    char *p = memory_get(s.n + 1);
    memcpy(p, s.p ? s.p : "", s.n);
    return (str){ p, s.n };
}

static bool on_start(void *context, channel *c, received *r)
{
    start *s = context;
    worker *w = s->worker;
    worker_start m;
    (void)c;
    if (worker_start_decode(r->bytes, &m) != PARSE_DONE || s->is_there)
        return false;
    s->log_fd = received_take(r, 0);
    s->filter_fd = r->fd_count > 1 ? received_take(r, 1) : -1;
    log_open(s->log_fd, (log_format)m.log_format, w->program->role, m.is_verbose);
    s->home = (char *)(uintptr_t)keep(m.home).p;
    s->mail = (char *)(uintptr_t)keep(m.mail).p;
    s->requires_sandbox = m.requires_sandbox;
    w->user = keep(m.user);
    w->mbox = keep(m.mbox);
    w->host = keep(m.host);
    w->idle_s = m.idle_s;
    s->is_there = true;
    loop_stop(w->loop);
    return true;
}

static const talk_row start_rows[] = { { WORKER_START, 1, 2, on_start } };
static const talk start_talk = { "worker-start", start_rows, COUNT_OF(start_rows), NULL };

/* Blocking, until the start is there; the channel is opened again with the program's rows once confined. */
static bool start_read(start *s)
{
    channel c;
    channel_open(&c, s->worker->loop, POOL_FD, &start_talk, s);
    loop_run(s->worker->loop);
    int fd = channel_is_open(&c) && s->is_there ? fcntl(c.fd, F_DUPFD_CLOEXEC, 0) : -1;
    channel_close(&c);
    s->worker->pool.fd = fd;
    return fd >= 0;
}

/* The folder is made where only its name is missing; it is opened as the user, so permissions are the user's. */
static int folder_open(const char *path, bool may_make)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && may_make && mkdir(path, 0700) == 0)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

static bool folders_open(start *s)
{
    worker *w = s->worker;
    w->home = keep(str_c(s->home));
    if (w->program->runs_programs)
        return true;
    w->home_fd = s->home[0] ? folder_open(s->home, false) : -1;
    if (w->home_fd >= 0)
        w->rules[w->rule_count++] = (landlock_rule){ w->home_fd, ACCESS_READ };
    if (w->program->open)
        w->program->open(w);
    if (w->mbox.n)
        return true;
    w->mail_fd = folder_open(s->mail, true);
    if (w->mail_fd >= 0)
        w->rules[w->rule_count++] = (landlock_rule){ w->mail_fd, ACCESS_READ | ACCESS_WRITE };
    else
        log_event(LOG_ERROR, "no-mail-folder", LOG_STR("user", w->user), LOG_C("folder", s->mail),
                  LOG_C("reason", strerror(errno)));
    return w->mail_fd >= 0;
}

static bool confine(start *s)
{
    worker *w = s->worker;
    worker_walls walls = { .rules = w->rules, .rule_count = w->rule_count, .filter_fd = s->filter_fd,
                           .limits = { .open_files = 8192 }, .requires_landlock = s->requires_sandbox,
                           .runs_programs = w->program->runs_programs };
    fault f = worker_confine(&walls);
    if (s->filter_fd >= 0)
        close(s->filter_fd);
    if (is_fault(f))
        log_fault(LOG_ERROR, "not-confined", f);
    return !is_fault(f);
}

static bool on_leave(void *context, channel *c, received *r)
{
    worker *w = context;
    (void)c, (void)r;
    w->is_leaving = true;
    if (w->program->on_leave)
        w->program->on_leave(w);
    if (w->busy == 0 || w->program->on_leave == NULL)
        loop_stop(w->loop);
    return true;
}

static void on_closed(void *context, channel *c)
{
    worker *w = context;
    (void)c;
    w->is_leaving = true;
    if (w->program->on_leave)
        w->program->on_leave(w);
    loop_stop(w->loop);
}

static void say(worker *w, uint16_t type)
{
    worker_ready m = { .busy = (uint32_t)w->busy };
    channel_put(&w->pool, type, 0, worker_ready, &m);
}

static void on_idle(void *context)
{
    worker *w = context;
    if (w->busy == 0)
        say(w, WORKER_IDLE);
}

void worker_begin(worker *w)
{
    if (w->busy++ == 0)
        timer_stop(&w->idle);
}

void worker_end(worker *w)
{
    if (--w->busy > 0)
        return;
    if (w->is_leaving)
        loop_stop(w->loop);
    else
        timer_set(&w->idle, w->idle_s * 1000);
}

static void pool_open(worker *w, talk *t, talk_row *rows)
{
    rows[0] = (talk_row){ WORKER_LEAVE, 0, 0, on_leave };
    memcpy(rows + 1, w->program->rows, w->program->row_count * sizeof *rows);
    *t = (talk){ w->program->role, rows, w->program->row_count + 1, on_closed };
    channel_open(&w->pool, w->loop, w->pool.fd, t, w);
    timer_open(&w->idle, w->loop, on_idle, w);
    say(w, WORKER_READY);
    timer_set(&w->idle, w->idle_s * 1000);
}

int worker_run(const worker_program *p, void *state)
{
    mallopt(M_MMAP_THRESHOLD, 4096); /* what is large and passing must not leave holes between what stays */
    mallopt(M_TOP_PAD, 0);
    static worker w; /* one a process */
    static talk t;
    static talk_row rows[ROWS_MAX];
    start s = { .worker = &w, .filter_fd = -1 };
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    w = (worker){ .program = p, .state = state, .mail_fd = -1, .home_fd = -1 };
    w.loop = loop_new();
    if (!start_read(&s))
        return 2;
    if (!folders_open(&s))
        return WORKER_EXIT_NO_FOLDER;
    if (!confine(&s))
        return 4;
    if (p->start && !p->start(&w))
        return WORKER_EXIT_NO_MAIL;
    pool_open(&w, &t, rows);
    free(s.home);
    free(s.mail);
    loop_run(w.loop);
    log_flush();
    return w.exit_status;
}
