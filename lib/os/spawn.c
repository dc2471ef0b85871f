#include "os/spawn.h"
#include "os/caps.h"
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, EXIT_BASE = 240, SIGNALS_END = 65 };

typedef enum step {
    STEP_NONE,
    STEP_SIGNALS,
    STEP_FDS,
    STEP_SESSION,
    STEP_ROOT,
    STEP_FOLDER,
    STEP_GROUPS,
    STEP_GID,
    STEP_UID,
    STEP_CAPS,
    STEP_EXEC,
    STEP_COUNT
} step;

static const char *const step_names[STEP_COUNT] = {
    [STEP_SIGNALS] = "signals", [STEP_FDS] = "descriptors",  [STEP_SESSION] = "setsid", [STEP_ROOT] = "chroot",
    [STEP_FOLDER] = "chdir",    [STEP_GROUPS] = "setgroups", [STEP_GID] = "setresgid",  [STEP_UID] = "setresuid",
    [STEP_CAPS] = "capset",     [STEP_EXEC] = "exec",
};

typedef struct child {
    const spawn_plan *plan;
    bool roots_first; /* uid 0 loses SYS_CHROOT with its id; a spawner keeps it (NO_SETUID_FIXUP) */
    int exec_fd, root_fd, folder_fd, null_fd, fds[SPAWN_FDS_MAX]; /* moved out of the way of the targets */
    volatile step failed;
    volatile int error;
} child;

bool spawn_can_root(void)
{
#if defined(POSTRIDER_SANITIZED) || !defined(__OPTIMIZE__)
    return false;
#else
    return true;
#endif
}

