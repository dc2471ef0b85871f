/* Every kind of contract can be become, as root and without; what it needs works afterwards and the walls show from
 * outside. */
#include "os/become.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/sandbox.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { LISTED = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE | CALLS_CONTENT };

static const contract contracts[] = {
    { .role = "smtpd", .root = ROOT_EMPTY, .calls = LISTED, .limits = { 1000, 1 << 28, 1 << 30 } },
    { .role = "meter", .root = ROOT_EMPTY, .calls = CALLS_LOOP },
    { .role = "qmgr", .root = ROOT_QUEUE, .calls = LISTED | CALLS_FILES, .files = FILES_WRITE },
    { .role = "policy",
      .root = ROOT_TABLES,
      .calls = LISTED | CALLS_READ_FILES | CALLS_LMDB | CALLS_RESOLVE | CALLS_THREADS,
      .files = FILES_READ },
    { .role = "smtp", .root = ROOT_CERTS, .calls = LISTED | CALLS_READ_FILES | CALLS_CONNECT, .files = FILES_READ },
    { .role = "watcher",
      .root = ROOT_TABLES,
      .calls = CALLS_LOOP | CALLS_READ_FILES | CALLS_INOTIFY,
      .files = FILES_READ },
    { .role = "ctl", .root = ROOT_HOST, .calls = LISTED | CALLS_UNIX | CALLS_READ_FILES, .files = FILES_NONE },
    { .role = "imapd",
      .root = ROOT_HOST,
      .caps = CAPS_SPAWNER,
      .calls = LISTED | CALLS_SPAWN,
      .is_spawner = true,
      .worker_calls = CALLS_LOOP | CALLS_FILES | CALLS_LMDB | CALLS_INOTIFY,
      .files = FILES_NONE },
    { .role = "programs",
      .root = ROOT_HOST,
      .caps = CAPS_SPAWNER,
      .calls = CALLS_ANY,
      .is_spawner = true,
      .files = FILES_UNLIMITED },
};

static const uint16_t ports[] = { 25, 587 };
static const gid_t gids[] = { 8, 100 };
static int empty_fd = -1;
static char folder[] = "/tmp/os-become-XXXXXX";

static identity identity_for(const contract *k)
{
    static const int standard_input[] = { 0 };
    return (identity){ .is_privileged = geteuid() == 0,
                       .uid = TEST_UID,
                       .gid = TEST_GID,
                       .root_fd = k->root == ROOT_HOST ? -1 : empty_fd,
                       .ids = { 1000, 60000, 1000, 60000, gids, 2, 0, 0 },
                       .connect_ports = ports,
                       .connect_port_count = 2,
                       .keep_fds = standard_input,
                       .keep_fd_count = 1,
                       .requires_landlock = true };
}

static fault view_check(const contract *k, bool was_root, unsigned inherited, const sandbox_view *v)
{
    uint64_t caps = was_root ? caps_from_contract(k->caps) : 0;
    NEED(v->has_no_new_privs && v->seccomp_mode == 2);
    NEED(v->seccomp_filters - inherited == (k->calls & CALLS_ANY ? 1 : 2));
    NEED(v->caps_effective == caps && v->caps_permitted == caps);
    NEED(v->caps_inheritable == 0 && v->caps_ambient == 0);
    for (size_t i = 0; was_root && i < 4; i++)
        NEED(v->uids[i] == TEST_UID && v->gids[i] == TEST_GID);
    NEED(!was_root || (v->caps_bounding == 0 && v->group_count == 0));
    return NO_FAULT;
}

static fault report_check(const contract *k, bool was_root)
{
    sandbox_report r;
    sandbox_self(&r);
    NEED(r.is_proved && !r.is_dumpable && r.is_privileged_start == was_root);
    NEED(r.landlock_abi > 0 || (k->calls & CALLS_ANY));
    NEED(!was_root || r.securebits == 0xef);
    NEED(r.has_files_walled == (k->files != FILES_UNLIMITED));
    return NO_FAULT;
}

