/* A buf grows to its maximum and never past it; what does not fit leaves it as it was. */
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define assert_buf(b, want) assert_true(str_equal(buf_str(b), STR(want)))

static void appends_in_order(void **state)
{
    buf b = buf_new(100);
    (void)state;
    assert_true(buf_append(&b, STR("ab")));
    assert_true(buf_append(&b, STR_NONE));
    assert_true(buf_append_char(&b, '\0'));
    assert_true(buf_printf(&b, "%d-%s", 42, "x"));
    assert_buf(&b, "ab\00042-x");
    assert_false(b.overflow);
    buf_free(&b);
    assert_null(b.p);
    assert_int_equal(b.max, 100);
}

static void stops_at_its_maximum(void **state)
{
    (void)state;
    for (size_t max = 0; max < 200; max++) {
        buf b = buf_new(max);
        for (size_t i = 0; i < max; i++)
            assert_true(buf_append_char(&b, 'x'));
        assert_false(b.overflow);
        assert_false(buf_append_char(&b, 'y'));
        assert_true(b.overflow);
        assert_int_equal(b.n, max);
        assert_int_equal(strlen(buf_c(&b)), max);
        buf_clear(&b);
        assert_false(b.overflow);
        assert_int_equal(b.n, 0);
        buf_free(&b);
    }
}

static void what_does_not_fit_adds_nothing(void **state)
{
    buf b = buf_new(8);
    (void)state;
    assert_true(buf_append(&b, STR("12345")));
    assert_false(buf_append(&b, STR("6789")));
    assert_false(buf_printf(&b, "%s", "6789"));
    assert_buf(&b, "12345");
    assert_true(buf_printf(&b, "%s", "678"));
    assert_buf(&b, "12345678");
    assert_true(b.overflow);
    buf_free(&b);
}

/* Whatever room there is, and up to the maximum. */
static void prints_at_any_length(void **state)
{
    (void)state;
    for (size_t before = 0; before < 70; before++)
        for (size_t n = 0; n < 140; n++) {
            static const char text[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
                                       "0123456789012345678901234567890123456789012345678901234567890123456789";
            buf b = buf_new(150);
            buf_append(&b, str_upto(str_c(text), before));
            assert_int_equal(buf_printf(&b, "%.*s", (int)n, text), before + n <= 150);
            assert_int_equal(b.n, before + n <= 150 ? before + n : before);
            assert_int_equal(b.overflow, before + n > 150);
            assert_memory_equal(buf_c(&b), text, before);
            if (b.n > before)
                assert_memory_equal(b.p + before, text, n);
            buf_free(&b);
        }
}

static void writes_numbers_as_printf_does(void **state)
{
    static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 123456, 999999, 1000000, UINT64_MAX / 10, UINT64_MAX };
    static const unsigned least[] = { 0, 1, 3, 6, 20, 1000 };
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (size_t k = 0; k < sizeof least / sizeof least[0]; k++) {
            buf b = buf_new(100), want = buf_new(100);
            int digits = least[k] < 20 ? (int)least[k] : 20;
            assert_true(buf_append_number(&b, numbers[i], least[k]));
            buf_printf(&want, "%.*llu", digits, (unsigned long long)numbers[i]);
            assert_string_equal(buf_c(&b), buf_c(&want));
            buf_free(&b);
            buf_free(&want);
        }
}

static void huge_sizes_do_not_wrap(void **state)
{
    buf b = buf_new(SIZE_MAX);
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(buf_append(&b, STR("0123456789")));
    assert_int_equal(b.n, 10000);
    assert_false(buf_reserve(&b, SIZE_MAX));
    assert_false(buf_reserve(&b, SIZE_MAX - b.n));
    assert_true(b.overflow);
    assert_int_equal(b.n, 10000);
    buf_free(&b);
}

static void reserves_without_changing(void **state)
{
    buf b = buf_new(1000);
    (void)state;
    assert_true(buf_reserve(&b, 1000));
    assert_int_equal(b.n, 0);
    char *before = b.p;
    for (int i = 0; i < 1000; i++)
        buf_append_char(&b, 'x');
    assert_ptr_equal(b.p, before);
    assert_false(buf_reserve(&b, 1));
    buf_free(&b);
}

static void consumes_from_the_front(void **state)
{
    buf b = buf_new(100);
    (void)state;
    buf_consume(&b, 5);
    assert_int_equal(b.n, 0);
    buf_append(&b, STR("abcdef"));
    buf_consume(&b, 0);
    assert_buf(&b, "abcdef");
    buf_consume(&b, 2);
    assert_buf(&b, "cdef");
    buf_consume(&b, 4);
    assert_int_equal(b.n, 0);
    buf_append(&b, STR("xy"));
    buf_consume(&b, 1000);
    assert_int_equal(b.n, 0);
    buf_free(&b);
}

static void a_c_string_at_any_time(void **state)
{
    buf b = buf_new(3);
    (void)state;
    assert_string_equal(buf_c(&b), "");
    buf_append(&b, STR("abc"));
    assert_string_equal(buf_c(&b), "abc");
    buf_consume(&b, 1);
    assert_string_equal(buf_c(&b), "bc");
    buf_clear(&b);
    assert_string_equal(buf_c(&b), "");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(stops_at_its_maximum),
        cmocka_unit_test(what_does_not_fit_adds_nothing),
        cmocka_unit_test(prints_at_any_length),
        cmocka_unit_test(writes_numbers_as_printf_does),
        cmocka_unit_test(huge_sizes_do_not_wrap),
        cmocka_unit_test(reserves_without_changing),
        cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(a_c_string_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
