"""What t/fault/test_calls.py lets fail: one row for each system call that a process makes on the way of a message, as `strace -f`
shows them in a running suite (t/fault/test_calls.py proves that no call is missing here), without those for memory, time, the
event loop and the process's end. Each error is answered in the kernel's place at each of the occurrences."""
from collections import namedtuple

# `errors` at occurrences `nth` of `call` (of each of several, with commas) within one message, counted in each process of `role`;
# `answers`: what the client may hear; `twice`: the message may come twice, as its result is lost on the way.
Row = namedtuple("Row", "role call errors nth answers twice")

YES, NO, FULL = frozenset({250}), frozenset({451}), frozenset({452})
CUT_OFF = 421  # also a connection that ends without a word
LATER = NO | FULL | {CUT_OFF}
ANY = YES | LATER

DISK = ("EIO", "ENOSPC", "EDQUOT")
TABLE_FULL = ("EMFILE", "ENFILE", "ENOMEM")
SOCKET = ("ENOMEM", "EPIPE")
UNHEEDED = frozenset(  # memory, time, the loop, ids that are only asked for, the end
    "mmap munmap mremap madvise brk mprotect clock_gettime clock_nanosleep epoll_wait epoll_ctl epoll_pwait futex restart_syscall "
    "rt_sigaction rt_sigprocmask rt_sigreturn getpid gettid getuid geteuid getgid getegid exit exit_group".split())


def row(role, call, errors, nth=(1,), answers=ANY, twice=False):
    errors = (errors,) if isinstance(errors, str) else errors
    return Row(role, call, errors, (nth,) if isinstance(nth, (int, str)) else nth, answers, twice)


ACCEPT = [
    row("smtpd", "accept4", ("EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR"), 1, YES),
    row("smtpd", "sendto", ("EPIPE", "ENOMEM"), (1, 2, 3, 4, 5)),
    row("smtpd", "read", ("ECONNRESET", "EIO"), (1, 2, 3, 4, 5)),
    row("smtpd", "write", DISK, 1, YES),
    row("smtpd", "sendmsg", SOCKET, (1, 2, 3)),
    row("smtpd", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3)),
    row("smtpd", "close", "EIO", (1, 2), YES),
    row("meter", "recvmsg", "ENOMEM", 1),
    row("meter", "sendmsg", SOCKET, 1),
    row("policy", "recvmsg", "ENOMEM", 1),
    row("policy", "sendmsg", SOCKET, 1),
]

QUEUE = [
    row("cleanup", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3, 4), twice=True),
    row("cleanup", "sendmsg", SOCKET, (1, 2, 3, 4), twice=True),
    row("cleanup", "pwritev", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "pwritev", "EIO", 1, NO),
    row("cleanup", "fsync,fdatasync", "EIO", 1, NO),
    row("cleanup", "fsync,fdatasync", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "fsync,fdatasync", "EIO", "1+", NO),
    row("cleanup", "close", "EIO", 1, YES),
    row("cleanup", "write", DISK, 1, YES),
]

# Of one whose content smtpd writes into its file.
LARGE = [
    row("smtpd", "write", DISK, (1, 2, 3)),
    row("smtpd", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3, 4)),
    row("smtpd", "close", "EIO", (1, 2), YES),
    row("cleanup", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3, 4), twice=True),
    row("cleanup", "sendmsg", SOCKET, (1, 2, 3, 4), twice=True),
    row("cleanup", "newfstatat", "EIO", 1, NO),
    row("cleanup", "pread64", "EIO", 1, NO),
    row("cleanup", "pwritev", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "pwritev", "EIO", 1, NO),
    row("cleanup", "pwrite64", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "pwrite64", "EIO", 1, NO),
    row("cleanup", "close", "EIO", (1, 2), YES),
    row("qmgr", "openat", ("EMFILE", "ENFILE", "ENOMEM", "EIO", "ENOSPC"), (1, 2, 3), YES | NO | FULL),
    row("qmgr", "lseek", "EIO", 1, YES | NO),
]

# Of a message that is delivered before it is durable in the queue: a small one stands in memory, and gets a file when that fails.
OFFER = [
    row("cleanup", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3, 4), twice=True),
    row("cleanup", "sendmsg", SOCKET, (1, 2, 3, 4), twice=True),
    row("cleanup", "memfd_create", ("EMFILE", "ENOMEM"), 1, LATER),
    row("cleanup", "pwritev", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "fcntl", ("EMFILE", "EBUSY"), (1, 2), YES),  # sealed, and given to qmgr
    row("cleanup", "close", "EIO", (1, 2), YES),
]

