/* SOURCES: ctl/check.c ctl/check_files.c ctl/check_keys.c ctl/check_spool.c ctl/check_templates.c ctl/control.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* A configuration that would let a stranger relay. */
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

static void an_open_relay_is_an_error(void **state)
{
    (void)state;
    main_cf_put("smtpd_relay_restrictions = permit\nsmtpd_recipient_restrictions = permit\n");
    assert_int_equal(run(command_check, "check"), EX_CONFIG);
    says("relay");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_open_relay_is_an_error, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
