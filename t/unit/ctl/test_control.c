/* SOURCES: ctl/check.c ctl/check_files.c ctl/check_keys.c ctl/check_spool.c ctl/check_templates.c ctl/control.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* start, stop and reload of what does not run. */
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

static void what_does_not_run_is_not_stopped(void **state)
{
    (void)state;
    assert_int_equal(run(command_stop, "stop"), EXIT_DONE);
    assert_string_equal(said, "postrider stop: it does not run\n");
    assert_int_equal(run(command_reload, "reload"), EXIT_NOT_RUNNING);
    says("postrider reload: it does not run\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_run_is_not_stopped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
