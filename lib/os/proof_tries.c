#include "os/proof_tries.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS_TRIED = 1024, PROTOCOL_MPTCP = 262, PORT_NOBODY = 1 };

/* Who it applies to. */

static bool is_any(const proof_context *p)
{
    return p->families & CALLS_ANY;
}

static bool to_all(const proof_context *p)
{
    (void)p;
    return true;
}

static bool to_listed(const proof_context *p)
{
    return !is_any(p);
}

static bool to_not_root(const proof_context *p)
{
    return p->contract->is_spawner || (!is_any(p) && syscall(SYS_geteuid) != 0);
}

static bool to_childless(const proof_context *p)
{
    return !(p->families & (CALLS_ANY | CALLS_SPAWN));
}

static bool to_spawners(const proof_context *p)
{
    return p->contract->is_spawner;
}

static bool to_groupless(const proof_context *p)
{
    return p->contract->is_spawner || !is_any(p);
}

/* Ids between those that it may take and those of the system: just outside of the ranges, and not the extra one. */
static bool to_ranged(const proof_context *p)
{
    return p->contract->is_spawner && p->identity->is_privileged;
}

static bool to_netless(const proof_context *p)
{
    return !(p->families & (CALLS_ANY | CALLS_CONNECT | CALLS_RESOLVE));
}

static bool to_datagramless(const proof_context *p)
{
    return !(p->families & (CALLS_ANY | CALLS_RESOLVE));
}

static bool to_unconnected(const proof_context *p)
{
    return to_netless(p) && !(p->families & CALLS_UNIX);
}

static bool to_connecting(const proof_context *p)
{
    return !is_any(p) && (p->families & (CALLS_CONNECT | CALLS_RESOLVE));
}

static bool to_walled(const proof_context *p)
{
    bool has_calls = p->families & (CALLS_READ_FILES | CALLS_FILES | CALLS_SPAWN);
    return !is_any(p) && p->outside[0] && (!has_calls || p->is_rooted || p->has_landlock);
}

static bool to_rooted(const proof_context *p)
{
    return !is_any(p) && p->is_rooted;
}

static bool to_readers(const proof_context *p)
{
    return !(p->families & (CALLS_ANY | CALLS_FILES));
}

static bool to_unchrooting(const proof_context *p)
{
    return !is_any(p) && !(p->contract->caps & CAPS_CHROOT);
}

/* Ids. */

static bool regain_uid(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setresuid, 0UL, 0UL, 0UL) == 0;
}

static bool regain_uid_by_high_bits(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setresuid, 1UL << 32, 1UL << 32, 1UL << 32) == 0;
}

static bool keep_an_id(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setresuid, -1L, -1L, -1L) == 0;
}

static bool regain_gid(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setresgid, 0UL, 0UL, 0UL) == 0 || syscall(SYS_setresgid, 1UL << 32, 1UL << 32, 1UL << 32) == 0;
}

static bool leave_the_ranges(const proof_context *p)
{
    const id_ranges *ids = &p->identity->ids;
    const uid_t outside[] = { ids->uid_min - 1, ids->uid_max + 1, ids->extra_uid + 1, ids->extra_uid - 1 };

    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        unsigned long uid = outside[i];
        bool is_free = (uid >= ids->uid_min && uid <= ids->uid_max) || uid == ids->extra_uid;
        if (!is_free && uid != p->identity->uid && syscall(SYS_setresuid, uid, uid, uid) == 0)
            return true;
    }
    return false;
}

static bool setuid_zero(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setuid, 0UL) == 0;
}

static bool setreuid_zero(const proof_context *p)
{
    (void)p;
    return syscall(SYS_setreuid, 0UL, 0UL) == 0;
}

static bool setfsuid_zero(const proof_context *p)
{
    (void)p;
    syscall(SYS_setfsuid, 0UL);
    return syscall(SYS_setfsuid, -1L) == 0; /* answers the id in force */
}

static bool join_a_group(const proof_context *p)
{
    gid_t shadow = 42;
    (void)p;
    return syscall(SYS_setgroups, 1UL, &shadow) == 0;
}

/* Files. */

static bool open_outside(const proof_context *p)
{
    return syscall(SYS_openat, AT_FDCWD, p->outside, O_RDONLY) >= 0;
}

static bool climb_out(const proof_context *p)
{
    (void)p;
    for (int fd = 0; fd < FDS_TRIED; fd++)
        if (syscall(SYS_openat, fd, "../../../../../../../../etc/passwd", O_RDONLY) >= 0)
            return true;
    return false;
}

static bool create_a_file(const proof_context *p)
{
    (void)p;
    long fd = syscall(SYS_openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
    return fd >= 0;
}

static bool change_root(const proof_context *p)
{
    (void)p;
    return syscall(SYS_chroot, "/") == 0;
}

static bool mount_something(const proof_context *p)
{
    (void)p;
    return syscall(SYS_mount, "none", "/", "tmpfs", 0UL, NULL) == 0;
}

/* Network. */

static bool has_socket(int family, int type, int protocol)
{
    return syscall(SYS_socket, family, type, protocol) >= 0;
}

static bool open_a_socket(const proof_context *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_STREAM, 0) || has_socket(AF_INET6, SOCK_STREAM, 0);
}

static bool open_a_datagram_socket(const proof_context *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_DGRAM, 0) || has_socket(AF_INET6, SOCK_DGRAM, 0);
}

