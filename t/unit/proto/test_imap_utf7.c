/* One way to write each name; names that are written in another way are refused. */
#include "proto/imap_utf7.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    str utf7, utf8;
} rows[] = {
    { STR_ROW("INBOX"), STR_ROW("INBOX") },
    { STR_ROW(""), STR_ROW("") },
    { STR_ROW("A&-B"), STR_ROW("A&B") },
    { STR_ROW("&-&-"), STR_ROW("&&") },
    { STR_ROW("~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
      STR_ROW("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e") },
    { STR_ROW("Entw&APw-rfe"), STR_ROW("Entw\xc3\xbcrfe") },
    { STR_ROW("&APwA5A-"), STR_ROW("\xc3\xbc\xc3\xa4") },
    { STR_ROW("&2D3eAA-"), STR_ROW("\xf0\x9f\x98\x80") },
    { STR_ROW("&2D3eAAD8-"), STR_ROW("\xf0\x9f\x98\x80\xc3\xbc") },
    { STR_ROW("&APw-&-"), STR_ROW("\xc3\xbc&") },
    { STR_ROW("a-b+c,d"), STR_ROW("a-b+c,d") },
};

static const str bad_utf7[] = {
    STR_ROW("&"),          STR_ROW("&APw"),     STR_ROW("a&b"),      STR_ROW("&AC8-"), /* a slash */
    STR_ROW("&AC4-&AC4-"),                                                             /* dots */
    STR_ROW("&AEEAQg-"),                                                               /* AB */
    STR_ROW("&APwAQQ-"),                                                               /* an A behind a letter */
    STR_ROW("&AAA-"),                                                                  /* NUL */
    STR_ROW("&AAo-"),                                                                  /* LF */
    STR_ROW("&AH8-"),                                                                  /* DEL */
    STR_ROW("&ACY-"),                                                                  /* "&" that is not "&-" */
    STR_ROW("&APw-&AOQ-"),                                                             /* two runs where one would do */
    STR_ROW("&APx-"),                                                                  /* bits behind the end */
    STR_ROW("&APwA-"),     STR_ROW("&APwAA-"),  STR_ROW("&2D0-"),                      /* half a pair */
    STR_ROW("&3gA-"),      STR_ROW("&3gDYPQ-"), STR_ROW("&2D0AQQ-"), STR_ROW("&AP/-"), /* '/' is not of this alphabet */
    STR_ROW("&A\0w-"),     STR_ROW("a\0b"),     STR_ROW("a\r\nb"),   STR_ROW("\xc3\xbc"), STR_ROW("a\x7f"),
};

static const str bad_utf8[] = {
    STR_ROW("\xc3"), STR_ROW("\xed\xa0\xbd"), STR_ROW("\xc0\xaf"), STR_ROW("a\0b"),
    STR_ROW("a\nb"), STR_ROW("\x7f"),         STR_ROW("\xff"),     STR_ROW("\xf4\x90\x80\x80"),
};

static void rows_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(200);
        assert_true(imap_utf7_encode(rows[i].utf8, &out));
        assert_true(str_equal(buf_str(&out), rows[i].utf7));
        buf_clear(&out);
        assert_true(imap_utf7_decode(rows[i].utf7, &out));
        assert_true(str_equal(buf_str(&out), rows[i].utf8));
        buf_free(&out);
    }
}

static void others_are_refused(void **state)
{
    buf out = buf_new(200);

    (void)state;
    buf_append(&out, STR("kept"));
    for (size_t i = 0; i < COUNT_OF(bad_utf7); i++)
        if (imap_utf7_decode(bad_utf7[i], &out) || out.n != 4)
            fail_msg("%.*s", STR_ARG(bad_utf7[i]));
    for (size_t i = 0; i < COUNT_OF(bad_utf8); i++)
        if (imap_utf7_encode(bad_utf8[i], &out) || out.n != 4)
            fail_msg("row %zu", i);
    buf_free(&out);
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].utf7.n; n++) {
            char *copy = malloc(n ? n : 1);
            buf out = buf_new(200);
            memcpy(copy, rows[i].utf7.p, n);
            imap_utf7_decode((str){ copy, n }, &out);
            buf_free(&out);
            free(copy);
        }
}

/* Every code point alone comes back, but control characters and surrogates. */
static void code_points_come_back(void **state)
{
    (void)state;
    for (uint32_t c = 1; c < 0x30000; c += c < 0x3000 ? 1 : 37) {
        char p[4];
        size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        uint32_t rest = c;
        for (size_t i = n - 1; i > 0; i--, rest >>= 6)
            p[i] = (char)(0x80 | (rest & 0x3f));
        p[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | rest);
        buf wire = buf_new(20), back = buf_new(20);
        bool good = imap_utf7_encode((str){ p, n }, &wire);
        assert_int_equal(good, c >= ' ' && c != 127 && !(c >= 0xd800 && c < 0xe000));
        if (good) {
            assert_true(imap_utf7_decode(buf_str(&wire), &back));
            assert_true(str_equal(buf_str(&back), (str){ p, n }));
        }
        buf_free(&wire);
        buf_free(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_both_ways),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(code_points_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
