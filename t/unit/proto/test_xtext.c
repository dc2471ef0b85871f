#include "proto/xtext.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    const char *text;
    bool good;
    str bytes;
} rows[] = {
    { "abc@d", true, STR_ROW("abc@d") },
    { "", true, STR_ROW("") },
    { "a+2Bb+3D", true, STR_ROW("a+b=") },
    { "+0D+0A", true, STR_ROW("\r\n") }, /* the caller refuses it */
    { "+00", true, STR_ROW("\0") },
    { "+FF", true, STR_ROW("\xff") },
    { "+2b", false, { 0 } },
    { "+", false, { 0 } },
    { "+2", false, { 0 } },
    { "+2G", false, { 0 } },
    { "a=b", false, { 0 } },
    { "a b", false, { 0 } },
    { "a\xc3\xa4", false, { 0 } },
    { "a\x7f", false, { 0 } },
};

static void rows_hold(void **state)
{
    buf out = buf_new(100);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&out);
        buf_append(&out, STR("kept"));
        assert_int_equal(xtext_decode(str_c(rows[i].text), &out), rows[i].good);
        assert_true(str_equal(str_upto(buf_str(&out), 4), STR("kept")));
        assert_true(str_equal(str_from(buf_str(&out), 4), rows[i].good ? rows[i].bytes : STR("")));
    }
    buf_free(&out);
}

static void every_byte_comes_back(void **state)
{
    buf text = buf_new(1000), back = buf_new(256);

    (void)state;
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        buf_clear(&text);
        buf_clear(&back);
        assert_true(xtext_encode((str){ &byte, 1 }, &text));
        assert_true(xtext_decode(buf_str(&text), &back));
        assert_true(str_equal(buf_str(&back), (str){ &byte, 1 }));
    }
    buf_free(&text);
    buf_free(&back);
}

static void truncated_rows_stay_inside(void **state)
{
    buf out = buf_new(100);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].text); n++) {
            char *copy = malloc(n ? n : 1); /* exact, so that reading past it is seen */
            memcpy(copy, rows[i].text, n);
            buf_clear(&out);
            xtext_decode((str){ copy, n }, &out);
            free(copy);
        }
    buf_free(&out);
}

static void the_output_has_a_limit(void **state)
{
    buf out = buf_new(5);

    (void)state;
    assert_true(xtext_encode(STR("ab+"), &out));
    assert_false(xtext_encode(STR("a"), &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(the_output_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
