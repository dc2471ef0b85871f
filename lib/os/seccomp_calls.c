#include "os/seccomp_calls.h"
#include <errno.h>

enum {
    LOOP = CALLS_LOOP,
    CONTENT = CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB | CALLS_SPAWN,
    OPEN = CALLS_READ_FILES | CALLS_FILES | CALLS_SPAWN, /* SPAWN: the loader of the child's executable runs under the filter */
    FILES = CALLS_FILES,
    SPAWN = CALLS_SPAWN,
    NET = CALLS_CONNECT | CALLS_RESOLVE | CALLS_UNIX,
    THREADS = CALLS_THREADS | CALLS_SPAWN,
#ifdef POSTRIDER_SANITIZED
    SANITIZER = CALLS_LOOP,
#else
    SANITIZER = 0,
#endif
};

const call_row seccomp_calls[] = {
    { "read", LOOP }, { "write", LOOP }, { "readv", LOOP }, { "writev", LOOP }, { "close", LOOP },
    { "sendmsg", LOOP }, { "recvmsg", LOOP }, { "sendto", LOOP }, { "recvfrom", LOOP }, { "shutdown", LOOP },
    { "getsockopt", LOOP }, { "setsockopt", LOOP }, { "getsockname", LOOP }, { "getpeername", LOOP },
    { "epoll_wait", LOOP }, { "epoll_pwait", LOOP }, { "epoll_pwait2", LOOP }, { "epoll_ctl", LOOP },
    { "epoll_create1", LOOP }, { "poll", LOOP }, { "ppoll", LOOP }, { "pipe2", LOOP }, { "eventfd2", LOOP },
    { "timerfd_create", LOOP }, { "timerfd_settime", LOOP }, { "timerfd_gettime", LOOP }, { "signalfd4", LOOP },
    { "brk", LOOP }, { "mmap", LOOP }, { "munmap", LOOP }, { "mremap", LOOP }, { "madvise", LOOP }, { "mprotect", LOOP },
    { "futex", LOOP }, { "getrandom", LOOP }, { "clock_gettime", LOOP }, { "clock_getres", LOOP }, { "gettimeofday", LOOP },
    { "time", LOOP }, { "nanosleep", LOOP }, { "clock_nanosleep", LOOP }, { "restart_syscall", LOOP },
    { "rt_sigreturn", LOOP }, { "rt_sigaction", LOOP }, { "rt_sigprocmask", LOOP }, { "rt_sigpending", LOOP },
    { "rt_sigtimedwait", LOOP }, { "sigaltstack", LOOP }, { "tgkill", LOOP }, { "exit", LOOP }, { "exit_group", LOOP },
    { "getpid", LOOP }, { "gettid", LOOP }, { "getppid", LOOP }, { "getuid", LOOP }, { "geteuid", LOOP },
    { "getgid", LOOP }, { "getegid", LOOP }, { "getresuid", LOOP }, { "getresgid", LOOP }, { "getrusage", LOOP },
    { "getcpu", LOOP }, { "sched_yield", LOOP }, { "sched_getaffinity", LOOP }, { "sysinfo", LOOP }, { "uname", LOOP },
    { "fcntl", LOOP }, { "ioctl", LOOP }, { "prctl", LOOP }, { "prlimit64", LOOP }, { "fstat", LOOP },
    { "newfstatat", LOOP }, { "lseek", LOOP }, { "dup", LOOP }, { "set_robust_list", LOOP }, { "rseq", LOOP },

    { "accept4", CALLS_ACCEPT | CALLS_UNIX }, { "accept", CALLS_ACCEPT | CALLS_UNIX },

    { "socketpair", CALLS_RECEIVE | SPAWN }, { "sendmmsg", CALLS_RECEIVE | CALLS_RESOLVE },
    { "recvmmsg", CALLS_RECEIVE | CALLS_RESOLVE },

    { "pread64", CONTENT }, { "pwrite64", CONTENT }, { "preadv", CONTENT }, { "pwritev", CONTENT },
    { "preadv2", CONTENT }, { "pwritev2", CONTENT }, { "fsync", CONTENT }, { "fdatasync", CONTENT },
    { "ftruncate", CONTENT }, { "fallocate", CONTENT }, { "fadvise64", CONTENT }, { "sync_file_range", CONTENT },
    { "sendfile", CONTENT }, { "copy_file_range", CONTENT }, { "memfd_create", CONTENT | CALLS_RECEIVE },

    { "openat", OPEN }, { "open", OPEN }, { "openat2", OPEN }, { "stat", OPEN }, { "lstat", OPEN }, { "statx", OPEN },
    { "statfs", OPEN }, { "fstatfs", OPEN }, { "getdents64", OPEN }, { "readlink", OPEN }, { "readlinkat", OPEN },
    { "access", OPEN }, { "faccessat", OPEN }, { "faccessat2", OPEN }, { "getcwd", OPEN },

    { "rename", FILES }, { "renameat", FILES }, { "renameat2", FILES }, { "unlink", FILES }, { "unlinkat", FILES },
    { "rmdir", FILES }, { "mkdir", FILES }, { "mkdirat", FILES }, { "link", FILES }, { "linkat", FILES },
    { "fchmod", FILES }, { "fchown", FILES }, { "utimensat", FILES }, { "umask", FILES | SPAWN },
    { "flock", FILES | CALLS_READ_FILES | CALLS_LMDB },

    { "inotify_init1", CALLS_INOTIFY }, { "inotify_add_watch", CALLS_INOTIFY }, { "inotify_rm_watch", CALLS_INOTIFY },

    { "msync", CALLS_LMDB }, { "mincore", CALLS_LMDB }, { "fchdir", CALLS_LMDB | CALLS_INOTIFY }, /* LMDB and inotify take paths */

    { "socket", NET }, { "connect", NET }, { "bind", NET }, { "listen", CALLS_UNIX },

    { "clone", THREADS }, { "clone3", THREADS }, { "set_tid_address", THREADS }, { "membarrier", THREADS },

    { "vfork", SPAWN }, { "fork", SPAWN }, { "execve", SPAWN }, { "execveat", SPAWN }, { "wait4", SPAWN }, { "waitid", SPAWN },
    { "pidfd_open", SPAWN }, { "pidfd_send_signal", SPAWN }, { "setresuid", SPAWN }, { "setresgid", SPAWN },
    { "setgroups", SPAWN }, { "setsid", SPAWN }, { "setpgid", SPAWN }, { "chroot", SPAWN }, { "chdir", SPAWN },
    { "fchdir", SPAWN }, { "capget", SPAWN }, { "capset", SPAWN }, { "close_range", SPAWN }, { "dup2", SPAWN },
    { "dup3", SPAWN }, { "arch_prctl", SPAWN }, { "seccomp", SPAWN }, { "landlock_create_ruleset", SPAWN },
    { "landlock_add_rule", SPAWN }, { "landlock_restrict_self", SPAWN }, { "getgroups", SPAWN },

    { "readlink", SANITIZER }, { "wait4", SANITIZER & CALLS_SPAWN }, { "getcwd", SANITIZER }, { "arch_prctl", SANITIZER },
};
const size_t seccomp_call_count = sizeof seccomp_calls / sizeof *seccomp_calls;

