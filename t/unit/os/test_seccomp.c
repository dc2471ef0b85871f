/* Which contracts compile, and that a spawner's ranges cannot reach root. What the filters do: test_seccomp_args,
 * test_become. */
#include "os/seccomp.h"
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>

static const contract spawner = { .role = "imapd", .calls = CALLS_LOOP | CALLS_SPAWN, .is_spawner = true };

static void ranges_never_hold_root(void **state)
{
    static const gid_t root_group[] = { 8, 0 };
    const struct {
        id_ranges ids;
        bool is_good;
    } rows[] = {
        { { 1000, 60000, 1000, 60000, NULL, 0, 0, 0 }, true },
        { { 1, 1, 0, 0, NULL, 0, 0, 0 }, true },
        { { 0, 60000, 1000, 60000, NULL, 0, 0, 0 }, false },
        { { 1000, 999, 1000, 60000, NULL, 0, 0, 0 }, false },
        { { 1000, (uid_t)-1, 1, 2, NULL, 0, 0, 0 }, false },
        { { 1000, 2000, 0, 60000, NULL, 0, 0, 0 }, false },
        { { 1000, 2000, 5, (gid_t)-1, NULL, 0, 0, 0 }, false },
        { { 1000, 2000, 5, 4, NULL, 0, 0, 0 }, false },
        { { 1000, 2000, 5, 6, root_group, 1, 0, 0 }, true },
        { { 1000, 2000, 5, 6, root_group, 2, 0, 0 }, false },
        { { 1000, 2000, 5, 6, root_group, SECCOMP_GIDS_MAX + 1, 0, 0 }, false },
        { { 1000, 2000, 0, 0, NULL, 0, 65534, 65534 }, true },
        { { 1000, 2000, 0, 0, NULL, 0, 65534, 0 }, false },
        { { 1000, 2000, 0, 0, NULL, 0, 0, 65534 }, false },
        { { 1000, 2000, 0, 0, NULL, 0, 0xffffffff, 65534 }, false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        filter f;
        fault got = seccomp_compile(&spawner, &rows[i].ids, &f);
        assert_int_equal(got.kind, rows[i].is_good ? FAULT_NONE : FAULT_BUG);
        filter_free(&f);
    }
    filter f;
    assert_int_equal(seccomp_compile(&spawner, NULL, &f).kind, FAULT_BUG);
}

static void many_groups_fit(void **state)
{
    gid_t gids[SECCOMP_GIDS_MAX];
    id_ranges ids = { .uid_min = 1000, .uid_max = 2000, .gids = gids, .gid_count = SECCOMP_GIDS_MAX };
    filter f;
    (void)state;
    for (unsigned i = 0; i < SECCOMP_GIDS_MAX; i++)
        gids[i] = 100 + i;
    assert_false(is_fault(seccomp_compile(&spawner, &ids, &f)));
    assert_true(f.counts[1] < FILTER_INSTRUCTIONS_MAX);
    filter_free(&f);
}

static fault list_loads(void *context)
{
    contract k = { .role = "x", .calls = *(unsigned *)context };
    filter f;
    fault got = seccomp_compile(&k, NULL, &f);
    if (is_fault(got))
        return got;
    NEED(f.counts[1] > 0 && (f.counts[0] == 0) == (k.calls == CALLS_ANY));
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(filter_load(&f));
    filter_free(&f);
    return NO_FAULT;
}

static void every_family_loads(void **state)
{
    (void)state;
    for (unsigned bit = 1; bit <= CALLS_ANY; bit <<= 1) {
        unsigned families = bit == CALLS_ANY ? bit : bit | CALLS_LOOP;
        assert_int_equal(run_apart(list_loads, &families, false), 0);
    }
}

static fault own_thread_only(void *context)
{
    static const contract k = { .role = "x", .calls = CALLS_LOOP };
    filter f;
    (void)context;
    NEED(!is_fault(seccomp_compile(&k, NULL, &f)));
    pid_t parent = getppid();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    NEED(filter_load(&f));
    NEED(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
    NEED(syscall(SYS_tgkill, parent, parent, 0) < 0 && errno == EPERM);
    filter_free(&f);
    return NO_FAULT;
}

static void signals_go_to_oneself_only(void **state)
{
    (void)state;
    assert_int_equal(run_apart(own_thread_only, NULL, false), 0);
}

static void an_export_is_sealed(void **state)
{
    int fd;
    filter f;
    (void)state;
    assert_false(is_fault(seccomp_export("worker", CALLS_LOOP | CALLS_FILES, &fd)));
    assert_true(fd_is_sealed(fd));
    assert_false(is_fault(filter_read(fd, &f)));
    filter_free(&f);
    fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_never_hold_root), cmocka_unit_test(many_groups_fit),
        cmocka_unit_test(every_family_loads),     cmocka_unit_test(signals_go_to_oneself_only),
        cmocka_unit_test(an_export_is_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
