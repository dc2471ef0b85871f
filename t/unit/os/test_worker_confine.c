/* A worker's own walls and its proof. Started by a spawner: test_spawn. */
#include "os/worker_confine.h"
#include "os/fd.h"
#include "os/filter.h"
#include "os/seccomp.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

static char folder[] = "/tmp/os-worker-XXXXXX";

static fault confined(unsigned families)
{
    landlock_rule rule = { open(folder, O_PATH | O_DIRECTORY), ACCESS_READ | ACCESS_WRITE };
    worker_walls w = { &rule, 1, { 100, 1 << 28, 1 << 20 }, -1, true, false };
    fault f = seccomp_export("worker", families, &w.filter_fd);
    return is_fault(f) ? f : worker_confine(&w);
}

static fault works_in_its_folder(void *context)
{
    fault f = confined(CALLS_LOOP | CALLS_CONTENT | CALLS_FILES | CALLS_LMDB);
    (void)context;
    if (is_fault(f))
        return f;
    int dir = open(folder, O_RDONLY | O_DIRECTORY);
    NEED(dir >= 0 && openat(dir, "m", O_RDWR | O_CREAT, 0600) >= 0 && unlinkat(dir, "m", 0) == 0);
    NEED(open("/etc/passwd", O_RDONLY) < 0 && socket(AF_INET, SOCK_STREAM, 0) < 0);
    NEED(syscall(SYS_execve, "/bin/true", NULL, NULL) < 0 && errno == EPERM);
    return NO_FAULT;
}

static fault dies_when_it_strays(void *context)
{
    fault f = confined(CALLS_LOOP | CALLS_FILES);
    (void)context;
    NEED(!is_fault(f));
    syscall(SYS_chmod, folder, 0777); /* the path form, which Landlock does not stop */
    return NO_FAULT;
}

static fault refuses_to_start_open(void *context)
{
    landlock_rule rule = { open(folder, O_PATH | O_DIRECTORY), ACCESS_READ };
    worker_walls w = { &rule, 1, { 0, 0, 0 }, -1, true, false };
    (void)context;
    fault f = seccomp_export("worker", CALLS_LOOP | CALLS_UNIX | CALLS_CONNECT, &w.filter_fd);
    NEED(!is_fault(f));
    f = worker_confine(&w);
    NEED(f.kind == FAULT_BUG && strstr(f.text, "it could open a socket"));
    return NO_FAULT;
}

static fault refuses_a_filter_that_is_none(void *context)
{
    worker_walls w = { NULL, 0, { 0, 0, 0 }, -1, true, false };
    (void)context;
    NEED(!is_fault(fd_seal("x", STR("nonsense"), &w.filter_fd)));
    NEED(worker_confine(&w).kind == FAULT_BROKEN);
    return NO_FAULT;
}

/* What a user's programs need: to start others, to connect, to read what permissions allow. */
static fault runs_programs(void *context)
{
    worker_walls w = { .filter_fd = -1, .requires_landlock = true, .runs_programs = true };
    (void)context;
    fault f = seccomp_export("worker", CALLS_ANY, &w.filter_fd);
    NEED(!is_fault(f));
    f = worker_confine(&w);
    if (is_fault(f))
        return f;
    NEED(open("/etc/passwd", O_RDONLY) >= 0 && socket(AF_INET, SOCK_STREAM, 0) >= 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 7", NULL);
        _exit(1);
    }
    int status;
    NEED(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    NEED(syscall(SYS_setuid, 0UL) < 0 && syscall(SYS_unshare, 0x10000000UL) < 0);
    NEED(syscall(SYS_keyctl, 0L, -3L, 0L, 0L, 0L) < 0 && errno == EPERM);
    return NO_FAULT;
}

static fault refuses_to_run_programs_with_a_wide_filter(void *context)
{
    worker_walls w = { .filter_fd = -1, .runs_programs = true };
    filter open_filter = { 0 };
    static struct sock_filter all = { BPF_RET | BPF_K, 0, 0, 0x7fff0000 };
    (void)context;
    open_filter.programs[FILTER_PROGRAMS - 1] = &all;
    open_filter.counts[FILTER_PROGRAMS - 1] = 1;
    NEED(!is_fault(filter_write(&open_filter, "worker", &w.filter_fd)));
    fault f = worker_confine(&w);
    NEED(f.kind == FAULT_BUG && strstr(f.text, "not confined"));
    return NO_FAULT;
}

static void programs_have_walls_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(run_apart(runs_programs, NULL, true), 0);
    assert_int_equal(run_apart(refuses_to_run_programs_with_a_wide_filter, NULL, true), 0);
}

static void walls_hold(void **state)
{
    (void)state;
    for (int is_plain = 0; is_plain < 2; is_plain++) {
        if (is_plain || geteuid() != 0)
            assert_int_equal(run_apart(works_in_its_folder, NULL, is_plain), 0);
        int status = run_apart(dies_when_it_strays, NULL, true);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
        assert_int_equal(run_apart(refuses_to_start_open, NULL, true), 0);
        assert_int_equal(run_apart(refuses_a_filter_that_is_none, NULL, true), 0);
    }
}

static int make(void **state)
{
    (void)state;
    return !mkdtemp(folder) || chmod(folder, 0777);
}

static int unmake(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(walls_hold),
                                        cmocka_unit_test(programs_have_walls_of_their_own) };
    return cmocka_run_group_tests(tests, make, unmake);
}
