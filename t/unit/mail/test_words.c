#include "mail/words.h"
#include "mail/address.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

typedef struct row {
    const char *raw, *want;
} row;

static const row rows[] = {
    { "", "" },
    { "plain text", "plain text" },
    { "folded\r\n text", "folded text" },
    { "=?utf-8?Q?J=C3=B6rg_X?=", "J\xc3\xb6rg X" },
    { "=?UTF-8?b?SsO2cmc=?=", "J\xc3\xb6rg" },
    { "=?iso-8859-1?q?J=F6rg?= <x>", "J\xc3\xb6rg <x>" },
    { "=?ISO-8859-15?q?=A4?=", "\xe2\x82\xac" },
    { "=?windows-1252?q?=80=93=81?=", "\xe2\x82\xac\xe2\x80\x9c\xef\xbf\xbd" },
    { "=?us-ascii?q?a=E9?=", "a\xef\xbf\xbd" },
    { "=?utf-8?q?a=FFb?=", "a\xef\xbf\xbd"
                           "b" },
    { "=?utf-8*en?q?a?=", "a" },
    { "a =?utf-8?q?b?= c", "a b c" },
    { "=?utf-8?q?a?= =?utf-8?q?b?=", "ab" },
    { "=?utf-8?q?a?=\r\n\t=?iso-8859-1?q?=E9?= c", "a\xc3\xa9 c" },
    { "=?utf-8?q?a_?= =?utf-8?q?b?=", "a b" },
    { "=?utf-8?b?w7?= =?utf-8?b?Y=?=", "\xef\xbf\xbd" },
    { "=?utf-8?q?=C3?= =?utf-8?q?=B6?=", "\xc3\xb6" },
    { "=?x-none?q?a=20?= b", "=?x-none?q?a=20?= b" },
    { "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
    { "=?utf-8?q?a", "=?utf-8?q?a" },
    { "=?utf-8?q?a?", "=?utf-8?q?a?" },
    { "=?utf-8?q?\?=x", "x" },
    { "=??q?a?=", "=??q?a?=" },
    { "=?=?utf-8?q?a?=", "=?a" },
    { "a\xc3\xb6", "a\xc3\xb6" },
    { "a\xf6\x80", "a\xc3\xb6\xe2\x82\xac" },
    { "=?x-upper?q?abc?=", "ABC" },
};

static bool upper_convert(void *context, str charset, str bytes, buf *out)
{
    (void)context;
    if (!str_equal(charset, STR("x-upper")))
        return false;
    for (size_t i = 0; i < bytes.n; i++)
        buf_append_char(out, (char)(bytes.p[i] - 32));
    return true;
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(1000);
        assert_true(words_decode(str_c(rows[i].raw), upper_convert, NULL, &out));
        if (strcmp(buf_c(&out), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].raw, buf_c(&out));
        buf_free(&out);
    }
}

static void truncated_rows_give_valid_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= strlen(rows[i].raw); n++) {
            char *copy = malloc(n ? n : 1);
            buf out = buf_new(1000);
            memcpy(copy, rows[i].raw, n);
            assert_true(words_decode((str){ copy, n }, NULL, NULL, &out));
            assert_true(utf8_is_valid(buf_str(&out)));
            buf_clear(&out);
            assert_true(words_decode_extended((str){ copy, n }, NULL, NULL, &out));
            assert_true(utf8_is_valid(buf_str(&out)));
            buf_free(&out);
            free(copy);
        }
}

static void extended_values_are_decoded(void **state)
{
    static const row extended[] = {
        { "utf-8'en'%e2%82%AC", "\xe2\x82\xac" },
        { "iso-8859-1''%E9", "\xc3\xa9" },
        { "''a%20b", "a b" },
        { "plain%20", "plain " },
        { "utf-8''%zz%", "%zz%" },
        { "x-none''%41", "x-none''%41" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(extended); i++) {
        buf out = buf_new(1000);
        assert_true(words_decode_extended(str_c(extended[i].raw), NULL, NULL, &out));
        if (strcmp(buf_c(&out), extended[i].want) != 0)
            fail_msg("%s: %s", extended[i].raw, buf_c(&out));
        buf_free(&out);
    }
}

static void a_full_buffer_is_said(void **state)
{
    buf out = buf_new(3);
    char text[] = "AZaz[\xc9";

    (void)state;
    assert_false(words_decode(STR("four"), NULL, NULL, &out));
    buf_free(&out);
    words_fold_ascii(text, strlen(text));
    assert_string_equal(text, "azaz[\xc9");
    assert_false(words_convert(NULL, STR("koi8-r"), STR("x"), &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_give_valid_utf8),
        cmocka_unit_test(extended_values_are_decoded),
        cmocka_unit_test(a_full_buffer_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
