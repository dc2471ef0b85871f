/* SOURCES: qmgr/fair.c  NEEDS: base */
/* Two rules in turn: nobody starves, small ones pass large ones. */
#include "qmgr/fair.h"
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct thing {
    int name;
    fair_item turn;
} thing;

static thing *next(fair *f)
{
    return FAIR_OWNER(fair_next(f), thing, turn);
}

static void classes_grow_eightfold(void **state)
{
    (void)state;
    const struct {
        uint64_t left;
        unsigned class;
    } rows[] = {
        { 0, 0 }, { 1, 0 }, { 2, 1 }, { 8, 1 }, { 15, 1 }, { 16, 2 }, { 127, 2 }, { 128, 3 }, { UINT64_MAX, 7 }
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(fair_class(rows[i].left), rows[i].class);
}

static void an_empty_one_has_no_next(void **state)
{
    fair f;
    thing a = { .name = 1 };
    (void)state;
    fair_open(&f);
    assert_true(fair_is_empty(&f));
    assert_null(fair_next(&f));
    assert_int_equal(fair_least(&f), FAIR_CLASSES);
    fair_take(&a.turn); /* not in: nothing happens */
    fair_put(&f, &a.turn, 3);
    assert_false(fair_is_empty(&f));
    assert_int_equal(fair_least(&f), 3);
    assert_int_equal(next(&f)->name, 1);
    fair_take(&a.turn);
    fair_take(&a.turn);
    assert_null(fair_next(&f));
}

static void the_smallest_and_the_oldest_in_turn(void **state)
{
    fair f;
    thing large = { .name = 1 }, middle = { .name = 2 }, small = { .name = 3 };
    (void)state;
    fair_open(&f);
    fair_put(&f, &large.turn, 5);
    fair_put(&f, &middle.turn, 2);
    fair_put(&f, &small.turn, 0);
    const int order[] = { 3, 1, 3, 1 };
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_int_equal(next(&f)->name, order[i]);
    fair_take(&small.turn);
    assert_int_equal(next(&f)->name, 2);
    assert_int_equal(next(&f)->name, 1);
    assert_ptr_equal(fair_last(&f), &middle.turn);
}

static void a_new_class_keeps_the_age(void **state)
{
    fair f;
    thing a = { .name = 1 }, b = { .name = 2 };
    (void)state;
    fair_open(&f);
    fair_put(&f, &a.turn, 4);
    fair_put(&f, &b.turn, 4);
    fair_put(&f, &b.turn, 0);
    assert_int_equal(next(&f)->name, 2);
    assert_int_equal(next(&f)->name, 1);
    fair_put(&f, &b.turn, 6);
    assert_int_equal(next(&f)->name, 1);
    assert_int_equal(next(&f)->name, 1);
}

/* A list of 10,000 and a stream of single ones: each gets half. */
static void neither_starves(void **state)
{
    fair f;
    thing list = { .name = 1 }, single = { .name = 2 };
    int of_list = 0;
    (void)state;
    fair_open(&f);
    fair_put(&f, &list.turn, fair_class(10000));
    for (int i = 0; i < 1000; i++) {
        fair_put(&f, &single.turn, 0);
        thing *t = next(&f);
        of_list += t == &list;
        if (t == &single)
            fair_take(&single.turn);
    }
    assert_in_range(of_list, 499, 501);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_grow_eightfold),
        cmocka_unit_test(an_empty_one_has_no_next),
        cmocka_unit_test(the_smallest_and_the_oldest_in_turn),
        cmocka_unit_test(a_new_class_keeps_the_age),
        cmocka_unit_test(neither_starves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