# Of one that cannot be offered, or must be kept: it gets its file then.
KEPT = [
    row("cleanup", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3, 4), twice=True),
    row("cleanup", "sendmsg", SOCKET, (1, 2, 3, 4), twice=True),
    row("cleanup", "memfd_create", ("EMFILE", "ENOMEM"), 1, LATER),
    row("cleanup", "pread64", "EIO", 1, NO),
    row("cleanup", "pwrite64", ("ENOSPC", "EDQUOT"), 1, FULL),
    row("cleanup", "pwrite64", "EIO", 1, NO),
    row("cleanup", "fsync,fdatasync", DISK, 1, NO | FULL),
    row("cleanup", "close", "EIO", (1, 2), YES),
    row("qmgr", "openat,renameat", ("EMFILE", "ENFILE", "ENOMEM", "EIO", "ENOSPC"), 1, YES | NO | FULL),
]

# With a file for each, as large ones have it.
QMGR = [
    row("qmgr", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3), twice=True),
    row("qmgr", "sendmsg", SOCKET, (1, 2), twice=True),
    row("qmgr", "fstatfs", "EIO", 1, YES | NO),
    row("qmgr", "openat", ("EMFILE", "ENFILE", "ENOMEM", "EIO", "ENOSPC"), (1, 2, 3), YES | NO | FULL),
    row("qmgr", "openat", "EMFILE", "1+", YES | NO | FULL),
    row("qmgr", "fcntl", "EAGAIN", (1, "1+"), YES),
    row("qmgr", "ftruncate,unlinkat", ("EIO", "EROFS"), 1, YES),
    row("qmgr", "renameat", ("EIO", "ENOSPC"), (1, "1+"), YES),
    row("qmgr", "newfstatat", "EIO", 1, YES),
    row("qmgr", "pread64", "EIO", (1, 2, 3, 4, 5, 6, "1+"), YES),
    row("qmgr", "close", "EIO", (1, 2), YES),
    row("qmgr", "write", DISK, 1, YES),
]

# Of what stands in memory it is told by the file that comes with it.
QMGR_MEMORY = [
    row("qmgr", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2, 3), twice=True),
    row("qmgr", "sendmsg", SOCKET, (1, 2, 3), twice=True),
    row("qmgr", "newfstatat", "EIO", 1, YES | NO),
    row("qmgr", "pread64", "EIO", 1, YES | NO),
    row("qmgr", "fcntl", "EMFILE", 1, YES),
    row("qmgr", "close", "EIO", (1, 2), YES),
    row("qmgr", "write", DISK, 1, YES),
]

DELIVER = [
    row("local", "recvmsg", ("ENOMEM", "ECONNRESET"), (1, 2), YES, twice=True),
    row("local", "sendmsg", SOCKET, (1, 2), YES, twice=True),
    row("local", "close", "EIO", 1, YES),
    row("local-worker", "recvmsg", ("ENOMEM", "ECONNRESET"), 1, YES, twice=True),
    row("local-worker", "openat2", (*DISK, "EMFILE"), 1, YES),
    row("local-worker", "pread64", "EIO", (1, 2), YES),
    row("local-worker", "write", DISK, 1, YES),
    row("local-worker", "renameat", DISK, 1, YES),
    row("local-worker", "fsync", DISK, (1, "1+"), YES),
    row("local-worker", "close", "EIO", (1, 2), YES),
    row("local-worker", "sendmsg", SOCKET, 1, YES, twice=True),
]

# A worker that starts: local forks, and what it started becomes the user. Whatever fails of that, nobody else delivers.
WORKER_STARTS = [
    row("local", "socketpair", TABLE_FULL, 1, YES),
    row("local", "openat", ("EMFILE", "ENOENT"), 1, YES),
    row("local", "clone", ("EAGAIN", "ENOMEM"), 1, YES),
    row("local", "fcntl", "EMFILE", (1, 2), YES),
    *[row("local", call, errors, 1, YES) for call, errors in (
        ("close_range", "EINVAL"), ("dup3", "EBADF"), ("setgroups", "EPERM"), ("setresgid", "EPERM"), ("setresuid", "EAGAIN"),
        ("chdir", ("EACCES", "EIO")), ("chroot", "EPERM"), ("capset", "EPERM"), ("execveat", ("ENOMEM", "EACCES", "EIO")),
        ("epoll_create1", "EMFILE"), ("pipe2", "EMFILE"), ("landlock_create_ruleset", "ENOMEM"), ("landlock_add_rule", "ENOMEM"),
        ("landlock_restrict_self", "EPERM"), ("prlimit64", "EPERM"), ("seccomp", "ENOMEM"), ("openat2", ("EMFILE", "EIO")),
        ("fallocate", ("ENOSPC", "EIO")), ("fchdir", "EIO"), ("newfstatat", "EIO"), ("fstatfs", "EIO"), ("pread64", "EIO"),
        ("getrandom", "EIO"))],
]

