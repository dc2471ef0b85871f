/* SOURCES: ctl/check.c ctl/check_files.c ctl/check_keys.c ctl/check_spool.c ctl/check_templates.c ctl/control.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* What check says of programs and folders. */
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

static void files_are_checked(void **state)
{
    char path[120];
    (void)state;
    snprintf(path, sizeof path, "%s/libexec/qmgr", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(run(command_check, "check"), EX_CONFIG);
    says("libexec/qmgr: ");
    says("cannot be run: ");
    program_put("qmgr");
    snprintf(path, sizeof path, "%s/master.cf", folder);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(run(command_check, "check"), EX_CONFIG);
    says("everybody may write to it (mode 0666)");
    assert_int_equal(chmod(path, 0644), 0);
    snprintf(path, sizeof path, "%s/spool", folder);
    put("spool", "");
    assert_int_equal(run(command_check, "check"), EX_CONFIG);
    says("is no folder");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(run(command_check, "check"), EXIT_DONE);
    says("has mode 0700 instead of 0755");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_are_checked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
