/* SOURCES: ctl/check.c ctl/check_files.c ctl/check_keys.c ctl/check_spool.c ctl/check_templates.c ctl/control.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* Values, users and lost mail: what check says of a configuration. */
#include "t/unit/ctl/invoke.h"

static void program_put(const char *name)
{
    char path[150];
    snprintf(path, sizeof path, "%s/libexec/%s", folder, name);
    assert_int_equal(symlink("/bin/true", path), 0);
}

static int setup(void **state)
{
    static const char *const others[] = { "master",       "pickup",       "auth-worker",
                                          "local-worker", "imapd-worker", "pop3d-worker", "pipe-worker" };
    char path[100];
    (void)state;
    world_make();
    snprintf(path, sizeof path, "%s/libexec", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        program_put(role_name((service_role)i));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        program_put(others[i]);
    return 0;
}

static void a_right_configuration_has_no_errors(void **state)
{
    (void)state;
    assert_int_equal(run(command_check, "check"), EXIT_DONE);
    assert_null(strstr(said, "cannot be run"));
    assert_int_equal(run(command_check, "check more"), EX_USAGE);
}

static void a_bad_value_is_named_with_its_line(void **state)
{
    char place[120];
    (void)state;
    main_cf_put("drain_timeout = soon\n");
    snprintf(place, sizeof place, "%s/main.cf:13:", folder);
    assert_int_equal(run(command_check, "check"), EX_CONFIG);
    says(place);
    says("1 errors, ");
    assert_int_equal(run(command_check, "check --json"), EX_CONFIG);
    says("\"line\":13,\"severity\":\"error\"");
    assert_int_equal(run(command_start, "start"), EX_CONFIG);
    says("not done: the configuration has errors");
}

static void users_without_mail_and_lost_mail_are_told(void **state)
{
    (void)state;
    put("users", "anna@example.test:{PLAIN}secret:20000:20000:/nowhere/anna:\n"
                 "low@example.test:{PLAIN}secret:5:20000:/nowhere/low:\n"
                 "group@example.test:{PLAIN}secret:20000:0:/nowhere/group:\n");
    put("aliases", "root: anna@example.test\n");
    assert_int_equal(run(command_check, "check"), EXIT_DONE);
    says("users:2:");
    says("uid 5 is not within");
    says("users:3:");
    says("its gid is 0");
    says("mail for postmaster goes nowhere");
    assert_null(strstr(said, "mail for root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_right_configuration_has_no_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_value_is_named_with_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(users_without_mail_and_lost_mail_are_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