static bool open_another_socket(const proof_context *p)
{
    (void)p;
    return has_socket(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP) || has_socket(AF_NETLINK, SOCK_RAW, 0) ||
           has_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) || has_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static bool connect_anything(const proof_context *p)
{
    (void)p;
    return syscall(SYS_connect, -1, NULL, 0) < 0 && errno == EBADF; /* the kernel's own answer: it got that far */
}

static bool connect_by_fastopen(const proof_context *p)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(PORT_NOBODY),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)p;
    int fd = (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
    return syscall(SYS_sendto, fd, "", 1, MSG_FASTOPEN, &to, sizeof to) >= 0 || errno != EPERM;
}

/* Processes and memory. */

static bool execute(const proof_context *p)
{
    (void)p;
    return syscall(SYS_execve, NULL, NULL, NULL) < 0 && errno == EFAULT; /* it got as far as the missing path */
}

static bool start_a_process(const proof_context *p)
{
    (void)p;
    long pid = syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool make_a_user_namespace(const proof_context *p)
{
    (void)p;
    if (syscall(SYS_unshare, (unsigned long)CLONE_NEWUSER) == 0)
        return true;
    long pid = syscall(SYS_clone, (unsigned long)(SIGCHLD | CLONE_NEWUSER), 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool trace_another(const proof_context *p)
{
    (void)p;
    return syscall(SYS_ptrace, PTRACE_SEIZE, syscall(SYS_getppid), 0UL, 0UL) == 0;
}

static bool signal_another(const proof_context *p)
{
    (void)p;
    return syscall(SYS_kill, syscall(SYS_getppid), 0) == 0;
}

static bool signal_another_thread(const proof_context *p)
{
    long parent = syscall(SYS_getppid);
    (void)p;
    return syscall(SYS_tgkill, parent, parent, 0) == 0;
}

static bool run_written_memory(const proof_context *p)
{
    long size = 4096;
    void *page = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)p;
    return page != MAP_FAILED && syscall(SYS_mprotect, page, size, PROT_READ | PROT_EXEC) == 0;
}

static bool map_writable_code(const proof_context *p)
{
    (void)p;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool stay_dumpable(const proof_context *p)
{
    (void)p;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

/* The kernel's wide doors: any answer but a refusal means that the call was let in. */

static bool was_let_in(long result)
{
    return result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS);
}

static bool use_io_uring(const proof_context *p)
{
    (void)p;
    return was_let_in(syscall(SYS_io_uring_setup, 1UL, NULL));
}

static bool use_bpf(const proof_context *p)
{
    (void)p;
    return was_let_in(syscall(SYS_bpf, (long)BPF_MAP_CREATE, NULL, 0UL));
}

static bool use_keyrings(const proof_context *p)
{
    (void)p;
    return was_let_in(syscall(SYS_keyctl, 0L, -3L, 0L, 0L, 0L));
}

static bool push_terminal_input(const proof_context *p)
{
    (void)p;
    return syscall(SYS_ioctl, -1, TIOCSTI, "") < 0 && errno == EBADF;
}

#ifdef __x86_64__
static bool call_as_32_bit(const proof_context *p)
{
    long answer = 20; /* getpid there */
    (void)p;
    __asm__ volatile("int $0x80" : "+a"(answer) : : "memory", "r8", "r9", "r10", "r11");
    return answer > 0;
}

static bool call_as_x32(const proof_context *p)
{
    (void)p;
    return syscall(0x40000000L | SYS_getpid) > 0;
}
#endif

const proof_try proof_tries[] = {
    { "be dumped or traced", to_all, stay_dumpable },
    { "regain uid 0", to_not_root, regain_uid },
    { "regain uid 0 by a truncated argument", to_not_root, regain_uid_by_high_bits },
    { "leave an id as it is", to_spawners, keep_an_id },
    { "regain gid 0", to_not_root, regain_gid },
    { "regain uid 0 by setuid", to_not_root, setuid_zero },
    { "regain uid 0 by setreuid", to_not_root, setreuid_zero },
    { "reach root's files by setfsuid", to_not_root, setfsuid_zero },
    { "become a user outside of its ranges", to_ranged, leave_the_ranges },
    { "join a group", to_groupless, join_a_group },
    { "open a file outside", to_walled, open_outside },
    { "climb out of its root by a descriptor", to_rooted, climb_out },
    { "create a file", to_readers, create_a_file },
    { "change its root", to_unchrooting, change_root },
    { "mount", to_all, mount_something },
    { "open a socket", to_netless, open_a_socket },
    { "open a datagram socket", to_datagramless, open_a_datagram_socket },
    { "open a socket of another kind", to_listed, open_another_socket },
    { "connect", to_unconnected, connect_anything },
    { "connect by MSG_FASTOPEN", to_connecting, connect_by_fastopen },
    { "exec", to_childless, execute },
    { "fork", to_childless, start_a_process },
    { "make a user namespace", to_all, make_a_user_namespace },
    { "trace another process", to_all, trace_another },
    { "signal another process", to_listed, signal_another },
    { "signal a thread of another process", to_childless, signal_another_thread },
    { "run memory that it wrote", to_childless, run_written_memory },
    { "map memory to write and run", to_listed, map_writable_code },
    { "use io_uring", to_all, use_io_uring },
    { "use bpf", to_all, use_bpf },
    { "use keyrings", to_all, use_keyrings },
    { "type on a terminal", to_all, push_terminal_input },
#ifdef __x86_64__
    { "make 32-bit calls", to_all, call_as_32_bit },
    { "make x32 calls", to_all, call_as_x32 },
#endif
};
const size_t proof_try_count = COUNT_OF(proof_tries);
