/* Whatever comes in leaves with CRLF lines and doubled dots, and comes back through the reader. */
#include "proto/dot_stuff.h"
#include "proto/smtp_data.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    str in, out;
} rows[] = {
    { STR_ROW(""), STR_ROW(".\r\n") },
    { STR_ROW("a"), STR_ROW("a\r\n.\r\n") },
    { STR_ROW("a\r\n"), STR_ROW("a\r\n.\r\n") },
    { STR_ROW("a\n"), STR_ROW("a\r\n.\r\n") },
    { STR_ROW("a\r"), STR_ROW("a\r\n.\r\n") },
    { STR_ROW("."), STR_ROW("..\r\n.\r\n") },
    { STR_ROW(".\n.\r\n..\r."), STR_ROW("..\r\n..\r\n...\r\n..\r\n.\r\n") },
    { STR_ROW("a\n\n\nb"), STR_ROW("a\r\n\r\n\r\nb\r\n.\r\n") },
    { STR_ROW("a\r\r\nb\n\rc"), STR_ROW("a\r\n\r\nb\r\n\r\nc\r\n.\r\n") },
    { STR_ROW("a\r\n.\r\nb\r\n"), STR_ROW("a\r\n..\r\nb\r\n.\r\n") },
    { STR_ROW("a.\nb"), STR_ROW("a.\r\nb\r\n.\r\n") },
    { STR_ROW("\0.\n"), STR_ROW("\0.\r\n.\r\n") },
};

static void rows_hold_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.n + 1; piece++) {
            dot_stuff d = { 0 };
            buf out = buf_new(1000);
            for (size_t at = 0; at < rows[i].in.n; at += piece)
                assert_true(dot_stuff_feed(&d, str_upto(str_from(rows[i].in, at), piece), &out));
            assert_true(dot_stuff_end(&d, &out));
            assert_true(str_equal(buf_str(&out), rows[i].out));
            buf_free(&out);
        }
}

/* All short contents of the octets that matter: one end, at the end, and nothing bare. */
static void the_reader_finds_one_end(void **state)
{
    static const char octets[] = "\r\n.a";

    (void)state;
    for (unsigned code = 0; code < 4 * 4 * 4 * 4 * 4 * 4; code++) {
        dot_stuff d = { 0 };
        smtp_data reader = { 0 };
        buf out = buf_new(100);
        for (unsigned k = 0, rest = code; k < 6; k++, rest /= 4)
            assert_true(dot_stuff_feed(&d, (str){ octets + rest % 4, 1 }, &out));
        assert_true(dot_stuff_end(&d, &out));
        str in = buf_str(&out), piece;
        parse p = PARSE_MORE;
        for (size_t used; in.n && p == PARSE_MORE; in = str_from(in, used))
            p = smtp_data_next(&reader, in, &piece, &used);
        assert_int_equal(p, PARSE_DONE);
        assert_int_equal(in.n, 0);
        assert_false(reader.has_bare_cr || reader.has_bare_lf);
        buf_free(&out);
    }
}

static void output_stays_within_its_bound(void **state)
{
    dot_stuff d = { 0 };
    buf out = buf_new(7);

    (void)state;
    assert_true(dot_stuff_feed(&d, STR("."), &out));
    assert_true(dot_stuff_end(&d, &out)); /* "..", CRLF, ".CRLF" */
    assert_int_equal(out.n, 7);
    assert_false(dot_stuff_feed(&d, STR("a"), &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_at_every_split),
        cmocka_unit_test(the_reader_finds_one_end),
        cmocka_unit_test(output_stays_within_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
