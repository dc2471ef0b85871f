/* The view is what the kernel says of a process. */
#include "os/sandbox.h"
#include "os/caps.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <sys/prctl.h>

static fault plain_view(void *context)
{
    sandbox_view v;
    bool was_changed = *(bool *)context;
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    fault f = sandbox_read(getpid(), &v);
    if (is_fault(f))
        return f;
    NEED(v.uids[0] == getuid() && v.uids[3] == geteuid() && v.gids[0] == getgid());
    NEED(v.has_no_new_privs && v.seccomp_mode == 0);
    NEED(!was_changed || (v.caps_effective == 0 && v.group_count == 0));
    return NO_FAULT;
}

static void a_process_is_seen(void **state)
{
    bool is_root = geteuid() == 0;
    (void)state;
    assert_int_equal(run_apart(plain_view, &is_root, true), 0);
}

static void roots_and_capabilities_are_seen(void **state)
{
    sandbox_view v;
    uint64_t e, p, i;
    (void)state;
    assert_false(is_fault(sandbox_read(getpid(), &v)));
    assert_true(caps_get(&e, &p, &i));
    assert_int_equal(v.caps_effective, e);
    assert_int_equal(v.caps_permitted, p);
    assert_string_equal(v.root, "/");
    assert_int_equal(sandbox_read(0x3fffffff, &v).kind, FAULT_TRY_LATER);
}

static void the_report_keeps_what_was_noted(void **state)
{
    sandbox_report r = { .landlock_abi = 6, .is_proved = true, .has_scope_walled = true }, got;
    (void)state;
    sandbox_note(&r);
    sandbox_self(&got);
    assert_true(got.is_proved && got.has_scope_walled && !got.has_ports_walled);
    assert_int_equal(got.landlock_abi, 6);
    assert_int_equal(got.is_dumpable, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0);
}

static void capabilities_have_names(void **state)
{
    char text[100], small[8];
    (void)state;
    assert_string_equal(sandbox_caps_text(0, text, sizeof text), "none");
    assert_string_equal(sandbox_caps_text(1 << 6 | 1 << 7 | 1 << 18, text, sizeof text), "setgid,setuid,sys_chroot");
    assert_string_equal(sandbox_caps_text(1ULL << 40, text, sizeof text), "40");
    assert_true(strlen(sandbox_caps_text(UINT64_MAX, small, sizeof small)) < sizeof small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_seen),
        cmocka_unit_test(roots_and_capabilities_are_seen),
        cmocka_unit_test(the_report_keeps_what_was_noted),
        cmocka_unit_test(capabilities_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