/* The child of a become() that waits, so that its parent can look at it. */
static fault becomes(void *context)
{
    const contract *k = context;
    bool was_root = geteuid() == 0;
    int stop[2], done[2];
    char byte = 'n';
    NEED(pipe(stop) == 0 && pipe(done) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        identity id = identity_for(k);
        id.keep_fds = (int[]){ stop[0], done[1] };
        id.keep_fd_count = 2;
        fault f = become(k, &id);
        if (!is_fault(f))
            f = report_check(k, was_root);
        if (is_fault(f))
            (void)!write(2, f.text, strlen(f.text));
        byte = is_fault(f) ? 'n' : 'y';
        (void)!write(done[1], &byte, 1);
        (void)!read(stop[0], &byte, 1);
        _exit(0);
    }
    sandbox_view v, own;
    close(done[1]);
    NEED(read(done[0], &byte, 1) == 1 && byte == 'y');
    NEED(!is_fault(sandbox_read(getpid(), &own)));
    fault f = sandbox_read(pid, &v);
    close(stop[1]);
    int status;
    NEED(waitpid(pid, &status, 0) == pid && status == 0);
    return is_fault(f) ? f : view_check(k, was_root, own.seccomp_filters, &v);
}

static void every_contract_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(contracts); i++)
        for (int is_plain = 0; is_plain < 2; is_plain++) {
            contract k = contracts[i];
            int status = run_apart(becomes, &k, is_plain);
            if (status != 0)
                fail_msg("%s, %s: status %#x", k.role, is_plain ? "plain" : "as started", (unsigned)status);
        }
}

static fault master_stays_root(void *context)
{
    static const contract k = { .role = "master",
                                .caps = CAPS_SPAWNER | CAPS_SETPCAP | CAPS_BIND | CAPS_KILL,
                                .calls = CALLS_ANY,
                                .files = FILES_UNLIMITED };
    identity id = { .is_privileged = true, .root_fd = -1 };
    sandbox_view v;
    (void)context;
    fault f = become(&k, &id);
    if (is_fault(f))
        return f;
    NEED(!is_fault(sandbox_read(getpid(), &v)));
    NEED(v.uids[0] == 0 && v.caps_effective == caps_from_contract(k.caps) && v.caps_bounding == v.caps_effective);
    contract child = contracts[0]; /* what master starts can still become something less */
    return becomes(&child);
}

static void master_keeps_what_its_children_need(void **state)
{
    (void)state;
    ROOT_ONLY();
    assert_int_equal(run_apart(master_stays_root, NULL, false), 0);
}

static fault root_is_refused(void *context)
{
    identity id = { .is_privileged = true, .root_fd = -1, .ids = { 1000, 60000, 0, 0, NULL, 0, 0, 0 } };
    (void)context;
    NEED(become(&contracts[0], &id).kind == FAULT_BUG);
    NEED(become(&contracts[7], &id).kind == FAULT_BUG);
    return NO_FAULT;
}

static void no_daemon_runs_as_root(void **state)
{
    (void)state;
    assert_int_equal(run_apart(root_is_refused, NULL, false), 0);
}

