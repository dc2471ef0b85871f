/* The second filter: looks at arguments, and denies by name what no process of ours may do. Written as classic BPF by
 * hand, since libseccomp can hold neither a range nor an allow and a conditional error for one call. */
#include "base/memory.h"
#include "os/seccomp_calls.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/btrfs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

enum { X32_BIT = 0x40000000, GET_MDWE = 66, SET_MDWE = 65, TYPE_MASK = 0xf };

static const unsigned namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

typedef struct builder {
    struct sock_filter *code;
    uint16_t n;
    bool overflow;
    unsigned calls;
    bool is_spawner;
    const id_ranges *ids;
    filter *out;
} builder;

static void emit(builder *b, uint16_t op, uint32_t k, uint8_t yes, uint8_t no)
{
    if (b->n >= FILTER_INSTRUCTIONS_MAX) {
        b->overflow = true;
        return;
    }
    b->code[b->n++] = (struct sock_filter){ op, yes, no, k };
}

static void load(builder *b, size_t offset)
{
    emit(b, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load_low(builder *b, unsigned arg)
{
    size_t half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
    load(b, offsetof(struct seccomp_data, args) + arg * 8 + half);
}

static void load_high(builder *b, unsigned arg)
{
    size_t half = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0 : 4;
    load(b, offsetof(struct seccomp_data, args) + arg * 8 + half);
}

static void give(builder *b, uint32_t action)
{
    emit(b, BPF_RET | BPF_K, action, 0, 0);
}

static void deny(builder *b, int error)
{
    give(b, SECCOMP_RET_ERRNO | (uint32_t)error);
}

static void allow(builder *b)
{
    give(b, SECCOMP_RET_ALLOW);
}

static void deny_unless_zero_high(builder *b, unsigned arg, int error)
{
    load_high(b, arg);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    deny(b, error);
}

/* What is loaded decides: equal or with one of these bits. */
static void deny_if_equal(builder *b, uint32_t value, int error)
{
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    deny(b, error);
}

static void allow_if_equal(builder *b, uint32_t value)
{
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    allow(b);
}

static void deny_if_any(builder *b, uint32_t bits, int error)
{
    emit(b, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    deny(b, error);
}

/* One function a call; what falls through is allowed. */
typedef void checker(builder *b);

static void check_denied(builder *b)
{
    deny(b, EPERM);
}

static void check_no_such_call(builder *b)
{
    deny(b, ENOSYS);
}

static void check_clone(builder *b)
{
    load_low(b, 0);
    deny_if_any(b, namespaces, EPERM);
    if (b->calls & (CALLS_SPAWN | CALLS_ANY))
        return;
    emit(b, BPF_ALU | BPF_AND | BPF_K, CLONE_THREAD | CLONE_VM, 0, 0);
    allow_if_equal(b, CLONE_THREAD | CLONE_VM);
    deny(b, EPERM);
}

/* Every argument within the range or the extra one; -1 ("leave it") and bits above 32, which the kernel cuts off, are outside. */
static void check_setresuid(builder *b)
{
    if (!b->is_spawner)
        return;
    for (unsigned arg = 0; arg < 3; arg++) {
        deny_unless_zero_high(b, arg, EPERM);
        load_low(b, arg);
        if (b->ids->extra_uid != 0)
            emit(b, BPF_JMP | BPF_JEQ | BPF_K, b->ids->extra_uid, 4, 0); /* behind both checks */
        emit(b, BPF_JMP | BPF_JGE | BPF_K, b->ids->uid_min, 1, 0);
        deny(b, EPERM);
        emit(b, BPF_JMP | BPF_JGT | BPF_K, b->ids->uid_max, 0, 1);
        deny(b, EPERM);
    }
}

/* Falls through when the loaded gid may be taken. */
static void check_gid(builder *b)
{
    const id_ranges *ids = b->ids;
    size_t count = ids->gid_count + (ids->extra_gid != 0);
    uint32_t to_end = (uint32_t)count * 2 + 1; /* from behind the range: the list and the verdict */

    if (ids->gid_max != 0) {
        emit(b, BPF_JMP | BPF_JGE | BPF_K, ids->gid_min, 0, 2);
        emit(b, BPF_JMP | BPF_JGT | BPF_K, ids->gid_max, 1, 0);
        emit(b, BPF_JMP | BPF_JA, to_end, 0, 0);
    }
    for (size_t i = 0; i < count; i++) {
        emit(b, BPF_JMP | BPF_JEQ | BPF_K, i < ids->gid_count ? ids->gids[i] : ids->extra_gid, 0, 1);
        emit(b, BPF_JMP | BPF_JA, (uint32_t)(count - 1 - i) * 2 + 1, 0, 0);
    }
    deny(b, EPERM);
}

static void check_setresgid(builder *b)
{
    if (!b->is_spawner)
        return;
    for (unsigned arg = 0; arg < 3; arg++) {
        deny_unless_zero_high(b, arg, EPERM);
        load_low(b, arg);
        check_gid(b);
    }
}

/* The list itself lies behind a pointer, so only an empty one passes. */
static void check_setgroups(builder *b)
{
    if (!b->is_spawner)
        return;
    deny_unless_zero_high(b, 0, EPERM);
    load_low(b, 0);
    allow_if_equal(b, 0);
    deny(b, EPERM);
}

/* Allows the loaded family with this type and one of two protocols. */
static void allow_socket(builder *b, uint32_t family, uint32_t type, uint32_t protocol)
{
    load_low(b, 0);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, family, 0, 7);
    load_low(b, 1);
    emit(b, BPF_ALU | BPF_AND | BPF_K, TYPE_MASK, 0, 0);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, type, 0, 4);
    load_low(b, 2);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 1);
    allow(b);
}

