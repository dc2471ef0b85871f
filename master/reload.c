/* A new generation of the configuration, and the end. Runs in: master. */
#include "base/log.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include "os/fd.h"
#include <fcntl.h>
#include <unistd.h>

enum { AFTER_DRAIN_S = 10 }; /* for those who leave after the ones that had to be killed */

static child *child_find(master *m, const role *r, uint32_t instance)
{
    for (child *c = m->children; c; c = c->next)
        if (c->role == r && c->instance == instance && c->state != CHILD_DRAINING && !c->forget.is_queued)
            return c;
    return NULL;
}

static uint32_t instance_fresh(const master *m, const role *r)
{
    uint32_t next = 0;
    for (const child *c = m->children; c; c = c->next)
        if (c->role == r && c->instance >= next)
            next = c->instance + 1;
    return next;
}

/* What the contract depends on may have changed: a new process takes over and, once it is up, the old one drains (child.c). */
static void role_replace(master *m, const role *r, size_t wanted)
{
    for (child *c = m->children; c; c = c->next)
        if (c->role == r && (wanted == 0 || c->state == CHILD_DOWN))
            child_event_put(c, EVENT_DRAIN);
    for (size_t i = 0; i < wanted; i++) {
        child *c = child_add(m, r, instance_fresh(m, r));
        c->is_successor = true;
        child_event_put(c, EVENT_SPAWN);
    }
}

static void role_resize(master *m, const role *r, size_t wanted)
{
    for (child *c = m->children; c; c = c->next) {
        if (c->role != r || c->state == CHILD_DRAINING)
            continue;
        if (c->instance >= wanted)
            child_event_put(c, EVENT_DRAIN);
        else if (c->state == CHILD_UP || c->state == CHILD_STARTING)
            start_reload(c);
    }
    for (uint32_t i = 0; i < wanted; i++)
        if (child_find(m, r, i) == NULL)
            child_event_put(child_add(m, r, i), EVENT_SPAWN);
}

/* Of a role that was replaced once the numbers do not begin with 0 any more. */
static bool was_replaced(master *m, const role *r)
{
    for (child *c = m->children; c; c = c->next)
        if (c->role == r && c->state != CHILD_DRAINING && !c->forget.is_queued)
            return child_find(m, r, 0) == NULL;
    return false;
}

void children_match(master *m)
{
    for (size_t i = 0; i < role_count; i++) {
        size_t wanted = roles[i].count(m->parsed, m->cpus);
        if (role_is_replaced(&roles[i], m->parsed) || was_replaced(m, &roles[i]))
            role_replace(m, &roles[i], wanted);
        else
            role_resize(m, &roles[i], wanted);
    }
}

/* Before the processes are told of the generation: who is started by it gets the new log. */
static void log_reopen(master *m)
{
    int fd;
    fault f = log_target_open(m->parsed, &fd);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "log-kept", f);
        return;
    }
    const config *c = &m->parsed->base.config;
    log_open(fd, c->maillog_file.n ? (log_format)c->log_format : LOG_FORMAT_SYSLOG, "master", c->log_verbose);
    fd_close(&m->log_fd);
    m->log_fd = fd;
}

/* After the generation, which says in what form they write. */
static void log_give(master *m)
{
    control_none none = { 0 };
    for (child *c = m->children; c; c = c->next) {
        int copy = fcntl(m->log_fd, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0)
            channel_put_fds(&c->control, CONTROL_LOG, 0, control_none, &none, &copy, 1);
    }
}

/* All or nothing: what runs on, and what a process that ends is started with, is the old one until all of the new one holds. */
static fault generation_take(master *m, buf *out_words)
{
    loaded l;
    fault f = loaded_read(m, &l, out_words);
    if (is_fault(f))
        return f;
    f = listeners_bind(m, l.parsed);
    if (is_fault(f))
        loaded_drop(&l);
    else
        loaded_take(m, &l);
    return f;
}

fault master_reload(master *m, buf *out_words)
{
    if (m->is_stopping)
        return fault_make(FAULT_REFUSED, "3.2", "it is being stopped");
    notify_reloading();
    fault f = generation_take(m, out_words);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "not-reloaded", f);
    } else {
        log_reopen(m);
        children_match(m);
        log_give(m);
        log_event(LOG_INFO, "reloaded", LOG_NUM("generation", m->generation));
    }
    notify("READY=1");
    return f;
}

static void on_give_up(void *context)
{
    master *m = context;
    for (child *c = m->children; c; c = c->next)
        child_event_put(c, EVENT_KILL);
}

void master_stop_next(master *m)
{
    while (m->leaving < RANKS && children_of_rank(m, m->leaving) == 0) {
        m->leaving++;
        for (child *c = m->children; c; c = c->next)
            if ((unsigned)c->role->rank <= m->leaving)
                child_event_put(c, EVENT_DRAIN);
    }
    if (children_count(m) == 0)
        loop_stop(m->loop);
}

void master_stop(master *m)
{
    if (m->is_stopping)
        return;
    m->is_stopping = true;
    notify("STOPPING=1");
    log_event(LOG_INFO, "stopping");
    timer_open(&m->give_up, m->loop, on_give_up, m);
    timer_set(&m->give_up, (m->parsed->base.config.drain_timeout + AFTER_DRAIN_S) * 1000);
    for (child *c = m->children; c; c = c->next)
        if (c->role->rank == 0 || c->state == CHILD_DOWN)
            child_event_put(c, EVENT_DRAIN);
    master_stop_next(m);
}