PICKUP = [
    row("pickup", "openat", ("EMFILE", "EIO"), "1+2"),
    row("pickup", "newfstatat", "EIO", "1+2"),
    row("pickup", "getdents64", "EIO", "1+2"),
    row("pickup", "pread64", "EIO", "2+3"),
    row("pickup", "fcntl", "EMFILE", "1+2"),
    row("pickup", "sendmsg", "ENOMEM", "1+3", twice=True),
    row("pickup", "recvmsg", "ENOMEM", "1+3", twice=True),
    row("pickup", "write", "ENOSPC", "1+2"),
    row("pickup", "unlinkat", ("EIO", "EROFS"), ("1+2", "1+")),
    row("pickup", "close", "EIO", "1+2"),
]

# A program that ends: each call that it makes on its own, by its name. Those of the loader in front of it are not ours.
OF_A_COMMAND = {
    "openat": ("EMFILE", "EIO"), "newfstatat": ("EIO",), "read": ("EIO",), "getrandom": ("EIO",), "socket": ("EMFILE",),
    "connect": ("EAGAIN", "ECONNREFUSED"), "fcntl": ("EMFILE",), "epoll_create1": ("EMFILE",), "pipe2": ("EMFILE",),
    "sendmsg": ("ENOMEM", "EPIPE"), "recvmsg": ("ENOMEM", "ECONNRESET"), "write": ("ENOSPC", "EIO"), "pwritev": ("ENOSPC", "EIO"),
    "pwrite64": ("EIO",), "linkat": ("ENOSPC", "EIO"), "fsync": ("EIO", "ENOSPC"), "fchmod": ("EIO",), "lseek": ("EIO",),
    "close": ("EIO",),
}

# qmgr, from what `postrider queue` asks to its answer: each call that it makes, by its name.
OF_AN_ADMIN_VERB = {
    "openat": ("EMFILE", "EIO"), "newfstatat": ("EIO",), "pread64": ("EIO",), "pwrite64": ("EIO", "ENOSPC"), "fsync": ("EIO", "ENOSPC"),
    "renameat": ("EIO", "ENOSPC"), "unlinkat": ("EIO", "EROFS"), "close": ("EIO",), "recvmsg": ("ENOMEM",), "sendmsg": ("ENOMEM",),
    "getsockopt": ("EBADF",), "write": ("ENOSPC",),
}

RELOAD = [  # of master alone: what it starts is confined by itself, and starts again
    row("master", "openat", ("EMFILE", "EIO"), (1, 3, 5)),
    row("master", "read", "EIO", (1, 3)),
    row("master", "memfd_create", "ENOMEM", (1, 3, 5)),
    row("master", "write", "ENOSPC", (1, 3)),
    row("master", "fcntl", "EMFILE", (1, 2, 6, 9, 12, 20, 30)),
    row("master", "socketpair", ("EMFILE", "ENOMEM"), (1, 2, 8)),
    row("master", "clone", ("EAGAIN", "ENOMEM"), (1, 2)),
    row("master", "sendmsg", "ENOMEM", (1, 2, 5)),
    row("master", "recvmsg", "ENOMEM", (2, 4)),
    row("master", "wait4", "EINTR", 1),
]

STOP = [
    row("master", "sendmsg", "ENOMEM", (1, 4)),
    row("master", "recvmsg", "ENOMEM", (1, 3)),
    row("master", "wait4", "EINTR", 1),
    row("qmgr", "unlinkat", "EIO", "1+"),
    row("qmgr", "recvmsg", "ENOMEM", 1),
    row("cleanup", "recvmsg", "ENOMEM", 1),
    row("local", "recvmsg", "ENOMEM", 1),
    row("smtpd", "write", "ENOSPC", "1+"),
]
