/* SOURCES: qmgr/window.c  NEEDS: conf */
/* Concurrency: grows on success, shrinks on failure, and dies of whole rounds of failures. */
#include "qmgr/window.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static window_rules rules(const char *positive, const char *negative, uint64_t cohorts)
{
    window_rules r = { .initial = 5, .limit = 20, .failed_cohorts = cohorts };
    assert_false(is_fault(feedback_read(str_c(positive), &r.positive)));
    assert_false(is_fault(feedback_read(str_c(negative), &r.negative)));
    return r;
}

static void it_grows_by_one_a_success_up_to_the_limit(void **state)
{
    window_rules r = rules("1", "1", 1);
    window w = window_new(&r);
    (void)state;
    assert_int_equal(w.width, 5);
    for (int i = 0; i < 3; i++)
        window_success(&w, &r);
    assert_int_equal(w.width, 8);
    for (int i = 0; i < 100; i++)
        window_success(&w, &r);
    assert_int_equal(w.width, 20);
    r.limit = 10; /* a reload */
    window_success(&w, &r);
    assert_int_equal(w.width, 10);
}

/* 1/concurrency: a round of successes makes it one wider. */
static void weak_feedback_grows_by_one_a_round(void **state)
{
    window_rules r = rules("1 / concurrency", "1", 0);
    window w = window_new(&r);
    (void)state;
    for (int i = 0; i < 4; i++)
        window_success(&w, &r);
    assert_int_equal(w.width, 5);
    for (int i = 0; i < 2; i++)
        window_success(&w, &r);
    assert_int_equal(w.width, 6);
}

static void it_shrinks_to_one_and_no_further(void **state)
{
    window_rules r = rules("1", "1", 0);
    window w = window_new(&r);
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_false(window_failure(&w, &r));
    assert_int_equal(w.width, 2);
    for (int i = 0; i < 30; i++)
        assert_false(window_failure(&w, &r));
    assert_int_equal(w.width, 1);
}

static void a_round_of_failures_kills(void **state)
{
    window_rules r = rules("1", "0", 1);
    window w = window_new(&r);
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_false(window_failure(&w, &r));
    assert_true(window_failure(&w, &r));
    assert_int_equal(w.width, 5); /* it begins anew */
    for (int i = 0; i < 4; i++)
        assert_false(window_failure(&w, &r));
    window_success(&w, &r); /* in between: not a round in a row */
    assert_false(window_failure(&w, &r));
}

static void no_limit_is_no_limit(void **state)
{
    window_rules r = rules("1", "1", 1);
    r.limit = 0;
    window w = window_new(&r);
    (void)state;
    for (int i = 0; i < 1000; i++)
        window_success(&w, &r);
    assert_int_equal(w.width, 1005);
    r.limit = 3;
    w = window_new(&r);
    assert_int_equal(w.width, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_by_one_a_success_up_to_the_limit),
        cmocka_unit_test(weak_feedback_grows_by_one_a_round),
        cmocka_unit_test(it_shrinks_to_one_and_no_further),
        cmocka_unit_test(a_round_of_failures_kills),
        cmocka_unit_test(no_limit_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
