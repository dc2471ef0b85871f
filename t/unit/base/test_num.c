/* Numbers: whole views, limits, overflow, units. A refusal leaves the output alone. */
#include "base/num.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    str in;
    bool good;
    uint64_t want;
} row;

static const row plain[] = {
    { STR_ROW("0"), true, 0 },
    { STR_ROW("007"), true, 7 },
    { STR_ROW("18446744073709551615"), true, UINT64_MAX },
    { STR_ROW("00000000000000000000000000000018446744073709551615"), true, UINT64_MAX },
    { STR_ROW("18446744073709551616"), false, 0 },
    { STR_ROW("18446744073709551620"), false, 0 },
    { STR_ROW("99999999999999999999"), false, 0 },
    { STR_ROW("184467440737095516150"), false, 0 },
    { STR_ROW(""), false, 0 },
    { STR_ROW("-1"), false, 0 },
    { STR_ROW("+1"), false, 0 },
    { STR_ROW(" 1"), false, 0 },
    { STR_ROW("1 "), false, 0 },
    { STR_ROW("1\0"), false, 0 },
    { STR_ROW("0x10"), false, 0 },
    { STR_ROW("1.5"), false, 0 },
    { STR_ROW("1e3"), false, 0 },
};

static void plain_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        uint64_t v = 77;
        assert_int_equal(num_parse(plain[i].in, 0, UINT64_MAX, &v), plain[i].good);
        assert_true(v == (plain[i].good ? plain[i].want : 77));
    }
    uint64_t v;
    assert_false(num_parse(STR_NONE, 0, 9, &v));
}

static void only_digits_count(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        uint64_t v;
        assert_int_equal(num_parse((str){ &byte, 1 }, 0, 9, &v), c >= '0' && c <= '9');
    }
}

static void limits_are_inclusive(void **state)
{
    uint64_t v = 0;
    (void)state;
    assert_false(num_parse(STR("9"), 10, 20, &v));
    assert_true(num_parse(STR("10"), 10, 20, &v));
    assert_true(num_parse(STR("20"), 10, 20, &v));
    assert_false(num_parse(STR("21"), 10, 20, &v));
    assert_int_equal(v, 20);
}

static const row sizes[] = {
    { STR_ROW("10"), true, 10 },
    { STR_ROW("1k"), true, 1024 },
    { STR_ROW("1K"), true, 1024 },
    { STR_ROW("50m"), true, 50 << 20 },
    { STR_ROW("2G"), true, UINT64_C(2) << 30 },
    { STR_ROW("17179869183g"), true, UINT64_C(17179869183) << 30 },
    { STR_ROW("17179869184g"), false, 0 },
    { STR_ROW("18446744073709551615k"), false, 0 },
    { STR_ROW("k"), false, 0 },
    { STR_ROW(""), false, 0 },
    { STR_ROW("1kk"), false, 0 },
    { STR_ROW("1 k"), false, 0 },
    { STR_ROW("1t"), false, 0 },
    { STR_ROW("1\xeb"), false, 0 }, /* 'k' with the top bit */
    { STR_ROW("1\0"), false, 0 },
};

static void bytes_with_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint64_t v = 77;
        assert_int_equal(num_parse_bytes(sizes[i].in, UINT64_MAX, &v), sizes[i].good);
        assert_true(v == (sizes[i].good ? sizes[i].want : 77));
    }
    uint64_t v;
    assert_true(num_parse_bytes(STR("1k"), 1024, &v));
    assert_false(num_parse_bytes(STR("1k"), 1023, &v));
}

static const row times[] = {
    { STR_ROW("5s"), true, 5 },
    { STR_ROW("5m"), true, 300 },
    { STR_ROW("2H"), true, 7200 },
    { STR_ROW("5d"), true, 432000 },
    { STR_ROW("1w"), true, 604800 },
    { STR_ROW("0"), true, 0 },
    { STR_ROW("3"), true, 3 * 3600 },
    { STR_ROW("d"), false, 0 },
    { STR_ROW(""), false, 0 },
    { STR_ROW("1y"), false, 0 },
    { STR_ROW("1dd"), false, 0 },
    { STR_ROW("18446744073709551615m"), false, 0 },
    { STR_ROW("18446744073709551615"), false, 0 },
};

static void seconds_with_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        uint64_t v = 77;
        assert_int_equal(num_parse_seconds(times[i].in, 'h', UINT64_MAX, &v), times[i].good);
        assert_true(v == (times[i].good ? times[i].want : 77));
    }
    uint64_t v;
    assert_true(num_parse_seconds(STR("1m"), 's', 60, &v));
    assert_false(num_parse_seconds(STR("61"), 's', 60, &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_numbers),        cmocka_unit_test(only_digits_count),
        cmocka_unit_test(limits_are_inclusive), cmocka_unit_test(bytes_with_units),
        cmocka_unit_test(seconds_with_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
