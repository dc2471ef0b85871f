/* The check value of the polynomial, and that pieces add up to the whole. */
#include "base/checksum.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void has_the_check_value(void **state)
{
    (void)state;
    assert_int_equal(checksum(0, STR("123456789")), 0xe3069283);
    assert_int_equal(checksum(0, STR("")), 0);
}

static void pieces_add_up(void **state)
{
    static const char bytes[] = "The quick brown fox jumps over the lazy dog, and then over another one.";
    str whole = STR(bytes);
    (void)state;
    for (size_t n = 0; n <= whole.n; n++)
        assert_int_equal(checksum(checksum(0, str_upto(whole, n)), str_from(whole, n)), checksum(0, whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(has_the_check_value), cmocka_unit_test(pieces_add_up) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
