#include "daemon/daemon.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/control.h"
#include "daemon/peers.h"
#include "daemon/relief.h"
#include "ipc/talk/control.h"
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

generation *generation_hold(generation *g)
{
    g->holders++;
    return g;
}

void generation_release(generation *g)
{
    if (--g->holders > 0)
        return;
    snapshot_free(&g->snapshot);
    free(g);
}

const config *generation_config(const generation *g, str key)
{
    return config_for_service(&g->snapshot, key);
}

const config *daemon_config(const process *d)
{
    return &d->current->snapshot.base;
}

fault daemon_generation_load(process *d, int snapshot_fd)
{
    generation *g = memory_get(sizeof *g);
    fault f = snapshot_open(snapshot_fd, &g->snapshot);
    if (is_fault(f)) {
        free(g);
        return f;
    }
    generation *old = d->current;
    d->current = generation_hold(g);
    if (old)
        generation_release(old);
    return NO_FAULT;
}

void daemon_log_open(process *d, int fd)
{
    const config *c = daemon_config(d);
    log_format format = c->maillog_file.n == 0 ? LOG_FORMAT_SYSLOG : (log_format)c->log_format;
    log_open(fd, format, d->program->contract->role, c->log_verbose);
    if (d->log_fd >= 0)
        close(d->log_fd);
    d->log_fd = fd;
}

int daemon_log_fd(const process *d)
{
    return d->log_fd;
}

int daemon_file(const process *d, const char *name)
{
    for (const daemon_file_entry *f = d->files; f; f = f->next)
        if (strcmp(f->name, name) == 0)
            return f->fd;
    return -1;
}

void daemon_session_opened(process *d)
{
    d->sessions++;
}

void daemon_session_closed(process *d)
{
    d->sessions--;
    if (d->is_draining && d->sessions == 0)
        loop_stop(d->loop);
}

void daemon_drain(process *d)
{
    if (d->is_draining)
        return;
    d->is_draining = true;
    daemon_listeners_close(d);
    relief_leave(d);
    if (d->program->on_drain)
        d->program->on_drain(d);
    if (d->sessions == 0)
        loop_stop(d->loop);
}

enum { HEAP_SLACK = 1024 * 1024 };

int daemon_run(const program *p, void *state)
{
    mallopt(M_TRIM_THRESHOLD, HEAP_SLACK); /* what one session gave back is for the next, not for the kernel in between */
    mallopt(M_TOP_PAD, HEAP_SLACK / 4);
    process *d = memory_get(sizeof *d);
    d->program = p;
    d->state = state;
    d->control_fd = DAEMON_CONTROL_FD;
    d->log_fd = -1;
    signal(SIGPIPE, SIG_IGN);
    d->loop = loop_new();
    if (!daemon_control_start(d))
        return 2;
    if (p->prepare && !p->prepare(d))
        return 5;
    fault f = become(p->contract, &d->identity);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "not-confined", f);
        return 4;
    }
    daemon_peers_open(d);
    if (p->start && !p->start(d))
        return 5;
    daemon_control_ready(d);
    daemon_listeners_open(d);
    daemon_listeners_renew(d);
    if (!d->is_draining) /* it may have been told with its start */
        loop_run(d->loop);
    log_event(LOG_INFO, "stopped", LOG_NUM("sessions", d->sessions));
    log_flush();
    return 0;
}
