/* What is written is in correct syntax, and reads back as the same bytes. */
#include "proto/imap_write.h"
#include "proto/imap_lexer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    bool (*write)(buf *out, str s);
    str in;
    str want;
} rows[] = {
    { imap_write_string, STR_ROW("a"), STR_ROW("\"a\"") },
    { imap_write_string, STR_ROW(""), STR_ROW("\"\"") },
    { imap_write_string, STR_ROW("a\"b\\c"), STR_ROW("\"a\\\"b\\\\c\"") },
    { imap_write_string, STR_ROW("a\r\nb"), STR_ROW("{4}\r\na\r\nb") },
    { imap_write_string, STR_ROW("\xc3\xa4"), STR_ROW("{2}\r\n\xc3\xa4") },
    { imap_write_string, STR_ROW("a\0b\0"),
      STR_ROW("{4}\r\na\x80"
              "b\x80") },
    { imap_write_nstring, { 0 }, STR_ROW("NIL") },
    { imap_write_nstring, STR_ROW("NIL"), STR_ROW("\"NIL\"") },
    { imap_write_astring, STR_ROW("abc"), STR_ROW("abc") },
    { imap_write_astring, STR_ROW("nil"), STR_ROW("\"nil\"") },
    { imap_write_astring, STR_ROW(""), STR_ROW("\"\"") },
    { imap_write_astring, STR_ROW("a b"), STR_ROW("\"a b\"") },
    { imap_write_astring, STR_ROW("a(b"), STR_ROW("\"a(b\"") },
    { imap_write_astring, STR_ROW("a]"), STR_ROW("\"a]\"") },
    { imap_write_mailbox, STR_ROW("INBOX"), STR_ROW("INBOX") },
    { imap_write_mailbox, STR_ROW("\xc3\xbc x"), STR_ROW("\"&APw- x\"") },
    { imap_write_mailbox, STR_ROW("a&b"), STR_ROW("a&-b") },
    { imap_write_text, STR_ROW("a\r\nb\0c\x1b\xc3"), STR_ROW("a??b?c??") },
    { imap_write_text, STR_ROW(""), STR_ROW("-") },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(100);
        assert_true(rows[i].write(&out, rows[i].in));
        if (!str_equal(buf_str(&out), rows[i].want))
            fail_msg("row %zu: %s", i, buf_c(&out));
        for (size_t max = 0; max < rows[i].want.n; max++) {
            buf small = buf_new(max);
            assert_false(rows[i].write(&small, rows[i].in));
            buf_free(&small);
        }
        buf_free(&out);
    }
}

static void a_name_that_cannot_be_is_not_written(void **state)
{
    buf out = buf_new(100);

    (void)state;
    assert_false(imap_write_mailbox(&out, STR("a\nb")));
    assert_false(imap_write_mailbox(&out, STR("\xff")));
    assert_int_equal(out.n, 0);
    buf_free(&out);
}

static void every_byte_comes_back(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++)
        for (size_t n = 999; n < 1002; n++) {
            char text[1002];
            arena mem = arena_new(0);
            buf out = buf_new(3000);
            memset(text, byte, sizeof text);
            assert_true(imap_write_astring(&out, (str){ text, n }));
            imap_lexer l = { .in = buf_str(&out), .mem = &mem };
            str back;
            assert_true(imap_lex_astring(&l, &back) && imap_lex_is_end(&l));
            assert_true(str_equal(back, (str){ text, n }));
            buf_free(&out);
            arena_free(&mem);
        }
}

static void numbers_sets_and_dates(void **state)
{
    const imap_range ranges[] = { { 1, 3 }, { 5, 5 }, { 7, UINT32_MAX } };
    buf out = buf_new(1000);

    (void)state;
    assert_true(imap_write_number(&out, 0));
    assert_true(buf_append_char(&out, ' '));
    assert_true(imap_write_number(&out, UINT64_MAX));
    assert_true(buf_append_char(&out, ' '));
    assert_true(imap_write_set(&out, ranges, 3));
    assert_true(imap_write_set(&out, ranges, 0));
    assert_true(buf_append_char(&out, ' '));
    assert_true(imap_write_date(&out, 60));
    assert_true(
        str_equal(buf_str(&out), STR("0 18446744073709551615 1:3,5,7:4294967295 \" 1-Jan-1970 00:01:00 +0000\"")));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(a_name_that_cannot_be_is_not_written),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(numbers_sets_and_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
