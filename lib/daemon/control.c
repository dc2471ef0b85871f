#include "daemon/control.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon/peers.h"
#include "ipc/talk/control.h"
#include "os/fd.h"
#include "os/sandbox.h"
#include <fcntl.h>
#include <unistd.h>

static char *copy(str s)
{
    char *p = memory_get(s.n + 1);
    memcpy(p, s.p ? s.p : "", s.n);
    return p;
}

static bool on_start(void *context, channel *c, received *r)
{
    process *d = context;
    control_start m;
    (void)c;
    if (control_start_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    fault f = daemon_generation_load(d, r->fds[1]);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "bad-snapshot", f);
        return false;
    }
    (void)fd_set_cloexec(r->fds[0], true);
    daemon_log_open(d, received_take(r, 0));
    d->instance = m.instance;
    f = daemon_identity_set(d, &m);
    if (is_fault(f))
        log_fault(LOG_ERROR, "no-identity", f);
    return !is_fault(f);
}

/* A reload brings it again: the one before is not needed any more. */
static void file_put(process *d, str name, int fd)
{
    daemon_file_entry *f = d->files;
    while (f && !str_equal(name, str_c(f->name)))
        f = f->next;
    if (f) {
        close(f->fd);
        f->fd = fd;
        return;
    }
    f = memory_get(sizeof *f);
    *f = (daemon_file_entry){ .next = d->files, .name = copy(name), .fd = fd };
    d->files = f;
}

static bool on_file(void *context, channel *c, received *r)
{
    process *d = context;
    control_name m;
    (void)c;
    if (control_name_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    file_put(d, m.name, received_take(r, 0));
    return true;
}

static bool on_listener(void *context, channel *c, received *r)
{
    control_name m;
    (void)c;
    if (control_name_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    daemon_listener_add(context, m.name, received_take(r, 0));
    return true;
}

static bool on_peer(void *context, channel *c, received *r)
{
    control_name m;
    (void)c;
    if (control_name_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    daemon_peer_add(context, m.name, m.instance, received_take(r, 0));
    return true;
}

static bool on_go(void *context, channel *c, received *r)
{
    process *d = context;
    (void)c, (void)r;
    loop_stop(d->loop);
    return true;
}

static bool on_reload(void *context, channel *c, received *r)
{
    process *d = context;
    (void)c;
    fault f = daemon_generation_load(d, r->fds[0]);
    if (is_fault(f))
        log_fault(LOG_ERROR, "bad-snapshot", f);
    daemon_listeners_renew(d);
    if (!is_fault(f) && d->program->on_reload)
        d->program->on_reload(d);
    return true;
}

static bool on_drain(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    daemon_drain(context);
    return true;
}

static bool on_log(void *context, channel *c, received *r)
{
    (void)c;
    daemon_log_open(context, received_take(r, 0));
    return true;
}

static void sandbox_print(buf *out)
{
    sandbox_report r;
    sandbox_self(&r);
    buf_printf(out,
               "landlock=%d files=%d ports=%d scope=%d securebits=0x%x dumpable=%d mdwe=%d root_start=%d proved=%d",
               r.landlock_abi, r.has_files_walled, r.has_ports_walled, r.has_scope_walled, r.securebits, r.is_dumpable,
               r.has_mdwe, r.is_privileged_start, r.is_proved);
}

static void report_put(process *d, uint16_t type)
{
    buf detail = buf_new(4096), sandbox = buf_new(400);
    sandbox_print(&sandbox);
    if (d->program->report)
        d->program->report(d, &detail);
    control_report m = { .generation = (uint32_t)d->current->snapshot.generation,
                         .sessions = (uint32_t)d->sessions,
                         .sandbox = buf_str(&sandbox),
                         .detail = buf_str(&detail) };
    channel_put(&d->control, type, 0, control_report, &m);
    buf_free(&detail);
    buf_free(&sandbox);
}

static bool on_ask(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    report_put(context, CONTROL_REPORT);
    return true;
}

static void on_orphan_time(void *context)
{
    process *d = context;
    log_event(LOG_WARNING, "drain-timeout", LOG_NUM("sessions", d->sessions));
    loop_stop(d->loop);
}

/* master is gone: finish what is open, as it would have asked. Nobody is left to end a process whose peers went before it, so it
 * ends itself: the next master's qmgr waits for this one's queue. */
static void on_closed(void *context, channel *c)
{
    process *d = context;
    (void)c;
    if (d->current) { /* else it never began */
        timer_open(&d->orphan, d->loop, on_orphan_time, d);
        timer_set(&d->orphan, daemon_config(d)->drain_timeout * 1000);
    }
    daemon_drain(d);
}

static const talk_row rows[] = {
    { CONTROL_START, 2, 2, on_start }, { CONTROL_FILE, 1, 1, on_file }, { CONTROL_LISTENER, 1, 1, on_listener },
    { CONTROL_PEER, 1, 1, on_peer },   { CONTROL_GO, 0, 0, on_go },     { CONTROL_RELOAD, 1, 1, on_reload },
    { CONTROL_DRAIN, 0, 0, on_drain }, { CONTROL_LOG, 1, 1, on_log },   { CONTROL_ASK, 0, 0, on_ask },
};

static const talk control_talk = { "control", rows, COUNT_OF(rows), on_closed };

bool daemon_control_start(process *d)
{
    channel c;
    if (fcntl(d->control_fd, F_GETFD) < 0) {
        log_event(LOG_ERROR, "no-start", LOG_C("reason", "this program is started by master"));
        return false;
    }
    channel_open(&c, d->loop, d->control_fd, &control_talk, d);
    loop_run(d->loop);
    bool is_started = channel_is_open(&c) && d->current != NULL;
    int fd = is_started ? dup(c.fd) : -1; /* the channel moves into the process */
    channel_close(&c);
    d->control_fd = fd;
    if (!is_started)
        log_event(LOG_ERROR, "no-start", LOG_C("reason", "master sent no whole start message"));
    return is_started;
}

void daemon_control_ready(process *d)
{
    channel_open(&d->control, d->loop, d->control_fd, &control_talk, d);
    report_put(d, CONTROL_READY);
    log_event(LOG_INFO, "started", LOG_NUM("instance", d->instance));
}