static fault smtpd_at_work(void *context)
{
    identity id = identity_for(&contracts[0]);
    int pair[2], memory = memfd_create("content", MFD_CLOEXEC), keep[] = { memory };
    char bytes[4];
    (void)context;
    id.keep_fds = keep;
    fault f = become(&contracts[0], &id);
    if (is_fault(f))
        return f;
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    NEED(send(pair[0], "abc", 3, MSG_NOSIGNAL) == 3 && recv(pair[1], bytes, 3, 0) == 3);
    NEED(send(pair[0], "!", 1, MSG_OOB) < 0 && errno == EPERM);
    NEED(epoll_create1(EPOLL_CLOEXEC) >= 0);
    NEED(pwrite(memory, "content", 7, 0) == 7 && fsync(memory) == 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0 && errno == ENOENT);
    NEED(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
    void *block = malloc(1 << 20);
    NEED(block != NULL);
    free(block);
    NEED(raise(0) == 0);
    NEED(fcntl(pair[0], F_SETOWN, getppid()) < 0 && errno == EPERM);
    return NO_FAULT;
}

static void smtpd_can_work(void **state)
{
    (void)state;
    assert_int_equal(run_apart(smtpd_at_work, NULL, false), 0);
    assert_int_equal(run_apart(smtpd_at_work, NULL, true), 0);
}

static fault qmgr_at_work(void *context)
{
    identity id = identity_for(&contracts[2]);
    (void)context;
    fault f = become(&contracts[2], &id);
    if (is_fault(f))
        return f;
    const char *at = id.is_privileged ? "/" : folder;
    int dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    NEED(dir >= 0);
    f = file_replace(dir, "incoming", STR("x"), (file_owner){ .mode = 0600 });
    NEED(!is_fault(f));
    NEED(mkdirat(dir, "deferred", 0700) == 0 && renameat(dir, "incoming", dir, "deferred/x") == 0);
    int file = file_open_beneath(dir, "deferred/x", O_RDWR, 0);
    NEED(file >= 0 && ftruncate(file, 0) == 0);
    NEED(unlinkat(dir, "deferred/x", 0) == 0 && unlinkat(dir, "deferred", AT_REMOVEDIR) == 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0);
    return NO_FAULT;
}

static void qmgr_can_work(void **state)
{
    (void)state;
    assert_int_equal(run_apart(qmgr_at_work, NULL, false), 0);
    assert_int_equal(run_apart(qmgr_at_work, NULL, true), 0);
}

static fault policy_reads_only(void *context)
{
    identity id = identity_for(&contracts[3]);
    (void)context;
    fault f = become(&contracts[3], &id);
    if (is_fault(f))
        return f;
    const char *at = id.is_privileged ? "/" : folder;
    int dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    NEED(dir >= 0);
    int table = file_open_beneath(dir, "table", O_RDONLY, 0);
    NEED(table >= 0);
    NEED(openat(dir, "table", O_RDWR) < 0 && errno == EACCES);
    NEED(openat(dir, "new", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES);
    NEED(socket(AF_INET, SOCK_DGRAM, 0) >= 0);
    return NO_FAULT;
}

static void policy_can_read(void **state)
{
    (void)state;
    assert_int_equal(run_apart(policy_reads_only, NULL, false), 0);
    assert_int_equal(run_apart(policy_reads_only, NULL, true), 0);
}

static fault kill_by(void (*act)(void))
{
    identity id = identity_for(&contracts[0]);
    fault f = become(&contracts[0], &id);
    if (is_fault(f))
        return f;
    act();
    return NO_FAULT;
}

static void act_unlink(void)
{
    unlink("/x");
}
static void act_exec(void)
{
    execve("/bin/true", (char *[]){ NULL }, NULL);
}
static void act_fork(void)
{
    syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static void act_setuid(void)
{
    syscall(SYS_setresuid, 0, 0, 0);
}

static fault killed_by(void *context)
{
    static void (*const acts[])(void) = { act_unlink, act_exec, act_fork, act_setuid };
    return kill_by(acts[*(size_t *)context]);
}

static void a_forbidden_call_is_death(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        int status = run_apart(killed_by, &i, false);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSYS);
    }
}

static fault sockets_of_smtp(void *context)
{
    identity id = identity_for(&contracts[4]);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;
    (void)context;
    fault f = become(&contracts[4], &id);
    if (is_fault(f))
        return f;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    NEED(fd >= 0);
    NEED(connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno == EACCES); /* not one of the ports */
    NEED(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to) < 0 && errno == EPERM);
    NEED(setsockopt(fd, IPPROTO_TCP, 30, &on, sizeof on) < 0 && errno == EPERM);
    NEED(socket(AF_INET, SOCK_STREAM, 262) < 0 && errno == EACCES);
    NEED(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EACCES);
    to.sin_port = htons(25);
    NEED(connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EINPROGRESS || errno == ECONNREFUSED);
    return NO_FAULT;
}

static void smtp_connects_to_its_ports_only(void **state)
{
    (void)state;
    assert_int_equal(run_apart(sockets_of_smtp, NULL, false), 0);
    assert_int_equal(run_apart(sockets_of_smtp, NULL, true), 0);
}

