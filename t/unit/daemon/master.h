/* A master for tests: it starts a process of `run` in a child, holds the control conversation, and waits for what the child says. */
#pragma once
#include "conf/config.h"
#include "daemon/daemon.h"
#include "ipc/talk/control.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { CHILD_UID = 20000, CONTROL_FD = 3, MASTER_DEADLINE_MS = 30000 };

typedef struct master {
    loop *loop;
    channel control;
    timer deadline;
    pid_t pid;
    int log;
    unsigned readies, reports, lost, closed;
    uint32_t generation, sessions;
    char detail[200], lost_role[40];
    bool is_late;
} master;

static master boss;

static inline bool master_report(void *context, channel *c, received *r)
{
    control_report m;
    (void)context, (void)c;
    assert_int_equal(control_report_decode(r->bytes, &m), PARSE_DONE);
    boss.reports++;
    boss.generation = m.generation;
    boss.sessions = m.sessions;
    snprintf(boss.detail, sizeof boss.detail, "%.*s", STR_ARG(m.detail));
    loop_stop(boss.loop);
    return true;
}

static inline bool master_ready(void *context, channel *c, received *r)
{
    boss.readies++;
    boss.reports--;
    return master_report(context, c, r);
}

static inline bool master_lost(void *context, channel *c, received *r)
{
    control_name m;
    (void)context, (void)c;
    assert_int_equal(control_name_decode(r->bytes, &m), PARSE_DONE);
    boss.lost++;
    snprintf(boss.lost_role, sizeof boss.lost_role, "%.*s", STR_ARG(m.name));
    loop_stop(boss.loop);
    return true;
}

static inline void master_closed(void *context, channel *c)
{
    (void)context, (void)c;
    boss.closed++;
    loop_stop(boss.loop);
}

static inline void master_late(void *context)
{
    (void)context;
    boss.is_late = true;
    loop_stop(boss.loop);
}

/* Runs the loop until something came; fails when nothing does. */
static inline void master_wait(void)
{
    timer_set(&boss.deadline, MASTER_DEADLINE_MS);
    loop_run(boss.loop);
    timer_stop(&boss.deadline);
    if (boss.is_late)
        fail_msg("the child says nothing");
}

static inline void master_begin(int (*run)(void))
{
    static const talk_row rows[] = { { CONTROL_READY, 0, 0, master_ready },
                                     { CONTROL_REPORT, 0, 0, master_report },
                                     { CONTROL_PEER_LOST, 0, 0, master_lost } };
    static const talk control = { "control", rows, COUNT_OF(rows), master_closed };
    int pair[2];
    assert_true(channel_pair(pair));
    boss = (master){ .loop = loop_new(), .log = memfd_create("log", MFD_CLOEXEC) };
    boss.pid = fork();
    if (boss.pid == 0) {
        /* An ordinary user, with what a process gets from master: 0 to 2 and the conversation. */
        if (geteuid() == 0 &&
            (setresgid(CHILD_UID, CHILD_UID, CHILD_UID) != 0 || setresuid(CHILD_UID, CHILD_UID, CHILD_UID) != 0))
            _exit(90);
        dup2(boss.log, 2);
        dup2(pair[1], CONTROL_FD);
        close_range(CONTROL_FD + 1, ~0u, 0);
        _exit(run());
    }
    close(pair[1]);
    timer_open(&boss.deadline, boss.loop, master_late, NULL);
    channel_open(&boss.control, boss.loop, pair[0], &control, NULL);
}

static inline int master_snapshot(const char *main_cf, uint64_t number)
{
    parsed p;
    int fd = -1;
    str master_cf = STR("meter unix - - - - - meter\npolicy unix - - - - - policy\ncleanup unix - - - - - cleanup\n"
                        "qmgr unix - - - - 1 qmgr\nlocal unix - - - - - local\nsmtp inet n - - - - smtpd\n");
    assert_true(config_parse(STR("/etc/x"), STR("mx.example.com"), str_c(main_cf), master_cf, &p));
    assert_false(is_fault(snapshot_seal(&p, number, &fd)));
    parsed_free(&p);
    return fd;
}

static inline void master_start(const char *main_cf)
{
    control_start m = { .generation = 1, .uid = getuid(), .gid = getgid() };
    int fds[2] = { fcntl(boss.log, F_DUPFD_CLOEXEC, 0), master_snapshot(main_cf, 1) };
    channel_put_fds(&boss.control, CONTROL_START, 0, control_start, &m, fds, 2);
}

static inline void master_name(uint16_t type, const char *name, uint32_t instance, int fd)
{
    control_name m = { .name = str_c(name), .instance = instance };
    channel_put_fds(&boss.control, type, 0, control_name, &m, &fd, 1);
}

static inline void master_say(uint16_t type)
{
    control_none m = { 0 };
    channel_put(&boss.control, type, 0, control_none, &m);
}

/* Waits for the child's end and says how it was. */
static inline int master_end(void)
{
    int status = 0;
    while (boss.closed == 0 && channel_is_open(&boss.control))
        master_wait();
    channel_close(&boss.control);
    assert_int_equal(waitpid(boss.pid, &status, 0), boss.pid);
    timer_close(&boss.deadline);
    loop_free(boss.loop);
    if (!WIFEXITED(status))
        fail_msg("the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static inline bool master_logged(const char *text)
{
    static char bytes[100000];
    ssize_t n = pread(boss.log, bytes, sizeof bytes - 1, 0);
    bytes[n > 0 ? n : 0] = '\0';
    return strstr(bytes, text) != NULL;
}
