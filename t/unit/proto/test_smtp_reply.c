/* Replies out: always in correct syntax. Replies in: each row whole, byte by byte and truncated. */
#include "proto/smtp_reply.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct out_row {
    unsigned code;
    const char *status;
    str text;
    const char *want;
} out_rows[] = {
    { 250, "2.1.0", STR_ROW("Ok"), "250 2.1.0 Ok\r\n" },
    { 220, "", STR_ROW("mx ESMTP"), "220 mx ESMTP\r\n" },
    { 250, "", STR_ROW("mx\nPIPELINING\nSIZE 5"), "250-mx\r\n250-PIPELINING\r\n250 SIZE 5\r\n" },
    { 250, "", STR_ROW("mx\nDSN\n"), "250-mx\r\n250 DSN\r\n" },
    { 550, "5.7.1", STR_ROW("a\nb"), "550-5.7.1 a\r\n550 5.7.1 b\r\n" },
    { 550, "5.1.1", STR_ROW("<a\r\nb\0c\x1b[2J\xe4>"), "550-5.1.1 <a?\r\n550 5.1.1 b?c?[2J?>\r\n" },
    { 250, "2.0.0", STR_ROW(""), "250 2.0.0 \r\n" },
    { 250, "", STR_ROW("a\n\nb"), "250-a\r\n250-\r\n250 b\r\n" },
};

static void replies_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(out_rows); i++) {
        buf out = buf_new(1000);
        assert_true(smtp_reply_write(&out, out_rows[i].code, str_c(out_rows[i].status), out_rows[i].text));
        assert_true(str_equal(buf_str(&out), str_c(out_rows[i].want)));
        buf_free(&out);
    }
}

static void long_lines_go_on_the_next(void **state)
{
    char text[2000];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t n = 490; n < sizeof text; n += n < 520 ? 1 : 97) {
        buf out = buf_new(4000);
        assert_true(smtp_reply_write(&out, 550, STR("5.7.1"), (str){ text, n }));
        str rest = buf_str(&out), line;
        size_t shown = 0;
        while (str_cut(&rest, '\n', &line) && line.n) {
            assert_true(line.n + 1 <= SMTP_REPLY_LINE_MAX);
            assert_true(str_starts(line, STR("550")));
            assert_int_equal(line.p[3], rest.n ? '-' : ' ');
            shown += line.n - STR("550 5.7.1 \r").n;
        }
        assert_int_equal(shown, n);
        buf_free(&out);
    }
}

static void a_full_buffer_is_told(void **state)
{
    buf out = buf_new(13);

    (void)state;
    assert_false(smtp_reply_write(&out, 250, STR("2.1.0"), STR("Ok")));
    buf_free(&out);
}

typedef struct row {
    str in;
    parse want;
    unsigned code;
    const char *status, *text;
    size_t lines;
} row;

