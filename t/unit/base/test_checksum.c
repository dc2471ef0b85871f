/* The check value of the polynomial, that pieces add up to the whole, and that both ways to compute it agree. */
#include "lib/base/checksum.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static const char bytes[] = "The quick brown fox jumps over the lazy dog, and then over another one.";

static void has_the_check_value(void **state)
{
    (void)state;
    assert_int_equal(checksum(0, STR("123456789")), 0xe3069283);
    assert_int_equal(checksum(0, STR("")), 0);
}

static void pieces_add_up(void **state)
{
    str whole = STR(bytes);
    (void)state;
    for (size_t n = 0; n <= whole.n; n++)
        assert_int_equal(checksum(checksum(0, str_upto(whole, n)), str_from(whole, n)), checksum(0, whole));
}

/* The one that this processor does not use has to be right too. */
static void the_table_agrees(void **state)
{
    (void)state;
    for (size_t start = 0; start < 9; start++) {
        for (size_t n = 0; start + n < sizeof bytes; n++) {
            const unsigned char *p = (const unsigned char *)bytes + start;
            assert_int_equal(~by_table(~0u, p, n), checksum(0, (str){ bytes + start, n }));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(has_the_check_value), cmocka_unit_test(pieces_add_up),
                                        cmocka_unit_test(the_table_agrees) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
