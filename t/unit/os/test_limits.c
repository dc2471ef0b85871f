/* Limits apply, never above the hard limit. */
#include "os/limits.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static fault applied(void *context)
{
    process_limits l = { .open_files = 50, .file_bytes = 1 << 20 };
    struct rlimit files, core;
    (void)context;
    NEED(limits_apply(&l, true) == NULL);
    NEED(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max == 50);
    NEED(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0);
    NEED(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    l.open_files = 1000000;
    NEED(limits_apply(&l, true) == NULL);
    NEED(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max == 50);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(!limits_has_mdwe() || mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
    return NO_FAULT;
}

static fault fork_forbidden(void *context)
{
    (void)context;
    NEED(limits_forbid_fork());
    NEED(syscall(SYS_clone, (unsigned long)SIGCHLD, 0UL, 0UL, 0UL, 0UL) < 0 && errno == EAGAIN);
    return NO_FAULT;
}

static void they_hold(void **state)
{
    (void)state;
    assert_int_equal(run_apart(applied, NULL, true), 0);
    assert_int_equal(run_apart(fork_forbidden, NULL, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(they_hold) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
