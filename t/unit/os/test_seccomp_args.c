/* What the second filter says of arguments, row by row. Only it is loaded here: what it lets pass shows the kernel's
 * own answer. */
#include "os/seccomp_calls.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { PASSES = 0 }; /* anything but the error that the filter gives */

typedef struct row {
    unsigned families;
    int error;    /* what the filter answers, or PASSES */
    int not_this; /* with PASSES: the filter's error for it */
    long call;
    unsigned long args[4];
} row;

static const row rows[] = {
    { CALLS_LOOP, EPERM, 0, SYS_unshare, { CLONE_NEWUSER } },
    { CALLS_ANY, EPERM, 0, SYS_unshare, { 0 } },
    { CALLS_SPAWN, EPERM, 0, SYS_clone, { CLONE_NEWUSER } },
    { CALLS_ANY, EPERM, 0, SYS_clone, { CLONE_NEWNET } },
    { CALLS_LOOP, EPERM, 0, SYS_clone, { 17 } },
    { CALLS_THREADS, EPERM, 0, SYS_clone, { CLONE_VM } },
    { CALLS_SPAWN, ENOSYS, 0, SYS_clone3, { 0 } },
    { CALLS_ANY, ENOSYS, 0, SYS_clone3, { 0 } },
    { CALLS_LOOP, ENOTTY, 0, SYS_ioctl, { -1UL, BTRFS_IOC_START_SYNC } },
    { CALLS_COMMIT, PASSES, ENOTTY, SYS_ioctl, { -1UL, BTRFS_IOC_START_SYNC } },
    { CALLS_COMMIT, ENOTTY, 0, SYS_ioctl, { -1UL, BTRFS_IOC_SYNC } },
    { CALLS_LOOP, EACCES, 0, SYS_socket, { AF_UNIX, SOCK_STREAM } },
    { CALLS_UNIX, PASSES, EACCES, SYS_socket, { AF_UNIX, SOCK_STREAM } },
    { CALLS_UNIX, EACCES, 0, SYS_socket, { AF_INET, SOCK_STREAM } },
    { CALLS_CONNECT, PASSES, EACCES, SYS_socket, { AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 6 } },
    { CALLS_CONNECT, EACCES, 0, SYS_socket, { AF_INET, SOCK_STREAM, 262 } },
    { CALLS_CONNECT, EACCES, 0, SYS_socket, { AF_INET, SOCK_STREAM, 132 } },
    { CALLS_CONNECT, EACCES, 0, SYS_socket, { AF_INET, SOCK_DGRAM } },
    { CALLS_CONNECT, EACCES, 0, SYS_socket, { AF_INET, SOCK_RAW, 1 } },
    { CALLS_CONNECT, EACCES, 0, SYS_socket, { AF_UNIX, SOCK_STREAM } },
    { CALLS_RESOLVE, PASSES, EACCES, SYS_socket, { AF_INET, SOCK_DGRAM, 17 } },
    { CALLS_RESOLVE, EACCES, 0, SYS_socket, { AF_INET, SOCK_DGRAM, 136 } },
    { CALLS_ANY, EACCES, 0, SYS_socket, { 38, SOCK_SEQPACKET } },
    { CALLS_LOOP, EACCES, 0, SYS_socketpair, { AF_INET, SOCK_STREAM } },
    { CALLS_LOOP, EPERM, 0, SYS_sendmsg, { 999, 0, 0x20000000 } },
    { CALLS_LOOP, EPERM, 0, SYS_sendmsg, { 999, 0, 1 } },
    { CALLS_LOOP, PASSES, EPERM, SYS_sendmsg, { 999, 0, 0x4000 } },
    { CALLS_LOOP, EPERM, 0, SYS_sendto, { 999, 0, 0, 0x20000000 } },
    { CALLS_LOOP, EPERM, 0, SYS_sendmmsg, { 999, 0, 0, 0x20000001 } },
    { CALLS_LOOP, EPERM, 0, SYS_setsockopt, { 999, 6, 30 } },
    { CALLS_LOOP, EPERM, 0, SYS_setsockopt, { 999, 6, 31 } },
    { CALLS_LOOP, PASSES, EPERM, SYS_setsockopt, { 999, 6, 1 } },
    { CALLS_LOOP, EPERM, 0, SYS_setsockopt, { 999, 1, 26 } },
    { CALLS_LOOP, PASSES, EPERM, SYS_setsockopt, { 999, 1, 30 } },
    { CALLS_LOOP, EACCES, 0, SYS_mprotect, { 0, 0, PROT_EXEC } },
    { CALLS_SPAWN, EACCES, 0, SYS_mmap, { 0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },
    { CALLS_SPAWN, PASSES, EACCES, SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },
    { CALLS_LOOP, ENOTTY, 0, SYS_ioctl, { 999, TIOCSTI } },
    { CALLS_LOOP, PASSES, ENOTTY, SYS_ioctl, { 999, FIONREAD } },
    { CALLS_ANY, EPERM, 0, SYS_ioctl, { 999, TIOCSTI } },
    { CALLS_LOOP, EPERM, 0, SYS_fcntl, { 999, F_SETOWN } },
    { CALLS_LOOP, EPERM, 0, SYS_fcntl, { 999, F_SETOWN_EX } },
    { CALLS_LOOP, PASSES, EPERM, SYS_fcntl, { 999, F_GETFL } },
    { CALLS_LOOP, EPERM, 0, SYS_prctl, { PR_SET_DUMPABLE, 1 } },
    { CALLS_LOOP, PASSES, EPERM, SYS_prctl, { PR_GET_DUMPABLE } },
    { CALLS_LOOP, EPERM, 0, SYS_prlimit64, { 1 } },
    { CALLS_READ_FILES, EACCES, 0, SYS_openat, { 999, 0, O_RDWR } },
    { CALLS_READ_FILES, EACCES, 0, SYS_openat, { 999, 0, O_CREAT } },
    { CALLS_READ_FILES, EACCES, 0, SYS_openat, { 999, 0, O_TMPFILE | O_WRONLY } },
    { CALLS_READ_FILES, PASSES, EACCES, SYS_openat, { 999, 0, O_RDONLY | O_DIRECTORY | O_CLOEXEC } },
    { CALLS_READ_FILES, ENOSYS, 0, SYS_openat2, { 999 } },
    { CALLS_FILES, PASSES, ENOSYS, SYS_openat2, { 999 } },
    { CALLS_FILES, EPERM, 0, SYS_utimensat, { 999, 1 } },
    { CALLS_FILES, EPERM, 0, SYS_utimensat, { 999, 1UL << 40 } },
    { CALLS_FILES, PASSES, EPERM, SYS_utimensat, { 999, 0 } },
};

static fault answers(void *context)
{
    const row *r = context;
    contract k = { .role = "x", .calls = r->families };
    filter f = { 0 };
    NEED(!is_fault(seccomp_args_compile(&k, k.calls, NULL, &f)));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    NEED(filter_load(&f));
    long got = syscall(r->call, r->args[0], r->args[1], r->args[2], r->args[3], -1, 0);
    int error = errno;
    filter_free(&f);
    if (r->error != PASSES)
        NEED(got < 0 && error == r->error);
    else
        NEED(got >= 0 || error != r->not_this);
    return NO_FAULT;
}

static void each_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        row r = rows[i];
        if (run_apart(answers, &r, true) != 0)
            fail_msg("row %zu: call %ld", i, r.call);
    }
}

