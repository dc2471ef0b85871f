#include "os/worker_confine.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/filter.h"
#include "os/limits.h"
#include "os/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static fault refused(const char *step)
{
    return fault_make(FAULT_BUG, "3.0", "the worker cannot confine itself: %s: %s", step, strerror(errno));
}

static fault succeeded(const char *what)
{
    return fault_make(FAULT_BUG, "3.0", "the worker is not confined: it could %s", what);
}

/* For a chrooted worker the rule is "/", where there is no /etc/passwd of the host. */
static bool covers_root(const worker_walls *w)
{
    struct stat root, rule;

    if (stat("/", &root) != 0)
        return false;
    for (size_t i = 0; i < w->rule_count; i++)
        if (fstat(w->rules[i].fd, &rule) == 0 && rule.st_dev == root.st_dev && rule.st_ino == root.st_ino)
            return true;
    return false;
}

static fault landlock_raise(const worker_walls *w, sandbox_report *report)
{
    landlock_walls walls = { .rules = w->rules,
                             .rule_count = w->rule_count,
                             .leaves_files = w->runs_programs,
                             .leaves_ports = w->runs_programs,
                             .leaves_scope = w->runs_programs };
    int abi;

    fault f = landlock_confine(&walls, &abi);
    report->landlock_abi = abi;
    report->has_files_walled = abi >= 2 && !walls.leaves_files;
    report->has_ports_walled = abi >= 4 && !walls.leaves_ports;
    report->has_scope_walled = abi >= 6 && !walls.leaves_scope;
    if (!is_fault(f) && abi == 0 && w->requires_landlock && !walls.leaves_files)
        f = fault_make(FAULT_BUG, "3.0", "the worker needs Landlock, which this kernel does not have");
    return f;
}

static fault filter_raise(int fd)
{
    filter made;
    fault f = filter_read(fd, &made);

    if (!is_fault(f) && !filter_load(&made))
        f = refused("filter");
    filter_free(&made);
    return f;
}

/* The filter answers these with an error instead of death, so that trying is possible. */
static fault prove(bool may_see_files, bool has_filter)
{
    int fd = may_see_files ? -1 : (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        return succeeded("open /etc/passwd");
    if (syscall(SYS_setresuid, 0UL, 0UL, 0UL) == 0)
        return succeeded("regain uid 0");
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return succeeded("be traced");
    if (!has_filter)
        return NO_FAULT;
    if (syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0)
        return succeeded("open a socket");
    if (syscall(SYS_execve, NULL, NULL, NULL) < 0 && errno != EPERM)
        return succeeded("exec");
    return NO_FAULT;
}

/* Of a worker whose programs may do almost anything: what not even they may. */
static fault prove_programs(bool has_filter)
{
    if (syscall(SYS_setresuid, 0UL, 0UL, 0UL) == 0)
        return succeeded("regain uid 0");
    if (has_filter && (syscall(SYS_unshare, (unsigned long)CLONE_NEWUSER) == 0 || errno != EPERM))
        return succeeded("make a user namespace");
    if (has_filter && (syscall(SYS_ptrace, (long)PTRACE_TRACEME, 0L, 0L, 0L) == 0 || errno != EPERM))
        return succeeded("trace or be traced");
    return NO_FAULT;
}

fault worker_confine(const worker_walls *w)
{
    sandbox_report report = { 0 };
    const char *failed;
    bool is_whole = covers_root(w);

    if (!caps_set(0))
        return refused("capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused("no_new_privs");
    fault f = landlock_raise(w, &report);
    if (is_fault(f))
        return f;
    if ((failed = limits_apply(&w->limits, !w->runs_programs)) != NULL ||
        (!w->runs_programs && !limits_forbid_fork() && (failed = "processes")))
        return refused(failed);
    if (w->filter_fd >= 0 && is_fault(f = filter_raise(w->filter_fd)))
        return f;
    f = w->runs_programs ? prove_programs(w->filter_fd >= 0)
                         : prove(is_whole || !report.has_files_walled, w->filter_fd >= 0);
    report.is_proved = !is_fault(f);
    sandbox_note(&report);
    return f;
}
