/* A master without root on a folder of its own, in a loop of the test. Its processes do nothing: they wait until they are killed,
 * and the test holds their ends of the control conversations. */
#pragma once
#include "ipc/talk/control.h"
#include "master/master.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { ENDS_MAX = 100, PEERS_MAX = 64 };

typedef struct process_end {
    char role[20];
    pid_t pid;
    channel channel;
    uint32_t generation;
    unsigned starts, listeners, gos, reloads, drains, asks, logs, lost;
    char peers[PEERS_MAX][24]; /* "qmgr/0" */
    size_t peer_count;
} process_end;

static struct world {
    master master;
    timer stop;
    char folder[40];
    uint16_t port;
    process_end *ends[ENDS_MAX];
    size_t end_count;
    bool spawn_fails;
    char environment[500]; /* of the last process: each variable and a newline */
} * w;

static void on_world_stop(void *context)
{
    loop_stop(context);
}

static inline void rounds(void)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->master.loop);
    }
}

static bool end_start(void *context, channel *c, received *r)
{
    process_end *e = context;
    control_start m;
    (void)c;
    assert_int_equal(control_start_decode(r->bytes, &m), PARSE_DONE);
    e->generation = m.generation;
    e->starts++;
    return true;
}

static bool end_reload(void *context, channel *c, received *r)
{
    process_end *e = context;
    control_reload m;
    (void)c;
    assert_int_equal(control_reload_decode(r->bytes, &m), PARSE_DONE);
    e->generation = m.generation;
    e->reloads++;
    return true;
}

static bool end_peer(void *context, channel *c, received *r)
{
    process_end *e = context;
    control_name m;
    (void)c;
    assert_int_equal(control_name_decode(r->bytes, &m), PARSE_DONE);
    assert_true(e->peer_count < PEERS_MAX);
    snprintf(e->peers[e->peer_count++], sizeof e->peers[0], "%.*s/%u", STR_ARG(m.name), m.instance);
    return true;
}

#define END_COUNTS(name, member)                             \
    static bool name(void *context, channel *c, received *r) \
    {                                                        \
        (void)c, (void)r;                                    \
        ((process_end *)context)->member++;                  \
        return true;                                         \
    }
END_COUNTS(end_listener, listeners)
END_COUNTS(end_go, gos)
END_COUNTS(end_drain, drains)
END_COUNTS(end_ask, asks)
END_COUNTS(end_log, logs)

static bool end_file(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    return true;
}

static const talk_row end_rows[] = {
    { CONTROL_START, 2, 2, end_start }, { CONTROL_FILE, 1, 1, end_file }, { CONTROL_LISTENER, 1, 1, end_listener },
    { CONTROL_PEER, 1, 1, end_peer },   { CONTROL_GO, 0, 0, end_go },     { CONTROL_RELOAD, 1, 1, end_reload },
    { CONTROL_DRAIN, 0, 0, end_drain }, { CONTROL_LOG, 1, 1, end_log },   { CONTROL_ASK, 0, 0, end_ask },
};
static const talk end_talk = { "end", end_rows, COUNT_OF(end_rows), NULL };

static fault world_spawn(const spawn_plan *plan, spawned *out)
{
    if (w->spawn_fails)
        return fault_make(FAULT_TRY_LATER, "3.0", "no more processes");
    pid_t pid = fork();
    if (pid == 0) {
        close_range(0, ~0U, 0);
        for (;;)
            pause();
    }
    w->environment[0] = '\0';
    for (char *const *v = plan->envp; *v; v++)
        snprintf(w->environment + strlen(w->environment), sizeof w->environment - strlen(w->environment), "%s\n", *v);
    process_end *e = w->ends[w->end_count++] = calloc(1, sizeof *e);
    assert_true(pid > 0 && w->end_count < ENDS_MAX);
    snprintf(e->role, sizeof e->role, "%s", plan->argv[0]);
    e->pid = pid;
    channel_open(&e->channel, w->master.loop, fcntl(plan->fds[1].source, F_DUPFD_CLOEXEC, 0), &end_talk, e);
    *out = (spawned){ .pid = pid, .pidfd = pidfd_open(pid, 0) };
    assert_true(out->pidfd >= 0);
    return NO_FAULT;
}

static inline const char *file_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    return path;
}

__attribute__((format(printf, 2, 3))) static inline void file_put(const char *name, const char *format, ...)
{
    va_list args;
    FILE *f = fopen(file_of(name), "w");
    assert_non_null(f);
    va_start(args, format);
    vfprintf(f, format, args);
    va_end(args);
    fclose(f);
}

