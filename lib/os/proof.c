#include "os/proof.h"
#include "os/fd.h"
#include "os/limits.h"
#include "os/proof_tries.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct progress { /* shared with the child that tries */
    volatile size_t next;
    volatile int succeeded; /* the try, or -1 */
    volatile bool is_loaded;
    volatile int error;
} progress;

static bool is_same_folder(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool has_rule(int fd, const landlock_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_folder(fd, rules[i].fd))
            return true;
    return false;
}

/* Whether a rule names the folder or one above it. `folder` is closed. */
static bool folder_is_covered(int folder, const landlock_rule *rules, size_t count)
{
    bool is_covered = false, is_top = false;

    while (folder >= 0 && !is_covered && !is_top) {
        is_covered = has_rule(folder, rules, count);
        int above = openat(folder, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        is_top = above >= 0 && is_same_folder(folder, above);
        fd_close(&folder);
        folder = above;
    }
    fd_close(&folder);
    return is_covered;
}

static bool is_covered(const char *path, const landlock_rule *rules, size_t count)
{
    char folder[64];
    size_t n = str_find_last(str_c(path), '/');
    int file = open(path, O_PATH | O_CLOEXEC);

    bool is_named = file < 0 || has_rule(file, rules, count);
    fd_close(&file);
    if (is_named)
        return true;
    snprintf(folder, sizeof folder, "%.*s", n > 0 ? (int)n : 1, path);
    return folder_is_covered(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), rules, count);
}

void proof_prepare(proof_context *p, const landlock_rule *rules, size_t rule_count)
{
    static const char *const candidates[] = { "/etc/passwd", "/proc/version", "/usr/bin/env", "/bin/sh",
                                              "/etc/hostname" };

    p->outside[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(candidates) && p->outside[0] == '\0'; i++)
        if (access(candidates[i], R_OK) == 0 && !is_covered(candidates[i], rules, rule_count))
            snprintf(p->outside, sizeof p->outside, "%s", candidates[i]);
}

static jmp_buf refusal; /* of the child that tries */

static void on_refusal(int signal_number)
{
    (void)signal_number;
    longjmp(refusal, 1);
}

/* In the child. Signals that it dies of do so: where there are no 32-bit calls the CPU knows of none. */
static bool walls_raise(const proof_context *p, const filter *f)
{
    struct sigaction refused = { .sa_handler = on_refusal, .sa_flags = SA_NODEFER };
    signal(SIGSEGV, SIG_DFL);
    return sigaction(SIGSYS, &refused, NULL) == 0 && (!p->forbids_fork || limits_forbid_fork()) && filter_load(f);
}

/* In the child, which ends here or in a try. */
static void tries_run(const proof_context *p, const filter *f, progress *g)
{
    g->is_loaded = walls_raise(p, f);
    g->error = errno;
    while (g->is_loaded && g->next < proof_try_count && g->succeeded < 0) {
        size_t number = g->next++;
        const proof_try *t = &proof_tries[number];
        if (setjmp(refusal) == 0 && t->applies(p) && t->succeeds(p))
            g->succeeded = (int)number;
    }
    if (setjmp(refusal) == 0)
        syscall(SYS_exit_group, 0);
    __builtin_trap();
}

/* One child, which goes on from where the last one died. */
static fault child_try(const proof_context *p, const filter *walls, progress *g)
{
    int status;
    pid_t pid = fork();

    if (pid < 0)
        return fault_errno("%s: cannot fork the proof of its walls", p->contract->role);
    if (pid == 0)
        tries_run(p, walls, g);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fault_errno("%s: the proof of its walls is lost", p->contract->role);
    return NO_FAULT;
}

fault proof_run(const proof_context *p)
{
    progress *g = mmap(NULL, sizeof *g, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fault f = NO_FAULT;

    if (g == MAP_FAILED)
        return fault_errno("%s: no memory for the proof of its walls", p->contract->role);
    filter trapping = filter_trapping(p->filter);
    g->succeeded = -1;
    while (g->next < proof_try_count && g->succeeded < 0 && !is_fault(f)) {
        size_t before = g->next;
        g->is_loaded = false;
        f = child_try(p, before == 0 ? p->filter : &trapping, g);
        if (!is_fault(f) && !g->is_loaded)
            f = fault_make(FAULT_BUG, "3.0", "%s: the filter cannot be loaded: %s", p->contract->role,
                           strerror(g->error));
        else if (!is_fault(f) && g->next == before)
            f = fault_make(FAULT_BUG, "3.0", "%s: the filter stops what it must allow", p->contract->role);
    }
    if (!is_fault(f) && g->succeeded >= 0)
        f = fault_make(FAULT_BUG, "3.0", "%s is not confined: it could %s", p->contract->role,
                       proof_tries[g->succeeded].name);
    filter_free(&trapping);
    munmap(g, sizeof *g);
    return f;
}
