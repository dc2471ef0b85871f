/* How far names are apart. */
#include "conf/nearest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    str a, b;
    unsigned distance;
} row;

static const row rows[] = {
    { STR_ROW(""), STR_ROW(""), 0 },
    { STR_ROW("a"), STR_ROW(""), 1 },
    { STR_ROW("mynetworks"), STR_ROW("mynetworks"), 0 },
    { STR_ROW("mynetwork"), STR_ROW("mynetworks"), 1 },
    { STR_ROW("mynetwroks"), STR_ROW("mynetworks"), 1 },
    { STR_ROW("nyhosname"), STR_ROW("myhostname"), 2 },
    { STR_ROW("kitten"), STR_ROW("sitting"), 3 },
    { STR_ROW("abc"), STR_ROW("xyz"), 3 },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(nearest_distance(rows[i].a, rows[i].b, 5), rows[i].distance);
        assert_int_equal(nearest_distance(rows[i].b, rows[i].a, 5), rows[i].distance);
    }
}

static void past_the_limit_is_one_more(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(nearest_distance(STR("a"), STR("abcdefgh"), 2), 3);
}

static void long_names_are_near_to_nothing(void **state)
{
    char name[NEAREST_NAME_MAX + 1];

    (void)state;
    memset(name, 'a', sizeof name);
    assert_int_equal(nearest_distance((str){ name, sizeof name }, (str){ name, sizeof name }, 5), 6);
    assert_int_equal(nearest_distance((str){ name, sizeof name - 1 }, (str){ name, sizeof name - 1 }, 5), 0);
    assert_int_equal(nearest_limit((str){ name, sizeof name }), 0);
    assert_int_equal(nearest_limit(STR("a")), 1);
    assert_int_equal(nearest_limit(STR("mynetworks")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(past_the_limit_is_one_more),
        cmocka_unit_test(long_names_are_near_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
