#include "conf/feedback.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void each_form_is_read(void **state)
{
    static const struct {
        const char *text;
        double at_1, at_4;
    } rows[] = {
        { "1", 1, 1 },
        { "0", 0, 0 },
        { "0.25", 0.25, 0.25 },
        { ".5", 0.5, 0.5 },
        { "1.0", 1, 1 },
        { "1 / concurrency", 1, 0.25 },
        { "0.5/concurrency", 0.5, 0.125 },
        { " 1 /sqrt_concurrency ", 1, 0.5 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        feedback f;
        assert_false(is_fault(feedback_read(str_c(rows[i].text), &f)));
        assert_true(feedback_of(&f, 1) == rows[i].at_1);
        assert_true(fabs(feedback_of(&f, 4) - rows[i].at_4) < 1e-9);
        assert_true(feedback_of(&f, 0) == rows[i].at_1);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const rows[] = {
        "", "2", "1.5", "-1", "x", "1/", "1/2", ".", "1.x", "1e-3", "/concurrency", "1 concurrency", "0.1234567"
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        feedback f;
        assert_int_equal(feedback_read(str_c(rows[i]), &f).kind, FAULT_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_form_is_read),
                                        cmocka_unit_test(anything_else_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
