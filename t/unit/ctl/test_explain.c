/* SOURCES: ctl/explain.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* Why policy says what it says. */
#include "t/unit/ctl/invoke.h"

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static void policy_is_explained(void **state)
{
    (void)state;
    assert_int_equal(run(command_explain, "explain -c 192.0.2.1 -h a.test -s a@a.test -r postmaster@mail.example.test"),
                     EXIT_DONE);
    says("connect\n");
    says("rcpt\n");
    says("  = 250");
    assert_int_equal(run(command_explain, "explain -c 192.0.2.1 -h a.test -s a@a.test -r nobody@mail.example.test"),
                     EXIT_FAILED);
    says("  = 550 5.1.1");
    assert_int_equal(run(command_explain, "explain -c 192.0.2.1 -h a.test -s a@a.test -r b@elsewhere.test"),
                     EXIT_FAILED);
    says("  = 554 5.7.1");
    assert_int_equal(run(command_explain, "explain"), EX_USAGE);
    assert_int_equal(run(command_explain, "explain --service nosuch -r b@elsewhere.test"), EXIT_FAILED);
    says("there is no smtpd service nosuch");
}

static void policy_is_explained_as_json(void **state)
{
    (void)state;
    assert_int_equal(run(command_explain, "explain --json -c 192.0.2.1 -s a@a.test -r <b@elsewhere.test>"),
                     EXIT_FAILED);
    says("{\"accepted\":false,\"code\":554,");
    says("\"status\":\"5.7.1\"");
    assert_int_equal(run(command_explain, "explain --json -c mx.a.test[192.0.2.1] -s <> -r root@mail.example.test"),
                     EXIT_DONE);
    says("{\"accepted\":true,\"code\":250,");
    says("\"address\":\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(policy_is_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(policy_is_explained_as_json, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
