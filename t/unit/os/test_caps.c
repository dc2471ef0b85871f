/* Capabilities become exactly what is asked, and nothing brings them back. */
#include "os/caps.h"
#include "os/contract.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>

static void bits_are_the_kernels(void **state)
{
    (void)state;
    assert_int_equal(caps_from_contract(0), 0);
    assert_int_equal(caps_from_contract(CAPS_SPAWNER),
                     1ULL << CAP_SETUID | 1ULL << CAP_SETGID | 1ULL << CAP_SYS_CHROOT);
    assert_int_equal(caps_from_contract(CAPS_SETPCAP | CAPS_BIND | CAPS_KILL | CAPS_READ_SEARCH),
                     1ULL << CAP_SETPCAP | 1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_KILL |
                         1ULL << CAP_DAC_READ_SEARCH);
}

static fault without_root(void *context)
{
    (void)context;
    NEED(caps_set(0));
    NEED(!caps_set(1ULL << CAP_SETUID) && errno == EPERM);
    NEED(!caps_lock_securebits());
    return NO_FAULT;
}

static fault as_root(void *context)
{
    uint64_t wanted = caps_from_contract(CAPS_SPAWNER), e, p, i;
    (void)context;
    NEED(caps_lock_securebits() && prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == 0xef);
    NEED(caps_drop_bounding(0) && prctl(PR_CAPBSET_READ, CAP_SETUID, 0, 0, 0) == 0);
    NEED(setresuid(TEST_UID, TEST_UID, TEST_UID) == 0);
    NEED(caps_get(&e, &p, &i) && (e & wanted) == wanted); /* a change of ids means nothing any more */
    NEED(caps_set(wanted) && caps_get(&e, &p, &i) && e == wanted && p == wanted && i == 0);
    NEED(setresuid(0, 0, 0) == 0 && caps_get(&e, &p, &i) && e == wanted && p == wanted);
    NEED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) < 0);
    NEED(caps_set(0) && setresuid(TEST_UID, TEST_UID, TEST_UID) < 0);
    return NO_FAULT;
}

static void sets_are_exact(void **state)
{
    (void)state;
    assert_int_equal(run_apart(without_root, NULL, true), 0);
    if (geteuid() == 0)
        assert_int_equal(run_apart(as_root, NULL, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(bits_are_the_kernels), cmocka_unit_test(sets_are_exact) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
