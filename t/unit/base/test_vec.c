/* An array that grows: order kept, every element reached, usable again after vec_free. */
#include "base/vec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct triple {
    int a, b, c;
} triple;

static void grows_and_keeps_order(void **state)
{
    VEC(triple) v = { 0 };
    (void)state;
    for (int i = 0; i < 1000; i++)
        *vec_add(&v) = (triple){ i, 2 * i, 3 * i };
    assert_int_equal(v.n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(v.p[i].a == i && v.p[i].b == 2 * i && v.p[i].c == 3 * i);
    vec_free(&v);
}

static void removal_fills_the_gap_with_the_last(void **state)
{
    VEC(int) v = { 0 };
    (void)state;
    for (int i = 0; i < 4; i++)
        *vec_add(&v) = i;
    vec_remove_unordered(&v, 1);
    assert_int_equal(v.n, 3);
    assert_true(v.p[0] == 0 && v.p[1] == 3 && v.p[2] == 2);
    vec_remove_unordered(&v, 2);
    assert_int_equal(v.n, 2);
    assert_true(v.p[0] == 0 && v.p[1] == 3);
    vec_free(&v);
}

static void is_empty_and_usable_after_free(void **state)
{
    VEC(int) v = { 0 };
    (void)state;
    *vec_add(&v) = 1;
    vec_free(&v);
    assert_null(v.p);
    assert_int_equal(v.n, 0);
    assert_int_equal(v.capacity, 0);
    *vec_add(&v) = 2;
    assert_int_equal(v.p[0], 2);
    vec_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_order),
        cmocka_unit_test(removal_fills_the_gap_with_the_last),
        cmocka_unit_test(is_empty_and_usable_after_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
