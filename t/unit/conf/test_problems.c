/* Problems come out in the order of the file, each once, without control bytes. */
#include "conf/problems.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void are_sorted_and_said_once(void **state)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };

    (void)state;
    problem_error(&ps, STR("main.cf"), 7, "seven");
    problem_warning(&ps, STR("main.cf"), 2, "two %d", 2);
    problem_error(&ps, STR("main.cf"), 7, "seven");
    problem_error(&ps, STR("main.cf"), 7, "seven again");
    problem_error(&ps, STR(""), 0, "whole");
    assert_int_equal(ps.error_count, 3);
    assert_int_equal(ps.warning_count, 1);
    str text = problems_text(&ps, &a);
    assert_string_equal(text.p, "error: whole\nmain.cf:2: warning: two 2\nmain.cf:7: error: seven\n"
                                "main.cf:7: error: seven again\n");
    problems_free(&ps);
    arena_free(&a);
}

static void control_bytes_are_escaped(void **state)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };

    (void)state;
    problem_error(&ps, STR("f"), 1, "a\033[2Jb\n");
    assert_string_equal(problems_text(&ps, &a).p, "f:1: error: a\\x1b[2Jb\\x0a\n");
    problems_free(&ps);
    arena_free(&a);
}

static void past_the_most_they_are_counted(void **state)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };

    (void)state;
    for (unsigned i = 1; i <= PROBLEM_COUNT_MAX + 5; i++)
        problem_error(&ps, STR("f"), i, "x");
    assert_int_equal(ps.rows.n, PROBLEM_COUNT_MAX);
    assert_int_equal(ps.error_count, PROBLEM_COUNT_MAX + 5);
    assert_true(str_ends(problems_text(&ps, &a), STR("f:1000: error: x\nand 5 more\n")));
    problems_free(&ps);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_sorted_and_said_once),
        cmocka_unit_test(control_bytes_are_escaped),
        cmocka_unit_test(past_the_most_they_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
