/* Filters survive the trip as bytes; whatever else arrives is refused. */
#include "os/filter.h"
#include "os/fd.h"
#include "os/seccomp.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <linux/seccomp.h>

static void survives_the_trip(void **state)
{
    static const contract k = { .role = "smtpd", .calls = CALLS_LOOP | CALLS_CONTENT };
    filter made, got;
    int fd;
    (void)state;
    assert_false(is_fault(seccomp_compile(&k, NULL, &made)));
    assert_false(is_fault(filter_write(&made, "smtpd", &fd)));
    assert_true(fd_is_sealed(fd));
    assert_false(is_fault(filter_read(fd, &got)));
    assert_int_equal(got.pid_count, 1);
    assert_memory_equal(got.pids, made.pids, sizeof got.pids);
    for (size_t i = 0; i < FILTER_PROGRAMS; i++) {
        assert_int_equal(got.counts[i], made.counts[i]);
        assert_memory_equal(got.programs[i], made.programs[i], made.counts[i] * sizeof *made.programs[i]);
    }
    filter_free(&made);
    filter_free(&got);
    fd_close(&fd);
}

static bool is_read(str bytes)
{
    filter got;
    int fd;
    assert_false(is_fault(fd_seal("test", bytes, &fd)));
    fault f = filter_read(fd, &got);
    filter_free(&got);
    fd_close(&fd);
    return !is_fault(f);
}

static void refuses_anything_else(void **state)
{
    static const contract k = { .role = "worker", .calls = CALLS_LOOP };
    filter made;
    int fd;
    str whole;
    char bytes[16 * 1024];
    (void)state;
    assert_false(is_fault(seccomp_compile(&k, NULL, &made)));
    assert_false(is_fault(filter_write(&made, "worker", &fd)));
    assert_false(is_fault(fd_map_sealed(fd, sizeof bytes - 1, &whole)));
    memcpy(bytes, whole.p, whole.n);
    bytes[whole.n] = 0;
    assert_true(is_read((str){ bytes, whole.n }));
    assert_false(is_read((str){ bytes, whole.n + 1 }));
    for (size_t n = 0; n < whole.n; n += n < 40 ? 1 : 97)
        assert_false(is_read((str){ bytes, n }));
    for (size_t i = 0; i < 10; i++) { /* the magic, the number of pids and the counts */
        bytes[i] ^= (char)0x80;
        assert_false(is_read((str){ bytes, whole.n }));
        bytes[i] ^= (char)0x80;
    }
    bytes[11] = (char)0xff; /* the first pid stands outside */
    assert_false(is_read((str){ bytes, whole.n }));
    fd_unmap(&whole);
    fd_close(&fd);
    filter_free(&made);
}

/* Nothing but the deaths is another decision. */
static void one_that_traps_decides_the_same(void **state)
{
    static const contract k = { .role = "smtpd", .calls = CALLS_LOOP | CALLS_CONTENT };
    filter made;
    size_t traps = 0;
    (void)state;
    assert_false(is_fault(seccomp_compile(&k, NULL, &made)));
    filter trapping = filter_trapping(&made);
    assert_int_equal(trapping.pid_count, made.pid_count);
    assert_memory_equal(trapping.pids, made.pids, sizeof made.pids);
    for (size_t i = 0; i < FILTER_PROGRAMS; i++) {
        assert_int_equal(trapping.counts[i], made.counts[i]);
        for (size_t n = 0; n < made.counts[i]; n++) {
            struct sock_filter *was = &made.programs[i][n], *is = &trapping.programs[i][n];
            bool kills = was->code == (BPF_RET | BPF_K) && was->k == SECCOMP_RET_KILL_PROCESS;
            traps += kills;
            assert_true(is->code == was->code && is->jt == was->jt && is->jf == was->jf);
            assert_int_equal(is->k, kills ? SECCOMP_RET_TRAP : was->k);
        }
    }
    assert_true(traps >= 2);
    filter_free(&made);
    filter_free(&trapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(survives_the_trip), cmocka_unit_test(refuses_anything_else),
                                        cmocka_unit_test(one_that_traps_decides_the_same) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