static fault ids_asked(void *context)
{
    static const gid_t gids[] = { 8, 100 };
    id_ranges ids = { .uid_min = 1000,
                      .uid_max = 2000,
                      .gid_min = 3000,
                      .gid_max = 4000,
                      .gids = gids,
                      .gid_count = 2,
                      .extra_uid = 65534,
                      .extra_gid = 65533 };
    contract k = { .role = "x", .calls = CALLS_SPAWN, .is_spawner = true };
    static const struct {
        unsigned long uid, gid;
        bool uid_good, gid_good;
    } tried[] = {
        { 999, 2999, false, false },
        { 1000, 3000, true, true },
        { 2000, 4000, true, true },
        { 2001, 4001, false, false },
        { 0, 8, false, true },
        { (1UL << 32) | 1500, 100, false, true },
        { 1500, 0, true, false },
        { 1500, 99, true, false },
        { -1UL, -1UL, false, false },
        { 1500, 9, true, false },
        { 0xffffffff, (1UL << 32) | 8, false, false },
        { 65534, 65533, true, true },
        { 65533, 65534, false, false },
        { 65535, 65532, false, false },
        { (1UL << 32) | 65534, (1UL << 32) | 65533, false, false },
    };
    filter f = { 0 };
    (void)context;
    NEED(!is_fault(seccomp_args_compile(&k, k.calls, &ids, &f)));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    NEED(filter_load(&f));
    for (size_t i = 0; i < COUNT_OF(tried); i++) {
        unsigned long u = tried[i].uid, g = tried[i].gid;
        if ((syscall(SYS_setresgid, g, g, g) == 0) != tried[i].gid_good)
            return fault_make(FAULT_BUG, "3.0", "row %zu: gid", i);
        if ((syscall(SYS_setresuid, u, u, u) == 0) != tried[i].uid_good)
            return fault_make(FAULT_BUG, "3.0", "row %zu: uid", i);
    }
    filter_free(&f);
    return NO_FAULT;
}

static fault ids_kept(void *context)
{
    prctl(PR_SET_SECUREBITS, 0xef, 0, 0, 0); /* SETUID and SETGID stay through the changes */
    return ids_asked(context);
}

static void ranges_and_lists_are_exact(void **state)
{
    (void)state;
    ROOT_ONLY();
    assert_int_equal(run_apart(ids_kept, NULL, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_holds),
                                        cmocka_unit_test(ranges_and_lists_are_exact) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
