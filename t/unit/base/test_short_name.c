/* Names by value: what was written is what is read, up to the longest. */
#include "base/short_name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void names_are_read_as_written(void **state)
{
    static const short_name rows[] = { SHORT_NAME(""), SHORT_NAME("A"), SHORT_NAME("fourteen chars"), SHORT_NAME("fifteen chars !") };
    (void)state;
    assert_true(str_equal(short_name_str(&rows[0]), STR("")));
    assert_true(str_equal(short_name_str(&rows[1]), STR("A")));
    assert_true(str_equal(short_name_str(&rows[2]), STR("fourteen chars")));
    assert_true(str_equal(short_name_str(&rows[3]), STR("fifteen chars !")));
    assert_int_equal(sizeof(short_name), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_are_read_as_written) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