/* What was exploited against a filter that compares 32 bits: CONFINEMENT, the root-less spawner. */
static fault spawner_tricks(void *context)
{
    identity id = identity_for(&contracts[7]);
    gid_t shadow = 42;
    (void)context;
    fault f = become(&contracts[7], &id);
    if (is_fault(f))
        return f;
    unsigned long uid = 1000, high = 1UL << 32;
    static const unsigned long bad[] = {
        0, 1, 999, 60001, TEST_UID, 0xffffffffUL, 0xffffffffffffffffUL, 1UL << 32, (1UL << 32) + 1000
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        NEED(syscall(SYS_setresuid, bad[i], uid, uid) < 0 && errno == EPERM);
        NEED(syscall(SYS_setresuid, uid, bad[i], uid) < 0 && errno == EPERM);
        NEED(syscall(SYS_setresuid, uid, uid, bad[i]) < 0 && errno == EPERM);
        NEED(syscall(SYS_setresgid, bad[i], uid, uid) < 0 && errno == EPERM);
        NEED(syscall(SYS_setresgid, uid, bad[i], uid) < 0 && errno == EPERM);
        NEED(syscall(SYS_setresgid, uid, uid, bad[i]) < 0 && errno == EPERM);
    }
    NEED(syscall(SYS_setgroups, 1UL, &shadow) < 0 && syscall(SYS_setgroups, high + 1, &shadow) < 0);
    NEED(syscall(SYS_setgroups, 0UL, NULL) == 0);
    NEED(syscall(SYS_setresgid, 8UL, 100UL, 60000UL) == 0); /* the list and both ends of the range */
    NEED(syscall(SYS_setresgid, 1000UL, 1000UL, 1000UL) == 0);
    NEED(syscall(SYS_setresuid, 60000UL, 60000UL, 60000UL) == 0 && syscall(SYS_setresuid, uid, uid, uid) == 0);
    return NO_FAULT;
}

static void a_spawner_becomes_users_only(void **state)
{
    (void)state;
    ROOT_ONLY();
    assert_int_equal(run_apart(spawner_tricks, NULL, false), 0);
}

static fault spawner_calls(void *context)
{
    identity id = identity_for(&contracts[7]);
    fault f = become(&contracts[7], &id);
    if (is_fault(f))
        return f;
    syscall(*(long *)context, 0UL, 0UL, 0UL, 0UL, 0UL);
    return NO_FAULT;
}

static void a_spawner_has_no_other_way_to_an_id(void **state)
{
    static const long calls[] = { SYS_setuid,         SYS_setgid,
                                  SYS_setreuid,       SYS_setregid,
                                  SYS_setfsuid,       SYS_setfsgid,
                                  SYS_unshare,        SYS_setns,
                                  SYS_ptrace,         SYS_keyctl,
                                  SYS_io_uring_setup, SYS_bpf,
                                  SYS_pidfd_getfd,    SYS_process_vm_writev,
                                  SYS_chmod,          SYS_chown,
                                  SYS_setxattr,       SYS_kill };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        long call = calls[i];
        int status = run_apart(spawner_calls, &call, false);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    }
}

static fault folder_left_open(void *context)
{
    identity id = identity_for(&contracts[2]);
    int host = open("/", O_PATH | O_DIRECTORY), keep[] = { host };
    (void)context;
    id.keep_fds = keep;
    fault f = become(&contracts[2], &id);
    NEED(!is_fault(f));
    NEED(openat(host, "etc/passwd", O_RDONLY) < 0); /* Landlock holds where the chroot does not */
    return NO_FAULT;
}

static void a_folder_left_open_is_no_way_out(void **state)
{
    (void)state;
    ROOT_ONLY();
    assert_int_equal(run_apart(folder_left_open, NULL, false), 0);
}

static int make(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || (geteuid() == 0 && chown(folder, TEST_UID, TEST_GID)) || chmod(folder, 0755))
        return -1;
    empty_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return is_fault(file_replace(empty_fd, "table", STR("x"), (file_owner){ .mode = 0644 }));
}

static int unmake(void **state)
{
    (void)state;
    unlinkat(empty_fd, "table", 0);
    fd_close(&empty_fd);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_contract_holds),
        cmocka_unit_test(master_keeps_what_its_children_need),
        cmocka_unit_test(no_daemon_runs_as_root),
        cmocka_unit_test(smtpd_can_work),
        cmocka_unit_test(qmgr_can_work),
        cmocka_unit_test(policy_can_read),
        cmocka_unit_test(a_forbidden_call_is_death),
        cmocka_unit_test(smtp_connects_to_its_ports_only),
        cmocka_unit_test(a_spawner_becomes_users_only),
        cmocka_unit_test(a_spawner_has_no_other_way_to_an_id),
        cmocka_unit_test(a_folder_left_open_is_no_way_out),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
