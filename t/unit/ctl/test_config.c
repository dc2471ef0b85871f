/* SOURCES: ctl/config.c ctl/options.c ctl/rules.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* Parameters, shown and set. */
#include "t/unit/ctl/invoke.h"

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static void parameters_are_listed(void **state)
{
    (void)state;
    assert_int_equal(run(command_config_verb, "config"), EXIT_DONE);
    says("myhostname = mail.example.test\n");
    says("drain_timeout = ");
    assert_int_equal(run(command_config_verb, "config -n"), EXIT_DONE);
    says("minimum_uid = 1000\n");
    assert_null(strstr(said, "drain_timeout"));
    assert_int_equal(run(command_config_verb, "config minimum_uid"), EXIT_DONE);
    assert_string_equal(said, "minimum_uid = 1000\n");
    assert_int_equal(run(command_config_verb, "config -h myhostname"), EXIT_DONE);
    assert_string_equal(said, "mail.example.test\n");
    assert_int_equal(run(command_config_verb, "config no_such_name"), EXIT_FAILED);
    says("no_such_name");
    assert_int_equal(run(command_config_verb, "config -n -d"), EX_USAGE);
    says("usage: ");
}

static void parameters_are_explained(void **state)
{
    (void)state;
    assert_int_equal(run(command_config_verb, "config --help minimum_uid maximal_queue_lifetime"), EXIT_DONE);
    says("minimum_uid (default: 500)\n    The lowest user id that mail may be delivered to or read as.\n    Value: ");
    says("; a number without a letter means days.\n");
    assert_int_equal(run(command_config_verb, "config --help minimum_uids"), EXIT_FAILED);
    says("did you mean minimum_uid?");
    assert_int_equal(run(command_config_verb, "config --help"), EX_USAGE);
}

static void parameters_are_set(void **state)
{
    (void)state;
    assert_int_equal(run(command_config_verb, "config -e minimum_uid=1234"), EXIT_DONE);
    assert_int_equal(run(command_config_verb, "config -h minimum_uid"), EXIT_DONE);
    assert_string_equal(said, "1234\n");
    assert_int_equal(run(command_config_verb, "config -e minimum_uid"), EX_USAGE);
    says("not NAME=VALUE: minimum_uid");
    assert_int_equal(run(command_config_verb, "config -e"), EX_USAGE);
    assert_int_equal(run(command_config_verb, "config --service nosuch"), EXIT_FAILED);
    says("there is no service nosuch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parameters_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_are_explained, setup, teardown),
        cmocka_unit_test_setup_teardown(parameters_are_set, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
