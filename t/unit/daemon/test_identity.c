/* Who a process becomes: what master said, and for a spawner the ids that the configuration allows. */
#include "parts.h"
#include "ipc/talk/control.h"
#include <pwd.h>

static const contract plain = { .role = "plain" }, spawner = { .role = "spawner", .is_spawner = true };

static void a_plain_process_may_become_nobody_else(void **state)
{
    const program p = { .contract = &plain };
    process d;
    control_start m = { .is_privileged = 1, .uid = 62001, .gid = 62002, .requires_sandbox = 1 };
    (void)state;
    parts_open(&d, &p, "");
    assert_false(is_fault(daemon_identity_set(&d, &m)));
    assert_true(d.identity.is_privileged && d.identity.requires_landlock);
    assert_int_equal(d.identity.uid, 62001);
    assert_int_equal(d.identity.gid, 62002);
    assert_int_equal(d.identity.root_fd, -1);
    assert_int_equal(d.identity.ids.uid_max, 0);
    parts_close(&d);
}

static void a_spawner_gets_the_configured_ranges(void **state)
{
    const program p = { .contract = &spawner };
    process d;
    control_start m = { .is_privileged = 1, .uid = 62001, .gid = 62001 };
    (void)state;
    parts_open(&d, &p, "minimum_uid = 1234\nmaximum_uid = 2345\nmail_gids = 8 no-such-group-here 100\n");
    assert_false(is_fault(daemon_identity_set(&d, &m)));
    assert_int_equal(d.identity.ids.uid_min, 1234);
    assert_int_equal(d.identity.ids.uid_max, 2345);
    assert_int_equal(d.identity.ids.gid_count, 2);
    assert_int_equal(d.identity.ids.gids[0], 8);
    assert_int_equal(d.identity.ids.gids[1], 100);
    free((void *)(uintptr_t)d.identity.ids.gids);
    parts_close(&d);
}

static void users_programs_get_one_account_more(void **state)
{
    static const contract programs = { .role = "programs", .is_spawner = true, .has_default_privs = true };
    const program p = { .contract = &programs };
    process d;
    control_start m = { .is_privileged = 1, .uid = 62001, .gid = 62001 };
    (void)state;
    parts_open(&d, &p, "default_privs = nobody\n"); /* root and others are refused at load: test_check */
    assert_false(is_fault(daemon_identity_set(&d, &m)));
    assert_int_equal(d.identity.ids.extra_uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(d.identity.ids.extra_gid, getpwnam("nobody")->pw_gid);
    free((void *)(uintptr_t)d.identity.ids.gids);
    parts_close(&d);
}

static void the_root_is_opened_or_named_in_the_fault(void **state)
{
    const program p = { .contract = &plain };
    process d;
    control_start there = { .root = STR("/tmp") }, not_there = { .root = STR("/tmp/no/such/folder") };
    (void)state;
    parts_open(&d, &p, "");
    assert_false(is_fault(daemon_identity_set(&d, &there)));
    assert_true(d.identity.root_fd >= 0);
    close(d.identity.root_fd);
    fault f = daemon_identity_set(&d, &not_there);
    assert_true(is_fault(f));
    assert_non_null(strstr(f.text, "/tmp/no/such/folder"));
    parts_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_process_may_become_nobody_else),
        cmocka_unit_test(a_spawner_gets_the_configured_ranges),
        cmocka_unit_test(users_programs_get_one_account_more),
        cmocka_unit_test(the_root_is_opened_or_named_in_the_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
