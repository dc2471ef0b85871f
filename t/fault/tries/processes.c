/* Attempts at other processes, at new ones, and at memory that can be run. */
#include "fault/tries/tries.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096 };

static bool signal_a_sibling(const page *p)
{
    return syscall(SYS_kill, p->sibling, 0) == 0;
}

static bool signal_everybody(const page *p)
{
    (void)p;
    return syscall(SYS_kill, -1, 0) == 0;
}

static bool signal_the_parent(const page *p)
{
    (void)p;
    return syscall(SYS_kill, syscall(SYS_getppid), 0) == 0;
}

static bool signal_a_siblings_thread(const page *p)
{
    return syscall(SYS_tgkill, p->sibling, p->sibling, 0) == 0;
}

static bool signal_a_task(const page *p)
{
    return syscall(SYS_tkill, p->sibling, 0) == 0;
}

static bool queue_a_signal(const page *p)
{
    siginfo_t info = { .si_code = SI_QUEUE };

    return syscall(SYS_rt_sigqueueinfo, p->sibling, 0, &info) == 0;
}

static bool signal_by_descriptor(const page *p)
{
    long fd = syscall(SYS_pidfd_open, p->sibling, 0);

    return fd >= 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0;
}

static bool signal_by_io(const page *p)
{
    int ends[2];

    return syscall(SYS_pipe2, ends, 0) == 0 && syscall(SYS_fcntl, ends[0], F_SETOWN, (long)p->sibling) == 0;
}

static bool take_a_descriptor(const page *p)
{
    long fd = syscall(SYS_pidfd_open, p->sibling, 0);

    return syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
}

static bool trace_a_sibling(const page *p)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, (long)p->sibling, 0UL, 0UL) == 0;
}

static bool be_traced(const page *p)
{
    (void)p;
    return syscall(SYS_ptrace, PTRACE_TRACEME, 0UL, 0UL, 0UL) == 0;
}

static bool read_a_sibling(const page *p)
{
    char byte;
    struct iovec here = { &byte, 1 }, there = { NULL, 1 };

    return was_let_in(syscall(SYS_process_vm_readv, (long)p->sibling, &here, 1UL, &there, 1UL, 0UL));
}

static bool write_a_sibling(const page *p)
{
    char byte = 0;
    struct iovec here = { &byte, 1 }, there = { NULL, 1 };

    return was_let_in(syscall(SYS_process_vm_writev, (long)p->sibling, &here, 1UL, &there, 1UL, 0UL));
}

static bool compare_siblings(const page *p)
{
    return was_let_in(syscall(SYS_kcmp, (long)getpid(), (long)p->sibling, KCMP_VM, 0UL, 0UL));
}

static bool limit_a_sibling(const page *p)
{
    struct rlimit old;

    return syscall(SYS_prlimit64, p->sibling, RLIMIT_NOFILE, NULL, &old) == 0;
}

static bool slow_a_sibling(const page *p)
{
    return syscall(SYS_setpriority, PRIO_PROCESS, p->sibling, 19) == 0;
}

static bool start_a_process(const page *p)
{
    (void)p;
    long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool start_a_process_by_fork(const page *p)
{
    (void)p;
    long pid = syscall(SYS_fork);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool start_a_process_by_clone3(const page *p)
{
    struct clone_args a = { .exit_signal = SIGCHLD };
    (void)p;
    long pid = syscall(SYS_clone3, &a, sizeof a);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

/* A path that cannot be read: the kernel would get as far as that. */
static bool execute(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_execve, NULL, NULL, NULL));
}

static bool execute_a_descriptor(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_execveat, -1, "", NULL, NULL, AT_EMPTY_PATH));
}

static bool raise_the_limit_of_processes(const page *p)
{
    struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
    (void)p;
    return syscall(SYS_prlimit64, 0, RLIMIT_NPROC, &most, NULL) == 0;
}

static bool be_dumped(const page *p)
{
    (void)p;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool run_written_memory(const page *p)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)p;
    return at != MAP_FAILED && syscall(SYS_mprotect, at, PAGE, PROT_READ | PROT_EXEC) == 0;
}

static bool run_written_memory_by_key(const page *p)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)p;
    return at != MAP_FAILED && syscall(SYS_pkey_mprotect, at, PAGE, PROT_READ | PROT_EXEC, -1) == 0;
}

static bool map_writable_code(const page *p)
{
    (void)p;
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool map_written_file(const page *p)
{
    int fd = (int)syscall(SYS_memfd_create, "code", 0);
    (void)p;
    return fd >= 0 && syscall(SYS_write, fd, "\xc3", 1) == 1 &&
           mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED;
}

static bool share_executable_memory(const page *p)
{
    long id = syscall(SYS_shmget, IPC_PRIVATE, (size_t)PAGE, IPC_CREAT | 0700);
    (void)p;
    if (id < 0)
        return false;
    long at = syscall(SYS_shmat, id, NULL, SHM_EXEC);
    syscall(SYS_shmctl, id, IPC_RMID, NULL);
    return at != -1;
}

static bool change_personality(const page *p)
{
    unsigned long read_implies_exec = 0x0400000;
    (void)p;
    return syscall(SYS_personality, read_implies_exec) >= 0;
}

const attempt process_attempts[] = {
    { "signal a sibling", MASTER, signal_a_sibling },
    { "signal every process", MASTER | PROGRAMS, signal_everybody },
    { "signal its parent", MASTER, signal_the_parent },
    { "signal a thread of a sibling", MASTER, signal_a_siblings_thread },
    { "signal a task", MASTER, signal_a_task },
    { "queue a signal", MASTER, queue_a_signal },
    { "signal by a descriptor", MASTER, signal_by_descriptor },
    { "signal by F_SETOWN", MASTER | PROGRAMS, signal_by_io },
    { "take a descriptor of a sibling", 0, take_a_descriptor },
    { "trace a sibling", 0, trace_a_sibling },
    { "be traced", 0, be_traced },
    { "read the memory of a sibling", 0, read_a_sibling },
    { "write the memory of a sibling", 0, write_a_sibling },
    { "compare itself with a sibling", 0, compare_siblings },
    { "look at the limits of a sibling", MASTER | PROGRAMS, limit_a_sibling },
    { "slow a sibling", 0, slow_a_sibling },
    { "start a process", SPAWNS | MASTER | PROGRAMS, start_a_process },
    { "start a process by fork", SPAWNS | MASTER | PROGRAMS, start_a_process_by_fork },
    { "start a process by clone3", MASTER, start_a_process_by_clone3 },
    { "exec", SPAWNS | MASTER | PROGRAMS, execute },
    { "exec a descriptor", SPAWNS | MASTER | PROGRAMS, execute_a_descriptor },
    { "raise the limit of processes", SPAWNS | MASTER | PROGRAMS, raise_the_limit_of_processes },
    { "be dumped", SPAWNS | MASTER | PROGRAMS, be_dumped },
    { "run memory that it wrote", MASTER | PROGRAMS, run_written_memory },
    { "run memory that it wrote, by a key", SPAWNS | MASTER | PROGRAMS, run_written_memory_by_key },
    { "map memory to write and run", MASTER | PROGRAMS, map_writable_code },
    { "map a written file to run", SPAWNS | MASTER | PROGRAMS, map_written_file },
    { "share memory to run", MASTER | PROGRAMS, share_executable_memory },
    { "make what it reads executable", MASTER | PROGRAMS, change_personality },
};
const size_t process_attempt_count = sizeof process_attempts / sizeof *process_attempts;
