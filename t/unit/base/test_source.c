/* Which addresses count as one. */
#include "base/source.h"
#include <arpa/inet.h>
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

static bool is_one(const char *a, const char *b, unsigned v4_bits, unsigned v6_bits)
{
    source x = source_of_network(str_c(a), v4_bits, v6_bits), y = source_of_network(str_c(b), v4_bits, v6_bits);
    return str_equal(source_str(&x), source_str(&y));
}

static void networks_may_have_other_sizes(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits <= 128; bits++) {
        unsigned char bytes[16] = { 0x20, 0x01, 0x0d, 0xb8 };
        char other[INET6_ADDRSTRLEN];
        bytes[(bits - 1) / 8] ^= (unsigned char)(0x80 >> (bits - 1) % 8); /* the last bit that counts */
        inet_ntop(AF_INET6, bytes, other, sizeof other);
        assert_false(is_one("2001:db8::", other, 0, bits));
        if (bits > 1)
            assert_true(is_one("2001:db8::", other, 0, bits - 1));
    }
    assert_true(is_one("192.0.2.1", "192.0.2.255", 24, 0));
    assert_true(is_one("192.0.2.1", "::ffff:192.0.2.255", 24, 0));
    assert_false(is_one("192.0.2.1", "192.0.2.129", 25, 0));
    assert_false(is_one("192.0.2.1", "192.0.2.2", 32, 0));
    assert_false(is_one("192.0.2.1", "192.0.2.2", 99, 0));
    assert_false(is_one("2001:db8::1", "2001:db8::2", 0, 999));
    assert_true(is_one("128.0.0.0", "255.255.255.255", 1, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold), cmocka_unit_test(networks_may_have_other_sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
