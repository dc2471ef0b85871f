#include "base/refs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

static int a, b, c;

static void finds_what_was_put(void **state)
{
    refs r = { 0 };
    (void)state;
    uint32_t x = refs_put(&r, &a), y = refs_put(&r, &b);
    assert_int_not_equal(x, 0);
    assert_int_not_equal(x, y);
    assert_ptr_equal(refs_get(&r, x), &a);
    assert_ptr_equal(refs_take(&r, y), &b);
    assert_null(refs_get(&r, y));
    assert_null(refs_take(&r, y));
    assert_null(refs_get(&r, 0));
    assert_null(refs_get(&r, UINT32_MAX));
    refs_free(&r);
}

/* The number of a question that is over finds nothing, whatever stands in its place by now. */
static void a_late_answer_finds_nothing(void **state)
{
    refs r = { 0 };
    (void)state;
    uint32_t late = refs_put(&r, &a);
    refs_take(&r, late);
    for (int i = 0; i < 10000; i++) {
        uint32_t now = refs_put(&r, &b);
        assert_int_not_equal(now, late);
        assert_null(refs_get(&r, late));
        assert_ptr_equal(refs_take(&r, now), &b);
    }
    assert_true(r.n < 100); /* numbers grow, the table does not */
    refs_free(&r);
}

static void walks_all_while_they_go(void **state)
{
    refs r = { 0 };
    uint32_t first[200];
    size_t cursor = 0, seen = 0;
    (void)state;
    for (size_t i = 0; i < 200; i++)
        first[i] = refs_put(&r, i % 2 ? &a : &c);
    for (void *item; (item = refs_next(&r, &cursor)) != NULL; seen++)
        assert_ptr_equal(refs_take(&r, first[seen]), item);
    assert_int_equal(seen, 200);
    cursor = 0;
    assert_null(refs_next(&r, &cursor));
    refs_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(a_late_answer_finds_nothing),
        cmocka_unit_test(walks_all_while_they_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