/* From here to child_run: only what is async-signal-safe, as memory may be shared with the parent. */
static bool signals_reset(void)
{
    struct sigaction standard = { .sa_handler = SIG_DFL };
    sigset_t none;

    for (int signal = 1; signal < SIGNALS_END; signal++)
        sigaction(signal, &standard, NULL); /* refused for KILL, STOP and the C library's own, which exec resets */
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool fd_lift(int *fd)
{
    if (*fd >= 0)
        *fd = fcntl(*fd, F_DUPFD_CLOEXEC, SPAWN_TARGETS_MAX);
    return *fd >= 0;
}

/* All is marked close-on-exec; what the plan names is lifted above all targets, then put on them without the mark. 0,
 * 1 and 2 are always open, or the next file opened would become somebody's standard error. */
static bool fds_arrange(child *c)
{
    const spawn_plan *p = c->plan;

    if (close_range(0, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return false;
    for (size_t i = 0; i < p->fd_count; i++)
        if (c->fds[i] = p->fds[i].source, !fd_lift(&c->fds[i]))
            return false;
    if ((p->exec_fd >= 0 && !fd_lift(&c->exec_fd)) || (p->root_fd >= 0 && !fd_lift(&c->root_fd)) ||
        (p->folder_fd >= 0 && !fd_lift(&c->folder_fd)))
        return false;
    if (!fd_lift(&c->null_fd))
        return false;
    for (int standard = 0; standard <= STDERR_FILENO; standard++)
        if (dup3(c->null_fd, standard, 0) < 0)
            return false;
    for (size_t i = 0; i < p->fd_count; i++)
        if (dup3(c->fds[i], p->fds[i].target, 0) < 0)
            return false;
    return true;
}

static bool root_change_path(const char *path)
{
    if (chdir(path) != 0 && (errno != ENOENT || mkdir(path, 0700) != 0 || chdir(path) != 0))
        return false;
    return chroot(".") == 0;
}

static bool root_change(const child *c)
{
    if (c->plan->root_path && spawn_can_root())
        return root_change_path(c->plan->root_path);
    return c->root_fd < 0 || !spawn_can_root() || (fchdir(c->root_fd) == 0 && chroot(".") == 0);
}

/* Raw calls with whole registers: the filter compares all 64 bits, and the C library would tell other threads. */
static bool gid_change(unsigned long gid)
{
    return syscall(SYS_setresgid, gid, gid, gid) == 0;
}

/* O_EXCL follows no link and takes nothing that is there. */
static void file_make(const char *path)
{
    mode_t before = umask(0);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
    umask(before);
    if (fd >= 0)
        close(fd);
}

/* The group of a file to be made goes before anything else of the user's happens. */
static step ids_change(const spawn_plan *p)
{
    unsigned long uid = p->uid;
    bool has_group = p->makes_path && p->makes_gid != p->gid;

    if (syscall(SYS_setgroups, 0UL, NULL) != 0)
        return STEP_GROUPS;
    if (!gid_change(has_group ? p->makes_gid : p->gid))
        return STEP_GID;
    if (syscall(SYS_setresuid, uid, uid, uid) != 0)
        return STEP_UID;
    if (has_group)
        file_make(p->makes_path);
    return gid_change(p->gid) ? STEP_NONE : STEP_GID;
}

static step child_steps(child *c)
{
    const spawn_plan *p = c->plan;
    static char *const nothing[] = { NULL };
    char *const *envp = p->envp ? p->envp : nothing;
    step failed = STEP_NONE;

    if (!fds_arrange(c))
        return STEP_FDS;
    if (p->starts_session && setsid() < 0)
        return STEP_SESSION;
    if (c->roots_first && !root_change(c))
        return STEP_ROOT;
    if (p->changes_ids && (failed = ids_change(p)) != STEP_NONE)
        return failed;
    if (p->makes_path && !(p->changes_ids && p->makes_gid != p->gid))
        file_make(p->makes_path);
    if (!c->roots_first && !root_change(c))
        return STEP_ROOT;
    if (c->folder_fd >= 0 && fchdir(c->folder_fd) != 0)
        return STEP_FOLDER;
    if (p->drops_caps && !caps_set(0))
        return STEP_CAPS;
    if (!signals_reset())
        return STEP_SIGNALS;
    if (p->exec_fd >= 0)
        syscall(SYS_execveat, c->exec_fd, "", p->argv, envp, AT_EMPTY_PATH);
    else
        execve(p->path, p->argv, envp);
    return STEP_EXEC;
}

static int child_run(void *context)
{
    child *c = context;

    step failed = child_steps(c);
    c->error = errno;
    c->failed = failed;
    syscall(SYS_exit_group, EXIT_BASE + (int)failed); /* no handlers, no flushing: they are the parent's */
    return 0;
}

static fault plan_check(const spawn_plan *p)
{
    if (p->fd_count > SPAWN_FDS_MAX)
        return fault_make(FAULT_BUG, "3.0", "more than %d descriptors to hand down", SPAWN_FDS_MAX);
    for (size_t i = 0; i < p->fd_count; i++)
        if (p->fds[i].target < 0 || p->fds[i].target >= SPAWN_TARGETS_MAX || p->fds[i].source < 0)
            return fault_make(FAULT_BUG, "3.0", "descriptor %d cannot be handed down as %d", p->fds[i].source,
                              p->fds[i].target);
    if (p->makes_path && p->changes_ids && !p->drops_caps)
        return fault_make(FAULT_BUG, "3.0", "a child that makes a file must drop its capabilities");
    if (p->changes_ids && (p->uid == 0 || p->uid == (uid_t)-1 || p->gid == (gid_t)-1))
        return fault_make(FAULT_BUG, "3.0", "no child is started as uid %u, gid %u", p->uid, p->gid);
    return NO_FAULT;
}

static pid_t child_start(child *c, int *pidfd)
{
    _Alignas(16) char stack[STACK_BYTES];
    sigset_t all, before;
    int flags = SIGCHLD | (c->plan->skips_pidfd ? 0 : CLONE_PIDFD);

    if (!c->plan->changes_ids)
        flags |= CLONE_VM | CLONE_VFORK;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(child_run, stack + sizeof stack, flags, c, pidfd);
    int number = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return pid;
}

/* /dev/null, or an empty memory file where Landlock hides it. */
static int nothing_open(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : memfd_create("null", MFD_CLOEXEC);
}

fault spawn(const spawn_plan *plan, spawned *out)
{
    child c = { .plan = plan, .exec_fd = plan->exec_fd, .root_fd = plan->root_fd, .folder_fd = plan->folder_fd };
    const char *name = plan->path ? plan->path : plan->argv[0];

    *out = (spawned){ .pid = -1, .pidfd = -1 };
    fault f = plan_check(plan);
    if (is_fault(f))
        return f;
    c.roots_first = geteuid() == 0;
    int null_fd = c.null_fd = nothing_open();
    out->pid = child_start(&c, &out->pidfd);
    fd_close(&null_fd); /* ours: a child that shares memory has put its own number into c */
    if (out->pid < 0)
        return fault_errno("cannot start %s", name);
    out->is_rooted = (plan->root_fd >= 0 || plan->root_path) && spawn_can_root();
    if (c.failed == STEP_NONE) /* always, when it shares no memory with us */
        return NO_FAULT;
    while (waitpid(out->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    fd_close(&out->pidfd);
    out->pid = -1;
    errno = c.error;
    return fault_errno("cannot start %s: %s", name, step_names[c.failed]);
}

static int step_of(int wait_status)
{
    int failed = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) - EXIT_BASE : STEP_NONE;
    return failed > STEP_NONE && failed < STEP_COUNT ? failed : STEP_NONE;
}

const char *spawn_failure(int wait_status)
{
    int failed = step_of(wait_status);
    return failed == STEP_NONE ? NULL : step_names[failed];
}

bool spawn_had_no_root(int wait_status)
{
    return step_of(wait_status) == STEP_ROOT;
}

const char *spawn_status_text(int wait_status, char *out, size_t out_size)
{
    const char *failed = spawn_failure(wait_status);

    if (failed)
        snprintf(out, out_size, "could not be started: %s", failed);
    else if (WIFEXITED(wait_status))
        snprintf(out, out_size, "exit status %d", WEXITSTATUS(wait_status));
    else if (WIFSIGNALED(wait_status))
        snprintf(out, out_size, "signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        snprintf(out, out_size, "wait status %#x", (unsigned)wait_status);
    return out;
}