static const row rows[] = {
    { STR_ROW("250 2.1.0 Ok\r\n"), PARSE_DONE, 250, "2.1.0", "Ok", 1 },
    { STR_ROW("250\r\n"), PARSE_DONE, 250, "", "", 1 },
    { STR_ROW("250 \r\n"), PARSE_DONE, 250, "", "", 1 },
    { STR_ROW("220 mx ESMTP\n"), PARSE_DONE, 220, "", "mx ESMTP", 1 },
    { STR_ROW("250-mx\r\n250-SIZE 1\r\n250 DSN\r\n"), PARSE_DONE, 250, "", "mx\nSIZE 1\nDSN", 3 },
    { STR_ROW("550-5.7.1 a\r\n550 5.7.1 b\r\n"), PARSE_DONE, 550, "5.7.1", "a\nb", 2 },
    { STR_ROW("550 4.7.1 other class\r\n"), PARSE_DONE, 550, "", "4.7.1 other class", 1 },
    { STR_ROW("550 5.7.1234 x\r\n"), PARSE_DONE, 550, "", "5.7.1234 x", 1 },
    { STR_ROW("550 5.7.1\r\n"), PARSE_DONE, 550, "5.7.1", "", 1 },
    { STR_ROW("550 5.7. x\r\n"), PARSE_DONE, 550, "", "5.7. x", 1 },
    { STR_ROW("550 a\x1b[2J\x07\r\n"), PARSE_DONE, 550, "", "a?[2J?", 1 },
    { STR_ROW("550 \xc3\xa4\r\n"), PARSE_DONE, 550, "", "\xc3\xa4", 1 },
    { STR_ROW("550 \xc3\r\n"), PARSE_DONE, 550, "", "?", 1 },
    { STR_ROW("250-a\r\n550 b\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("999 x\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("199 x\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("260 x\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("25\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("2500 x\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("250 a\0b\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("250 a\rb\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("250-1\r\n250-2\r\n250-3\r\n250-4\r\n250 5\r\n"), PARSE_BAD, 0, "", "", 0 },
    { STR_ROW("250-1\r\n250-2\r\n250-3\r\n250 4\r\n"), PARSE_DONE, 250, "", "1\n2\n3\n4", 4 },
    { STR_ROW("250 012345678901234567890123456789\r\n"), PARSE_DONE, 250, "", "012345678901234567890123456789", 1 },
    { STR_ROW("250 0123456789012345678901234567890\r\n"), PARSE_BAD, 0, "", "", 0 },
};

static parse feed(smtp_reply_reader *r, str in, size_t piece, smtp_reply *out)
{
    size_t start = 0, end = 0;
    parse p = PARSE_MORE;

    while (p == PARSE_MORE && end < in.n) {
        end = end + piece < in.n ? end + piece : in.n;
        size_t used;
        p = smtp_reply_read(r, (str){ in.p + start, end - start }, out, &used);
        start += used;
    }
    if (p == PARSE_DONE)
        assert_int_equal(start, in.n);
    return p;
}

static void replies_are_read_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.n; piece++) {
            smtp_reply_reader r = smtp_reply_reader_new(4, 30);
            smtp_reply out;
            assert_int_equal(feed(&r, rows[i].in, piece, &out), rows[i].want);
            if (rows[i].want == PARSE_DONE) {
                assert_int_equal(out.code, rows[i].code);
                assert_true(str_equal(out.status, str_c(rows[i].status)));
                assert_true(str_equal(out.text, str_c(rows[i].text)));
                assert_int_equal(out.lines, rows[i].lines);
            }
            smtp_reply_reader_free(&r);
        }
}

static void truncated_replies_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; rows[i].want == PARSE_DONE && n < rows[i].in.n; n++) {
            smtp_reply_reader r = smtp_reply_reader_new(4, 30);
            smtp_reply out;
            assert_int_equal(feed(&r, str_upto(rows[i].in, n), 3, &out), PARSE_MORE);
            smtp_reply_reader_free(&r);
        }
}

static void one_reader_reads_many(void **state)
{
    smtp_reply_reader r = smtp_reply_reader_new(10, 100);
    str in = STR("250-a\r\n250 2.0.0 b\r\n354 go\r\n550 5.1.1 no\r\n");
    const unsigned codes[] = { 250, 354, 550 };

    (void)state;
    for (size_t i = 0, used; i < 3; i++, in = str_from(in, used)) {
        smtp_reply out;
        assert_int_equal(smtp_reply_read(&r, in, &out, &used), PARSE_DONE);
        assert_int_equal(out.code, codes[i]);
    }
    assert_int_equal(in.n, 0);
    smtp_reply_reader_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_written),    cmocka_unit_test(long_lines_go_on_the_next),
        cmocka_unit_test(a_full_buffer_is_told),  cmocka_unit_test(replies_are_read_at_every_split),
        cmocka_unit_test(truncated_replies_wait), cmocka_unit_test(one_reader_reads_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