#define MAIN_CF                                                                                                  \
    "queue_directory = %s/spool\ndaemon_directory = %s\nmaillog_file = %s/log\nmyhostname = mx.example.test\n"   \
    "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nrestart_backoff_initial = 0\nrestart_backoff_max = 1\n" \
    "system_users = no\nuser_file = %s/users\nalias_maps =\nalias_database =\nlocal_recipient_maps =\n"
#define MAIN_CF_ARGS w->folder, w->folder, w->folder, w->folder

#define OTHERS_CF                                                                                                      \
    "meter unix y - y - 1 meter\npolicy unix y - y - 1 policy\nqmgr unix y - y - 1 qmgr\nlocal unix y - n - 1 local\n" \
    "auth unix y - y - 1 auth\npam unix y - n - 1 pam\n"
#define MASTER_CF OTHERS_CF "cleanup unix y - y - 2 cleanup\n127.0.0.1:%u inet n - y - - smtpd\n"

static inline uint16_t port_free(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static int setup(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/test-master-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->port = port_free();
    file_put("main.cf", MAIN_CF, MAIN_CF_ARGS);
    file_put("master.cf", MASTER_CF, w->port);
    file_put("local-worker", "an executable");
    file_put("pipe-worker", "an executable");
    master *m = &w->master;
    *m = (master){ .directory = w->folder,
                   .ready_fd = -1,
                   .lock_fd = -1,
                   .log_fd = -1,
                   .tickets_fd = -1,
                   .login_tickets_fd = -1,
                   .cpus = 1,
                   .ctl_fd = -1,
                   .loop = loop_new(),
                   .spawn = world_spawn };
    timer_open(&w->stop, m->loop, on_world_stop, m->loop);
    return 0;
}

/* The configuration is read, the folders are made, nothing runs. */
static inline void world_load(void)
{
    assert_false(is_fault(master_complain(master_configuration_load(&w->master))));
    assert_false(is_fault(master_complain(master_places_make(&w->master))));
}

static inline process_end *end_last(const char *name)
{
    for (size_t i = w->end_count; i-- > 0;)
        if (strcmp(w->ends[i]->role, name) == 0)
            return w->ends[i];
    return NULL;
}

static inline size_t end_spawns(const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < w->end_count; i++)
        n += strcmp(w->ends[i]->role, name) == 0;
    return n;
}

static inline child *child_of(const process_end *e)
{
    for (child *c = w->master.children; c; c = c->next)
        if (c->pid == e->pid)
            return c;
    return NULL;
}

static inline void report_put(process_end *e, uint16_t type, const char *detail)
{
    control_report m = { .generation = e->generation, .detail = str_c(detail) };
    channel_put(&e->channel, type, 0, control_report, &m);
    rounds();
}

static inline void say_ready(process_end *e)
{
    report_put(e, CONTROL_READY, "");
}

static inline void ready_all(void)
{
    for (size_t i = 0; i < w->end_count; i++)
        if (channel_is_open(&w->ends[i]->channel))
            say_ready(w->ends[i]);
}

/* The process ends; master has seen it when this returns. */
static inline void end_kill(process_end *e)
{
    channel_close(&e->channel);
    kill(e->pid, SIGKILL);
    for (int i = 0; i < 1000 && child_of(e); i++)
        rounds();
    assert_null(child_of(e));
}

static int teardown(void **state)
{
    char command[100];
    master *m = &w->master;
    (void)state;
    m->is_stopping = true; /* nothing is started again */
    for (size_t i = 0; i < w->end_count; i++) {
        if (child_of(w->ends[i]))
            end_kill(w->ends[i]);
        free(w->ends[i]);
    }
    for (child *c = m->children; c; c = c->next)
        child_event_put(c, EVENT_DRAIN);
    rounds();
    assert_null(m->children);
    while (m->listeners) {
        net_listener *l = m->listeners;
        m->listeners = l->next;
        close(l->fd);
        free((char *)(uintptr_t)l->key);
        free((char *)(uintptr_t)l->address);
        free(l);
    }
    while (m->sockets) {
        local_socket *s = m->sockets;
        m->sockets = s->next;
        close(s->fd);
        free(s);
    }
    if (m->generation > 0)
        loaded_drop(&(loaded){ m->parsed, m->snapshot_fd, m->cert_fd, m->key_fd, m->login_cert_fd, m->login_key_fd });
    close(m->log_fd);
    close(m->lock_fd);
    close(m->ctl_fd);
    vec_free(&m->relinks);
    loop_free(m->loop);
    snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
