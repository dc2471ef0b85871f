/* Which addresses count as one. */
#include "base/source.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    str a, b;
    bool is_one;
} row;

static const row rows[] = {
    { STR_ROW("192.0.2.1"), STR_ROW("192.0.2.1"), true },
    { STR_ROW("192.0.2.1"), STR_ROW("192.0.2.2"), false },
    { STR_ROW("192.0.2.1"), STR_ROW("::ffff:192.0.2.1"), true },
    { STR_ROW("2001:db8::1"), STR_ROW("2001:db8:0:0:ffff::2"), true },
    { STR_ROW("2001:db8::1"), STR_ROW("IPv6:2001:DB8::9"), true },
    { STR_ROW("2001:db8::1"), STR_ROW("2001:db8:0:1::1"), false },
    { STR_ROW("local"), STR_ROW("local"), true },
    { STR_ROW("local"), STR_ROW(""), false },
    { STR_ROW("192.0.2.1\0x"), STR_ROW("192.0.2.1"), false },
    { STR_ROW("2001:0db8:0000:0000:0000:0000:0000:0000:0000:1"), STR_ROW("2001:db8::1"), false },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        source a = source_of(rows[i].a), b = source_of(rows[i].b);
        assert_int_equal(str_equal(source_str(&a), source_str(&b)), rows[i].is_one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
