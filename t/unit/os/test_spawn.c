/* A child gets exactly what the plan names; a spawner under its own filter starts workers as users, who then confine
 * themselves. */
#include "os/spawn.h"
#include "os/become.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/sandbox.h"
#include "os/worker_confine.h"
#include "t/unit/os/os_test.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { TARGET_OUT = 7, TARGET_FILTER = 8, TARGET_FOLDER = 9, USER_UID = 2000, USER_GID = 2001 };

static char *const plain_env[] = { (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0", NULL };
static int self_fd = -1;

/* What the child does. */

static int child_report(void)
{
    char line[512] = "";
    size_t n = 0;
    sigset_t blocked;
    struct sigaction pipe_action;
    for (int fd = 0; fd < 300; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            n += (size_t)snprintf(line + n, sizeof line - n, "%d ", fd);
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    sigaction(SIGPIPE, NULL, &pipe_action);
    snprintf(line + n, sizeof line - n, "home=%s blocked=%d ignored=%d", getenv("HOME") ? getenv("HOME") : "none",
             sigismember(&blocked, SIGTERM), pipe_action.sa_handler == SIG_IGN);
    return write(TARGET_OUT, line, strlen(line)) > 0 ? 0 : 3;
}

static fault worker_at_work(const char *folder)
{
    sandbox_report r;
    sandbox_self(&r);
    NEED(r.is_proved && !r.is_dumpable && r.landlock_abi > 0);
    int file = openat(TARGET_FOLDER, "message", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    NEED(file >= 0 && file_write_all(file, STR("mail")) && fsync(file) == 0);
    NEED(ftruncate(file, 4096) == 0);
    NEED(mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0) != MAP_FAILED);
    NEED(mkdirat(TARGET_FOLDER, "cur", 0700) == 0 && renameat(TARGET_FOLDER, "message", TARGET_FOLDER, "cur/m") == 0);
    NEED(openat(TARGET_FOLDER, "../secret", O_RDONLY) < 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0 && open(folder, O_RDONLY | O_DIRECTORY) >= 0);
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
    NEED(mprotect((void *)((uintptr_t)&r & ~4095UL), 4096, PROT_READ | PROT_EXEC) < 0);
    return NO_FAULT;
}

static int child_confine(const char *folder)
{
    landlock_rule rule = { TARGET_FOLDER, ACCESS_READ | ACCESS_WRITE };
    worker_walls walls = { &rule, 1, { 0, 0, 0 }, TARGET_FILTER, true, false };
    fault f = worker_confine(&walls);
    if (!is_fault(f))
        f = worker_at_work(folder);
    sandbox_view v = { 0 };
    if (is_fault(f))
        dprintf(TARGET_OUT, "%s", f.text);
    else
        dprintf(TARGET_OUT, "confined uid=%u gid=%u %d", getuid(), getgid(), v.has_no_new_privs);
    return is_fault(f) ? 1 : 0;
}

/* The tests. */

static fault spawn_and_hear(spawn_plan *plan, char *said, size_t said_size, int *status)
{
    int out[2];
    spawned s;
    spawn_fd fds[8];
    NEED(pipe2(out, O_CLOEXEC) == 0);
    if (plan->fd_count > 0)
        memcpy(fds, plan->fds, plan->fd_count * sizeof *fds);
    fds[plan->fd_count] = (spawn_fd){ out[1], TARGET_OUT };
    plan->fds = fds;
    plan->fd_count++;
    fault f = spawn(plan, &s);
    fd_close(&out[1]);
    if (is_fault(f)) {
        fd_close(&out[0]);
        return f;
    }
    ssize_t n = read(out[0], said, said_size - 1);
    said[n > 0 ? n : 0] = '\0';
    struct pollfd ended = { .fd = s.pidfd, .events = POLLIN };
    NEED(poll(&ended, 1, 30000) == 1);
    NEED(waitpid(s.pid, status, 0) == s.pid);
    fd_close(&out[0]);
    fd_close(&s.pidfd);
    return NO_FAULT;
}

static char *const report_argv[] = { (char *)(uintptr_t) "test", (char *)(uintptr_t) "report", NULL };

static void a_child_gets_what_is_named(void **state)
{
    char *const env[] = { (char *)(uintptr_t) "HOME=/x", plain_env[0], NULL };
    char said[512];
    int status = -1, other = open("/dev/null", O_RDONLY); /* not close-on-exec, not named */
    sigset_t term;
    (void)state;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (int by_fd = 0; by_fd < 2; by_fd++) {
        spawn_fd fds[] = { { other, 20 }, { other, 5 }, { 2, 2 } };
        spawn_plan plan = SPAWN_PLAN(.argv = report_argv, .envp = env, .fds = fds, .fd_count = 3);
        if (by_fd)
            plan.exec_fd = self_fd;
        else
            plan.path = "/proc/self/exe";
        fault f = spawn_and_hear(&plan, said, sizeof said, &status);
        if (is_fault(f))
            fail_msg("%s", f.text);
        assert_string_equal(said, "0 1 2 5 7 20 home=/x blocked=0 ignored=0");
        assert_int_equal(status, 0);
    }
    sigprocmask(SIG_UNBLOCK, &term, NULL);
    signal(SIGPIPE, SIG_DFL);
    fd_close(&other);
}

static void targets_may_be_sources(void **state)
{
    char said[512];
    int status, pair[2];
    (void)state;
    assert_int_equal(pipe(pair), 0);
    spawn_fd swapped[] = { { pair[0], pair[1] }, { pair[1], pair[0] } };
    spawn_plan plan = SPAWN_PLAN(.argv = report_argv, .envp = plain_env, .fds = swapped, .fd_count = 2);
    plan.exec_fd = self_fd;
    assert_true(pair[1] != TARGET_OUT && pair[0] != TARGET_OUT);
    assert_false(is_fault(spawn_and_hear(&plan, said, sizeof said, &status)));
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static size_t fds_open(bool *is_open, int upto)
{
    size_t n = 0;
    for (int fd = 0; fd < upto; fd++) {
        is_open[fd] = fcntl(fd, F_GETFD) >= 0;
        n += is_open[fd];
    }
    return n;
}

/* The child moves descriptors, in memory that it may share with us: none of ours is closed by it, and none is left over. */
static void the_parents_descriptors_are_left_alone(void **state)
{
    enum { UPTO = 600, HELD = 400 };
    static bool before[UPTO], after[UPTO];
    char said[512];
    int status, held[HELD];
    (void)state;
    for (int i = 0; i < HELD; i++)
        assert_true((held[i] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0);
    size_t count = fds_open(before, UPTO);
    for (int i = 0; i < 3; i++) {
        spawn_plan plan = SPAWN_PLAN(.argv = report_argv, .envp = plain_env, .path = "/proc/self/exe");
        assert_false(is_fault(spawn_and_hear(&plan, said, sizeof said, &status)));
    }
    assert_int_equal(fds_open(after, UPTO), count);
    assert_memory_equal(after, before, sizeof after);
    for (int i = 0; i < HELD; i++)
        fd_close(&held[i]);
}

static void failures_are_told(void **state)
{
    char *const argv[] = { (char *)(uintptr_t) "nothing", NULL };
    char text[64];
    spawned s;
    spawn_fd bad = { 1, SPAWN_TARGETS_MAX }, closed = { 250, 3 };
    (void)state;
    fault f = spawn(&SPAWN_PLAN(.path = "/nothing/here", .argv = argv), &s);
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    assert_non_null(strstr(f.text, "exec: No such file"));
    assert_int_equal(s.pid, -1);
    assert_int_equal(s.pidfd, -1);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(spawn(&SPAWN_PLAN(.path = "/bin/true", .argv = argv, .fds = &bad, .fd_count = 1), &s).kind,
                     FAULT_BUG);
    f = spawn(&SPAWN_PLAN(.path = "/bin/true", .argv = argv, .fds = &closed, .fd_count = 1), &s);
    assert_non_null(strstr(f.text, "descriptors"));
    f = spawn(&SPAWN_PLAN(.path = "/bin/true", .argv = argv, .changes_ids = true, .uid = 0, .gid = 5), &s);
    assert_int_equal(f.kind, FAULT_BUG);
    assert_string_equal(spawn_status_text(0x4b00, text, sizeof text), "exit status 75");
    assert_non_null(strstr(spawn_status_text(11, text, sizeof text), "signal 11"));
    assert_null(spawn_failure(0));
}

static fault plain_cannot_change_ids(void *context)
{
    spawned s;
    int status;
    char *const argv[] = { (char *)(uintptr_t) "true", NULL };
    (void)context;
    fault f = spawn(&SPAWN_PLAN(.path = "/bin/true", .argv = argv, .changes_ids = true, .uid = 5, .gid = 5), &s);
    NEED(!is_fault(f) && waitpid(s.pid, &status, 0) == s.pid);
    NEED(spawn_failure(status) && strcmp(spawn_failure(status), "setgroups") == 0);
    return NO_FAULT;
}

static void a_step_that_fails_is_in_the_status(void **state)
{
    (void)state;
    assert_int_equal(run_apart(plain_cannot_change_ids, NULL, true), 0);
}

enum { WORKER = CALLS_LOOP | CALLS_CONTENT | CALLS_FILES | CALLS_LMDB | CALLS_INOTIFY };

static const contract pool = { .role = "imapd",
                               .caps = CAPS_SPAWNER,
                               .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_SPAWN,
                               .worker_calls = WORKER,
                               .is_spawner = true,
                               .files = FILES_NONE };

static fault worker_start(bool is_privileged, const char *mail, char *said, size_t said_size, int *status)
{
    int filter_fd = -1, folder_fd = open(mail, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int top_fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int usr_fd = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC); /* this test is dynamic in every build */
    landlock_rule rules[] = { { self_fd, ACCESS_READ | ACCESS_EXECUTE },
                              { top_fd, ACCESS_READ | ACCESS_WRITE },
                              { usr_fd, ACCESS_READ | ACCESS_EXECUTE } };
    char *const argv[] = { (char *)(uintptr_t) "test", (char *)(uintptr_t) "confine", (char *)(uintptr_t)mail, NULL };
    identity id = { .is_privileged = is_privileged,
                    .uid = TEST_UID,
                    .gid = TEST_GID,
                    .root_fd = -1,
                    .rules = rules,
                    .rule_count = COUNT_OF(rules),
                    .ids = { 1000, 60000, 1000, 60000, NULL, 0, 0, 0 },
                    .requires_landlock = true };
    NEED(folder_fd >= 0 && top_fd >= 0);
    fault f = seccomp_export("worker", WORKER, &filter_fd);
    if (!is_fault(f))
        f = become(&pool, &id);
    spawn_fd fds[] = { { 2, 2 }, { filter_fd, TARGET_FILTER }, { folder_fd, TARGET_FOLDER } };
    spawn_plan plan = SPAWN_PLAN(.argv = argv, .envp = plain_env, .fds = fds, .fd_count = 3,
                                 .changes_ids = is_privileged, .uid = USER_UID, .gid = USER_GID, .drops_caps = true);
    plan.exec_fd = self_fd;
    return is_fault(f) ? f : spawn_and_hear(&plan, said, said_size, status);
}

static fault pool_at_work(void *context)
{
    bool is_privileged = geteuid() == 0;
    char said[512] = "", want[64], *mail = context;
    int status = -1;
    NEED(!is_privileged || chown(mail, USER_UID, USER_GID) == 0);
    fault f = worker_start(is_privileged, mail, said, sizeof said, &status);
    if (is_fault(f))
        return f;
    snprintf(want, sizeof want, "confined uid=%u gid=%u", is_privileged ? USER_UID : getuid(),
             is_privileged ? USER_GID : getgid());
    if (strncmp(said, want, strlen(want)) != 0 || status != 0)
        return fault_make(FAULT_BUG, "3.0", "the worker says \"%s\", status %#x", said, (unsigned)status);
    return NO_FAULT;
}

static void a_pool_starts_confined_workers(void **state)
{
    (void)state;
    for (int is_plain = 0; is_plain < 2; is_plain++) {
        char mail[] = "/tmp/os-mail-XXXXXX", name[64];
        assert_non_null(mkdtemp(mail));
        assert_int_equal(chmod(mail, 0777), 0);
        int status = run_apart(pool_at_work, mail, is_plain);
        snprintf(name, sizeof name, "%s/cur/m", mail);
        unlink(name);
        snprintf(name, sizeof name, "%s/cur", mail);
        rmdir(name);
        rmdir(mail);
        assert_int_equal(status, 0);
    }
}

/* A dynamic executable finds no loader in an empty root: that it fails so shows that the root was changed, by the new
 * user. */
static fault rooted_start(void *context)
{
    char *const argv[] = { (char *)(uintptr_t) "true", NULL };
    /* The leak checker hangs where it may not trace (CONFINEMENT, seccomp). */
    char *const envp[] = { (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0", NULL };
    char folder[] = "/tmp/os-root-XXXXXX";
    identity id = { .is_privileged = true,
                    .uid = TEST_UID,
                    .gid = TEST_GID,
                    .root_fd = -1,
                    .ids = { 1000, 60000, 1000, 60000, NULL, 0, 0, 0 },
                    .requires_landlock = true };
    contract k = pool;
    spawned s;
    int status;
    NEED(mkdtemp(folder) && chown(folder, USER_UID, USER_GID) == 0);
    spawn_plan plan = SPAWN_PLAN(.argv = argv, .envp = envp, .changes_ids = true, .uid = USER_UID, .gid = USER_GID,
                                 .drops_caps = true);
    plan.exec_fd = self_fd;
    plan.root_fd = open(*(bool *)context ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    NEED(plan.root_fd >= 0 && rmdir(folder) == 0);
    k.files = FILES_UNLIMITED;
    fault f = become(&k, &id);
    if (is_fault(f) || is_fault(f = spawn(&plan, &s)))
        return f;
    bool can_root = spawn_can_root(); /* else it says that it has not, and the worker runs where it would */
    NEED(s.is_rooted == can_root && waitpid(s.pid, &status, 0) == s.pid);
    const char *failed = spawn_failure(status);
    NEED(*(bool *)context || !can_root ? failed == NULL && WIFEXITED(status) && WEXITSTATUS(status) == 0
                                       : failed && strcmp(failed, "exec") == 0);
    return NO_FAULT;
}

static void a_worker_is_rooted_by_its_spawner(void **state)
{
    (void)state;
    ROOT_ONLY();
    for (int at_top = 0; at_top < 2; at_top++) {
        bool top = at_top;
        assert_int_equal(run_apart(rooted_start, &top, false), 0);
    }
}

/* A mail folder that the user may not enter, or that is none, is told from a worker that cannot be started. */
static fault closed_start(void *context)
{
    char *const argv[] = { (char *)(uintptr_t) "true", NULL };
    char *const envp[] = { (char *)(uintptr_t) "ASAN_OPTIONS=detect_leaks=0", NULL }; /* as in rooted_start */
    identity id = { .is_privileged = true, .uid = TEST_UID, .gid = TEST_GID, .root_fd = -1,
                    .ids = { 1000, 60000, 1000, 60000, NULL, 0, 0, 0 }, .requires_landlock = true };
    contract k = pool;
    spawned s;
    int status;
    spawn_plan plan = SPAWN_PLAN(.argv = argv, .envp = envp, .changes_ids = true, .uid = USER_UID, .gid = USER_GID,
                                 .drops_caps = true, .root_path = context);
    plan.exec_fd = self_fd;
    k.files = FILES_UNLIMITED;
    fault f = become(&k, &id);
    if (is_fault(f) || is_fault(f = spawn(&plan, &s)))
        return f;
    NEED(waitpid(s.pid, &status, 0) == s.pid);
    NEED(spawn_had_no_root(status) == spawn_can_root());
    return NO_FAULT;
}

static void a_root_that_cannot_be_entered_is_told(void **state)
{
    char folder[] = "/tmp/os-closed-XXXXXX";
    (void)state;
    ROOT_ONLY();
    assert_false(spawn_had_no_root(0));
    assert_false(spawn_had_no_root(75 << 8));
    assert_non_null(mkdtemp(folder)); /* of root alone */
    assert_int_equal(run_apart(closed_start, folder, false), 0);
    rmdir(folder);
    assert_int_equal(run_apart(closed_start, (char *)(uintptr_t) "/etc/passwd", false), 0);
}

/* A spool as Debian has it: only its group may make files there. The child makes the user's mailbox with that group, and is
 * nobody but the user when its program begins; what has the name already is left alone. */
static fault spool_start(void *context)
{
    char *const argv[] = { (char *)(uintptr_t) "groups", NULL };
    char path[64], other[64], *folder = context;
    identity id = { .is_privileged = true, .uid = TEST_UID, .gid = TEST_GID, .root_fd = -1,
                    .ids = { 1000, 60000, 1000, 60000, NULL, 0, 0, 0 }, .requires_landlock = true };
    contract k = pool;
    struct stat st;
    spawned s;
    snprintf(path, sizeof path, "%s/user", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    NEED(chown(folder, 0, USER_GID + 1) == 0 && chmod(folder, 02775) == 0 && symlink("missing", other) == 0);
    k.files = FILES_UNLIMITED;
    k.calls |= CALLS_READ_FILES | CALLS_FILES;
    fault f = become(&k, &id);
    for (int i = 0; i < 3 && !is_fault(f); i++) {
        int status;
        spawn_plan plan = SPAWN_PLAN(.argv = argv, .envp = plain_env, .changes_ids = true, .uid = USER_UID, .gid = USER_GID,
                                     .drops_caps = true, .makes_path = i < 2 ? path : other, .makes_gid = USER_GID + 1);
        plan.exec_fd = self_fd;
        f = spawn(&plan, &s);
        NEED(is_fault(f) || waitpid(s.pid, &status, 0) == s.pid);
        NEED(is_fault(f) || status == 0);
    }
    NEED(is_fault(f) || (stat(path, &st) == 0 && st.st_uid == USER_UID && st.st_gid == USER_GID + 1 &&
                         (st.st_mode & 07777) == 0660 && st.st_size == 0));
    NEED(is_fault(f) || stat(other, &st) != 0); /* no link was followed */
    return f;
}

static void a_mailbox_is_made_with_the_spools_group_alone(void **state)
{
    char folder[] = "/tmp/os-spool-XXXXXX", name[64];
    (void)state;
    ROOT_ONLY();
    assert_non_null(mkdtemp(folder));
    int status = run_apart(spool_start, folder, false);
    snprintf(name, sizeof name, "%s/user", folder);
    unlink(name);
    snprintf(name, sizeof name, "%s/other", folder);
    unlink(name);
    rmdir(folder);
    assert_int_equal(status, 0);
}

static void who_makes_files_must_drop_capabilities(void **state)
{
    char *const argv[] = { (char *)(uintptr_t) "true", NULL };
    spawned s;
    spawn_plan plan = SPAWN_PLAN(.argv = argv, .changes_ids = true, .uid = USER_UID, .gid = USER_GID, .makes_path = "/tmp/x");
    (void)state;
    assert_int_equal(spawn(&plan, &s).kind, FAULT_BUG);
}

/* Exit status 0: no group but the user's, in any place. */
static int child_groups(void)
{
    gid_t r, e, s;
    return getresgid(&r, &e, &s) == 0 && r == USER_GID && e == USER_GID && s == USER_GID && getgroups(0, NULL) == 0 &&
                   setresgid(USER_GID + 1, USER_GID + 1, USER_GID + 1) != 0
               ? 0
               : 9;
}

int main(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "true") == 0)
        return 0;
    if (argc > 0 && strcmp(argv[0], "groups") == 0)
        return child_groups();
    if (argc > 1)
        return strcmp(argv[1], "report") == 0 ? child_report() : child_confine(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_gets_what_is_named),
        cmocka_unit_test(a_mailbox_is_made_with_the_spools_group_alone),
        cmocka_unit_test(who_makes_files_must_drop_capabilities),
        cmocka_unit_test(targets_may_be_sources),
        cmocka_unit_test(the_parents_descriptors_are_left_alone),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(a_step_that_fails_is_in_the_status),
        cmocka_unit_test(a_pool_starts_confined_workers),
        cmocka_unit_test(a_worker_is_rooted_by_its_spawner),
        cmocka_unit_test(a_root_that_cannot_be_entered_is_told),
    };
    self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
