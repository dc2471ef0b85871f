#include "proto/pop3_top.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    str message;
    uint32_t lines;
    size_t shown;
    bool is_done;
} rows[] = {
    { STR_ROW("a: b\r\n\r\none\r\ntwo\r\n"), 0, 8, true },
    { STR_ROW("a: b\r\n\r\none\r\ntwo\r\n"), 1, 13, true },
    { STR_ROW("a: b\r\n\r\none\r\ntwo\r\n"), 2, 18, true },
    { STR_ROW("a: b\r\n\r\none\r\ntwo\r\n"), 3, 18, false },
    { STR_ROW("a: b\n\none\ntwo"), 2, 13, false },
    { STR_ROW("a: b\n\n\n\nx\n"), 2, 8, true },
    { STR_ROW("a: b\n"), 5, 5, false },
    { STR_ROW("\nx\ny\n"), 1, 3, true },
    { STR_ROW(""), 1, 0, false },
    { STR_ROW("a: b\n\none\n"), UINT32_MAX, 10, false },
};

static void rows_hold_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].message.n + 1; piece++) {
            pop3_top t = pop3_top_new(rows[i].lines);
            size_t total = 0;
            parse p = PARSE_MORE;
            for (size_t at = 0, shown; p == PARSE_MORE && at < rows[i].message.n; at += piece) {
                p = pop3_top_feed(&t, str_upto(str_from(rows[i].message, at), piece), &shown);
                total += shown;
            }
            assert_int_equal(total, rows[i].shown);
            assert_int_equal(p == PARSE_DONE, rows[i].is_done);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold_at_every_split) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
