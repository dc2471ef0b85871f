/* SOURCES: pipe/worker/outcome.c  NEEDS: base */
#include "pipe/worker/outcome.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SIGNAL_9 = 9 };

static int exited(int code)
{
    return code << 8;
}

static void says(int wait_status, bool is_late, const char *output, fault_kind kind, const char *status, const char *words)
{
    buf reason = buf_new(10000);
    command_end end = { wait_status, is_late, STR("/bin/prog arg"), str_c(output) };
    fault f = outcome_read(&end, &reason);
    if (f.kind != kind || (is_fault(f) && strcmp(f.status, status) != 0) || strcmp(buf_c(&reason), words) != 0)
        fail_msg("%d \"%s\": %d %s %s", wait_status, output, f.kind, f.status, buf_c(&reason));
    buf_free(&reason);
}

static void ends_have_their_meaning(void **state)
{
    (void)state;
    says(0, false, "", FAULT_NONE, "", "delivered to command: /bin/prog arg");
    says(0, false, "5.7.1 no", FAULT_NONE, "", "delivered to command: /bin/prog arg");
    says(exited(67), false, "", FAULT_REFUSED, "1.1", "user unknown");
    says(exited(75), false, "busy\n", FAULT_TRY_LATER, "3.0", "temporary failure. Command output: busy");
    says(exited(71), false, "", FAULT_TRY_LATER, "3.0", "system resource problem");
    says(exited(77), false, "", FAULT_REFUSED, "7.0", "permission denied");
    says(exited(78), false, "", FAULT_REFUSED, "3.5", "local configuration error");
    says(exited(1), false, "x", FAULT_REFUSED, "3.0", "Command died with status 1: \"/bin/prog arg\". Command output: x");
    says(exited(79), false, "", FAULT_REFUSED, "3.0", "Command died with status 79: \"/bin/prog arg\"");
    says(SIGNAL_9, false, "5.7.1 no", FAULT_TRY_LATER, "3.0",
         "Command died with signal 9: \"/bin/prog arg\". Command output: 5.7.1 no");
    says(SIGNAL_9, true, "", FAULT_TRY_LATER, "3.0", "Command time limit exceeded: \"/bin/prog arg\"");
    says(exited(0), true, "", FAULT_TRY_LATER, "3.0", "Command time limit exceeded: \"/bin/prog arg\"");
}

static void output_may_name_the_status(void **state)
{
    static const struct {
        const char *output;
        fault_kind kind;
        const char *status, *words;
    } rows[] = {
        { "4.7.1 later", FAULT_TRY_LATER, "7.1", "later" },
        { "  5.1.10 never\n", FAULT_REFUSED, "1.10", "never" },
        { "5.999.999 x", FAULT_REFUSED, "999.999", "x" },
        { "4.7.1", FAULT_TRY_LATER, "7.1", "data format error" },
        { "5.7.1\tx", FAULT_REFUSED, "7.1", "x" },
        { "5.7", FAULT_REFUSED, "6.0", "data format error. Command output: 5.7" },
        { "5.7.", FAULT_REFUSED, "6.0", "data format error. Command output: 5.7." },
        { "5..1 x", FAULT_REFUSED, "6.0", "data format error. Command output: 5..1 x" },
        { "5.7.1x", FAULT_REFUSED, "6.0", "data format error. Command output: 5.7.1x" },
        { "2.0.0 x", FAULT_REFUSED, "6.0", "data format error. Command output: 2.0.0 x" },
        { "45.1.1 x", FAULT_REFUSED, "6.0", "data format error. Command output: 45.1.1 x" },
        { "5.1234.1 x", FAULT_REFUSED, "6.0", "data format error. Command output: 5.1234.1 x" },
        { "\x1b[31m\x07\xff\nz\t", FAULT_REFUSED, "6.0", "data format error. Command output: ?[31m?? z" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        says(exited(65), false, rows[i].output, rows[i].kind, rows[i].status, rows[i].words);
}

static void any_output_is_taken(void **state)
{
    static const char output[] = "5.7.1 \0x\r\n5";
    (void)state;
    for (size_t n = 0; n < sizeof output; n++) {
        buf reason = buf_new(1000);
        command_end end = { exited(65), false, STR(""), { output, n } };
        assert_true(is_fault(outcome_read(&end, &reason)));
        for (size_t i = 0; i < reason.n; i++)
            assert_true(reason.p[i] >= ' ');
        buf_free(&reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ends_have_their_meaning), cmocka_unit_test(output_may_name_the_status),
                                        cmocka_unit_test(any_output_is_taken) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
