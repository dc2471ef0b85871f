/* SOURCES:  NEEDS: ctl_common */
/* The queue as mailq has always shown it. */
#include "t/unit/ctl/queue.h"
#include "ctl/common/mailq.h"
#include <sysexits.h>

static int print(invocation *in)
{
    assert_true(config_open(folder, false, &in->parsed));
    return mailq_print(&in->parsed.base.config);
}

static void messages_are_shown(void **state)
{
    char remove_all[200];
    (void)state;
    assert_int_equal(run(print, "mailq"), EX_OK);
    says("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n");
    says("* ");
    says("! ");
    says(" a@b.example\n");
    says("                                         u@l.example\n");
    says("-- 0 Kbytes in 2 Requests.\n");
    snprintf(remove_all, sizeof remove_all, "rm -rf %s/spool/queue/active/* %s/spool/queue/hold/*", folder, folder);
    assert_int_equal(system(remove_all), 0);
    assert_int_equal(run(print, "mailq"), EX_OK);
    assert_string_equal(said, "Mail queue is empty\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(messages_are_shown, setup, teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
