/* A new generation of the configuration, and the end. Runs in: master. */
#include "base/log.h"
#include "ipc/talk/control.h"
#include "master/master.h"
#include "os/fd.h"
#include <fcntl.h>
#include <unistd.h>

static child *child_find(master *m, const role *r, uint32_t instance)
{
    for (child *c = m->children; c; c = c->next)
        if (c->role == r && c->instance == instance && c->state != CHILD_DRAINING)
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
    for (size_t i = 0; i < wanted; i++)
        child_event_put(child_add(m, r, instance_fresh(m, r)), EVENT_SPAWN);
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

void children_match(master *m)
{
    for (size_t i = 0; i < role_count; i++) {
        size_t wanted = roles[i].count(m->parsed);
        if (roles[i].flags & ROLE_REPLACED)
            role_replace(m, &roles[i], wanted);
        else
            role_resize(m, &roles[i], wanted);
    }
}

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
    control_none none = { 0 };
    for (child *ch = m->children; ch; ch = ch->next) {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0)
            channel_put_fds(&ch->control, CONTROL_LOG, 0, control_none, &none, &copy, 1);
    }
}

fault master_reload(master *m, buf *out_words)
{
    notify("RELOADING=1");
    fault f = master_load(m, out_words);
    if (!is_fault(f))
        f = listeners_bind(m);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "not-reloaded", f);
    } else {
        log_reopen(m);
        children_match(m);
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

void master_stop(master *m)
{
    if (m->is_stopping)
        return;
    m->is_stopping = true;
    notify("STOPPING=1");
    log_event(LOG_INFO, "stopping");
    timer_open(&m->give_up, m->loop, on_give_up, m);
    timer_set(&m->give_up, (m->parsed->base.config.drain_timeout + 5) * 1000);
    for (child *c = m->children, *next; c; c = next) {
        next = c->next;
        child_event_put(c, EVENT_DRAIN);
    }
    if (children_count(m) == 0)
        loop_stop(m->loop);
}