/* MPTCP and raw sockets are protocols and types of their own; both go round Landlock's ports. */
static void check_socket(builder *b)
{
    static const uint32_t any[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

    load_low(b, 0);
    for (size_t i = 0; (b->calls & CALLS_ANY) && i < sizeof any / sizeof *any; i++)
        allow_if_equal(b, any[i]);
    if (b->calls & CALLS_UNIX)
        allow_if_equal(b, AF_UNIX);
    if (b->calls & (CALLS_CONNECT | CALLS_RESOLVE)) {
        allow_socket(b, AF_INET, SOCK_STREAM, IPPROTO_TCP);
        allow_socket(b, AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    }
    if (b->calls & CALLS_RESOLVE) {
        allow_socket(b, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
        allow_socket(b, AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    }
    deny_if_equal(b, AF_NETLINK, EAFNOSUPPORT); /* libaudit, below PAM, goes on without; EACCES would fail the login */
    deny(b, EACCES);
}

static void check_socketpair(builder *b)
{
    load_low(b, 0);
    allow_if_equal(b, AF_UNIX);
    deny(b, EACCES);
}

/* MSG_FASTOPEN connects past Landlock's ports; urgent data has no use here and a history of kernel bugs. */
static void check_send_flags(builder *b, unsigned arg)
{
    if (b->calls & CALLS_ANY)
        return;
    load_low(b, arg);
    deny_if_any(b, MSG_FASTOPEN | MSG_OOB, EPERM);
}

static void check_send_third(builder *b)
{
    check_send_flags(b, 2);
}

static void check_send_fourth(builder *b)
{
    check_send_flags(b, 3);
}

static void check_setsockopt(builder *b)
{
    static const uint32_t tcp[] = { TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_ULP, TCP_REPAIR };
    static const uint32_t all[] = { SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_CBPF,
                                    SO_ATTACH_REUSEPORT_EBPF };

    if (b->calls & CALLS_ANY)
        return;
    load_low(b, 1);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 1 + 2 * COUNT_OF(tcp));
    load_low(b, 2);
    for (size_t i = 0; i < COUNT_OF(tcp); i++)
        deny_if_equal(b, tcp[i], EPERM);
    load_low(b, 1);
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, SOL_SOCKET, 0, 1 + 2 * COUNT_OF(all));
    load_low(b, 2);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        deny_if_equal(b, all[i], EPERM);
}

/* abort() and nothing else. What a spawner starts has another pid under the same filter. */
static void check_tgkill(builder *b)
{
    if (b->calls & (CALLS_SPAWN | CALLS_ANY))
        return;
    load_low(b, 0);
    if (!b->overflow && b->out->pid_count < FILTER_PIDS_MAX)
        b->out->pids[b->out->pid_count++] = b->n;
    allow_if_equal(b, 0);
    deny(b, EPERM);
}

/* Executable memory: never, but for the loaders of a child's executable and of modules, which still may not have it writable too. */
static void check_protection(builder *b)
{
    if (b->calls & CALLS_ANY)
        return;
    load_low(b, 2);
    if (b->calls & (CALLS_SPAWN | CALLS_MODULES)) {
        emit(b, BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC, 0, 0);
        deny_if_equal(b, PROT_WRITE | PROT_EXEC, EACCES);
    } else {
        deny_if_any(b, PROT_EXEC, EACCES);
    }
}

/* Who may map code from files must have no file that it can write. */
static void check_memfd(builder *b)
{
    if (b->calls & CALLS_MODULES)
        deny(b, EPERM);
}

static void check_ioctl(builder *b)
{
    load_low(b, 1);
    if (b->calls & CALLS_ANY) {
        deny_if_equal(b, TIOCSTI, EPERM);
        deny_if_equal(b, TIOCLINUX, EPERM);
        return;
    }
    allow_if_equal(b, FIONREAD);
    allow_if_equal(b, FIONBIO);
    if (b->calls & CALLS_COMMIT)
        allow_if_equal(b, BTRFS_IOC_START_SYNC);
    deny(b, ENOTTY);
}

/* A signal on I/O goes to whoever F_SETOWN names. */
static void check_fcntl(builder *b)
{
    static const uint32_t commands[] = { F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY };

    if (b->calls & CALLS_ANY)
        return;
    load_low(b, 1);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        deny_if_equal(b, commands[i], EPERM);
    if (!(b->calls & CALLS_LEASE))
        deny_if_equal(b, F_SETLEASE, EPERM);
}

static void check_prctl(builder *b)
{
    static const uint32_t always[] = { PR_GET_DUMPABLE,     PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_SECUREBITS,
                                       PR_GET_NO_NEW_PRIVS, GET_MDWE,       PR_SET_NAME };
    static const uint32_t walls[] = { PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE, SET_MDWE, PR_SET_PDEATHSIG };

    if (b->calls & CALLS_ANY)
        return;
    load_low(b, 0);
    for (size_t i = 0; i < COUNT_OF(always); i++)
        allow_if_equal(b, always[i]);
    for (size_t i = 0; (b->calls & CALLS_SPAWN) && i < COUNT_OF(walls); i++)
        allow_if_equal(b, walls[i]);
    deny(b, EPERM);
}

static void check_own_pid(builder *b) /* 0: the caller */
{
    if (b->calls & CALLS_ANY)
        return;
    load_low(b, 0);
    allow_if_equal(b, 0);
    deny(b, EPERM);
}

static void check_open_flags(builder *b, unsigned arg)
{
    if (b->calls & (CALLS_FILES | CALLS_ANY))
        return;
    load_low(b, arg);
    deny_if_any(b, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY), EACCES);
}

static void check_open(builder *b)
{
    check_open_flags(b, 1);
}

static void check_openat(builder *b)
{
    check_open_flags(b, 2);
}

static void check_openat2(builder *b) /* its flags lie behind a pointer */
{
    if (!(b->calls & (CALLS_FILES | CALLS_ANY)))
        deny(b, ENOSYS);
}

/* Landlock does not restrict the path form. */
static void check_utimensat(builder *b)
{
    if (b->calls & CALLS_ANY)
        return;
    deny_unless_zero_high(b, 1, EPERM);
    load_low(b, 1);
    allow_if_equal(b, 0);
    deny(b, EPERM);
}

static const struct {
    const char *name;
    checker *check;
} rows[] = {
    { "clone", check_clone },
    { "clone3", check_no_such_call },
    { "setresuid", check_setresuid },
    { "setresgid", check_setresgid },
    { "setgroups", check_setgroups },
    { "socket", check_socket },
    { "socketpair", check_socketpair },
    { "sendmsg", check_send_third },
    { "sendto", check_send_fourth },
    { "sendmmsg", check_send_fourth },
    { "setsockopt", check_setsockopt },
    { "tgkill", check_tgkill },
    { "mmap", check_protection },
    { "mprotect", check_protection },
    { "memfd_create", check_memfd },
    { "ioctl", check_ioctl },
    { "fcntl", check_fcntl },
    { "prctl", check_prctl },
    { "prlimit64", check_own_pid },
    { "open", check_open },
    { "openat", check_openat },
    { "openat2", check_openat2 },
    { "utimensat", check_utimensat },
};

/* if (nr == this one) { check; ALLOW } — left out when the check has nothing to say. */
static void row_emit(builder *b, const char *name, checker *check)
{
    int nr = seccomp_syscall_resolve_name(name);

    if (nr < 0)
        return;
    uint16_t start = b->n;
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 1, 0);
    emit(b, BPF_JMP | BPF_JA, 0, 0, 0);
    check(b);
    if (b->n == start + 2) {
        b->n = start;
        return;
    }
    allow(b);
    if (!b->overflow)
        b->code[start + 1].k = (uint32_t)(b->n - start - 2);
}

static void prologue_emit(builder *b)
{
    load(b, offsetof(struct seccomp_data, arch));
    emit(b, BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0);
    give(b, SECCOMP_RET_KILL_PROCESS);
    load(b, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    emit(b, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    give(b, SECCOMP_RET_KILL_PROCESS);
#endif
}

fault seccomp_args_compile(const contract *c, unsigned families, const id_ranges *ids, filter *out)
{
    builder b = { .calls = families, .is_spawner = c->is_spawner, .ids = ids, .out = out };

    b.code = memory_get(FILTER_INSTRUCTIONS_MAX * sizeof *b.code);
    prologue_emit(&b);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        row_emit(&b, rows[i].name, rows[i].check);
    for (size_t i = 0; i < seccomp_denied_count; i++)
        row_emit(&b, seccomp_denied[i], check_denied);
    allow(&b);
    out->programs[FILTER_PROGRAMS - 1] = b.code;
    out->counts[FILTER_PROGRAMS - 1] = b.n;
    return b.overflow ? fault_make(FAULT_BUG, "3.0", "the filter of %s is too long", c->role) : NO_FAULT;
}
