/* The steps of a start, each with its fault, and the work that follows. Runs in: master. */
#include "base/log.h"
#include "base/secret.h"
#include "master/master.h"
#include "os/become.h"
#include "os/fd.h"
#include "os/lock.h"
#include "tls/context.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

fault master_complain(fault f)
{
    if (is_fault(f))
        fprintf(stderr, "postrider: %s\n", f.text);
    return f;
}

fault master_configuration_load(master *m)
{
    buf words = buf_new(256 * 1024);
    loaded l;
    fault f = loaded_read(m, &l, &words);
    if (!is_fault(f))
        loaded_take(m, &l);
    fputs(buf_c(&words), stderr);
    buf_free(&words);
    return f;
}

static fault tickets_seal(const char *name, int *out)
{
    char keys[TLS_TICKET_KEYS_BYTES];
    fault f = getrandom(keys, sizeof keys, 0) == sizeof keys ? NO_FAULT : fault_errno("make keys of session tickets");
    if (!is_fault(f))
        f = fd_seal(name, (str){ keys, sizeof keys }, out);
    secret_wipe(keys, sizeof keys);
    return f;
}

/* A TLS session resumes at any process of the role, also at one that was started since; never at one of another role. */
fault master_tickets_make(master *m)
{
    fault f = tickets_seal("smtp-tickets", &m->tickets_fd);
    return is_fault(f) ? f : tickets_seal("login-tickets", &m->login_tickets_fd);
}

fault master_places_make(master *m)
{
    arena a = arena_new(0);
    fault f = layout_make(m);
    str lock = arena_printf(&a, "%.*s/master.lock", STR_ARG(m->parsed->base.config.queue_directory));
    if (!is_fault(f))
        f = lock_take(AT_FDCWD, lock.p, 0644, "postrider master", &m->lock_fd);
    if (!is_fault(f))
        f = log_target_open(m->parsed, &m->log_fd);
    arena_free(&a);
    return f;
}

fault master_sockets_bind(master *m)
{
    fault f = listeners_bind(m, m->parsed);
    return is_fault(f) ? f : local_sockets_bind(m);
}

static void on_stop_signal(void *context)
{
    master_stop(context);
}

static void on_reload_signal(void *context)
{
    buf words = buf_new(64 * 1024);
    (void)master_reload(context, &words);
    if (words.n)
        log_event(LOG_WARNING, "configuration", LOG_STR("problems", buf_str(&words)));
    buf_free(&words);
}

void master_work(master *m)
{
    const config *c = &m->parsed->base.config;
    log_open(m->log_fd, c->maillog_file.n ? (log_format)c->log_format : LOG_FORMAT_SYSLOG, "master", c->log_verbose);
    log_event(LOG_INFO, "starting", LOG_STR("directory", str_c(m->directory)), LOG_NUM("generation", m->generation));
    if (!m->is_privileged)
        log_event(LOG_WARNING, "started-without-root",
                  LOG_C("weaker", "all processes share one uid and keep the root directory"));
    signal(SIGPIPE, SIG_IGN);
    signal_open(&m->on_term, m->loop, SIGTERM, on_stop_signal, m);
    signal_open(&m->on_int, m->loop, SIGINT, on_stop_signal, m);
    signal_open(&m->on_hup, m->loop, SIGHUP, on_reload_signal, m);
    ctl_open(m);
    children_match(m);
    loop_run(m->loop);
    log_event(LOG_INFO, "stopped");
    log_flush();
}
