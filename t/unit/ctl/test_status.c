/* SOURCES: ctl/status.c ctl/options.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* A suite that does not run. */
#include "t/unit/ctl/invoke.h"

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static void a_stopped_suite_says_so(void **state)
{
    (void)state;
    assert_int_equal(run(command_status, "status"), EXIT_NOT_RUNNING);
    assert_string_equal(said, "not running\n");
    assert_int_equal(run(command_status, "status --json"), EXIT_NOT_RUNNING);
    says("{\"running\":false,");
    says("\"processes\":[]}");
    assert_int_equal(run(command_status, "status more"), EX_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stopped_suite_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