/* Libraries look for files and sockets that need not be there; they live on with an error. */
const soft_row seccomp_soft[] = {
    { "openat", ENOENT, false }, { "open", ENOENT, false }, { "openat2", ENOENT, false }, { "stat", ENOENT, false },
    { "lstat", ENOENT, false }, { "statx", ENOENT, false }, { "statfs", ENOENT, false }, { "access", ENOENT, false },
    { "faccessat", ENOENT, false }, { "faccessat2", ENOENT, false }, { "readlink", ENOENT, false },
    { "readlinkat", ENOENT, false }, { "getcwd", ENOENT, false }, { "mkdir", ENOENT, false }, { "mkdirat", ENOENT, false },
    { "socket", EACCES, false }, { "clone3", ENOSYS, false }, { "membarrier", ENOSYS, false }, { "mlock", EPERM, false },
    { "mlock2", EPERM, false }, { "munlock", EPERM, false }, { "sched_setscheduler", EPERM, false },
    { "sched_setaffinity", EPERM, false }, { "close_range", ENOSYS, false },
    { "execve", EPERM, true }, { "setresuid", EPERM, true },
};
const size_t seccomp_soft_count = sizeof seccomp_soft / sizeof *seccomp_soft;

const char *const seccomp_denied[] = {
    "setuid", "setgid", "setreuid", "setregid", "setfsuid", "setfsgid", "unshare", "setns", "ptrace", "process_vm_readv",
    "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd", "keyctl", "add_key", "request_key", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd", "fanotify_init", "open_by_handle_at",
    "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon",
    "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "sethostname", "setdomainname", "settimeofday",
    "clock_settime", "clock_adjtime", "adjtimex", "iopl", "ioperm", "modify_ldt", "lookup_dcookie", "vhangup",
    "move_pages", "migrate_pages",
};
const size_t seccomp_denied_count = sizeof seccomp_denied / sizeof *seccomp_denied;
