/* master: spawns all processes, binds all ports, passes descriptors, restarts what ends. It parses configuration alone. */
#include "base/log.h"
#include "base/num.h"
#include "master/master.h"
#include "os/become.h"
#include "os/lock.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const contract master_contract = {
    .role = "master",
    .root = ROOT_HOST,
    .caps = CAPS_SETUID | CAPS_SETGID | CAPS_SETPCAP | CAPS_CHROOT | CAPS_BIND | CAPS_KILL,
    .calls = CALLS_ANY,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "ctl and every process",
};

static fault complain_if(fault f)
{
    if (is_fault(f))
        fprintf(stderr, "postrider: %s\n", f.text);
    return f;
}

static fault configuration_load(master *m)
{
    buf words = buf_new(256 * 1024);
    fault f = master_load(m, &words);
    fputs(buf_c(&words), stderr);
    buf_free(&words);
    return f;
}

static fault places_make(master *m)
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

static fault sockets_bind(master *m)
{
    fault f = listeners_bind(m);
    return is_fault(f) ? f : local_sockets_bind(m);
}

static fault privileges_drop(const master *m)
{
    identity id = { .is_privileged = m->is_privileged, .root_fd = -1, .requires_landlock = false };
    return become(&master_contract, &id);
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

static void work(master *m)
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
    admin_open(m);
    children_match(m);
    loop_run(m->loop);
    log_event(LOG_INFO, "stopped");
    log_flush();
}

static bool arguments_read(master *m, int argc, char **argv)
{
    uint64_t fd;
    int c;
    while ((c = getopt(argc, argv, "C:r:s")) != -1) {
        if (c == 'C')
            m->directory = optarg;
        else if (c == 's')
            m->requires_sandbox = true;
        else if (c == 'r' && num_parse(str_c(optarg), 3, 1000, &fd))
            m->ready_fd = (int)fd;
        else
            return false;
    }
    return optind == argc;
}

/* Each step says what is wrong; the exit status names the step. Usually run by `postrider start`. */
int main(int argc, char **argv)
{
    master m = { .directory = DEFAULT_CONFIG_DIRECTORY, .ready_fd = -1, .lock_fd = -1, .log_fd = -1,
                 .is_privileged = geteuid() == 0 };
    if (!arguments_read(&m, argc, argv)) {
        fputs("usage: master [-C config_directory] [-r ready_fd] [-s]\n", stderr);
        return 64;
    }
    umask(077);
    m.loop = loop_new();
    if (is_fault(complain_if(configuration_load(&m))))
        return 2;
    if (is_fault(complain_if(places_make(&m))))
        return 3;
    if (is_fault(complain_if(sockets_bind(&m))))
        return 4;
    if (is_fault(complain_if(privileges_drop(&m))))
        return 5;
    work(&m);
    return 0;
}
