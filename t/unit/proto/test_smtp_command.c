/* Each row runs whole, byte by byte, and truncated at every byte. */
#include "proto/smtp_command.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct row {
    str in;
    parse want;
    str verb, argument, params;
    bool is_path;
} row;

static const row rows[] = {
    { STR_ROW("QUIT\r\n"), PARSE_DONE, STR_ROW("QUIT"), STR_ROW(""), STR_ROW(""), false },
    { STR_ROW("\r\n"), PARSE_DONE, STR_ROW(""), STR_ROW(""), STR_ROW(""), false },
    { STR_ROW("ehlo  mx.example \r\n"), PARSE_DONE, STR_ROW("ehlo"), STR_ROW("mx.example"), STR_ROW(""), false },
    { STR_ROW("MAIL FROM:<>\r\n"), PARSE_DONE, STR_ROW("MAIL FROM:"), STR_ROW(""), STR_ROW(""), true },
    { STR_ROW("mail from: <a@b.example>  SIZE=10 BODY=8BITMIME \r\n"), PARSE_DONE, STR_ROW("mail from:"),
      STR_ROW("a@b.example"), STR_ROW("SIZE=10 BODY=8BITMIME"), true },
    { STR_ROW("RCPT TO:<\"a>\\\"b\"@c.example>\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("\"a>\\\"b\"@c.example"),
      STR_ROW(""), true },
    { STR_ROW("RCPT TO:<a@b>x\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("<a@b>x"), STR_ROW(""), false },
    { STR_ROW("RCPT TO:<a@b>SIZE=1\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("<a@b>SIZE=1"), STR_ROW(""), false },
    { STR_ROW("RCPT TO:<\"a@b>\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("<\"a@b>"), STR_ROW(""), false },
    { STR_ROW("RCPT TO:<\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("<"), STR_ROW(""), false },
    { STR_ROW("RCPT TO:<\"\\\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("<\"\\"), STR_ROW(""), false },
    { STR_ROW("RCPT TO:a@b\r\n"), PARSE_DONE, STR_ROW("RCPT TO:"), STR_ROW("a@b"), STR_ROW(""), false },
    { STR_ROW("RCPT  TO:<a@b>\r\n"), PARSE_DONE, STR_ROW("RCPT"), STR_ROW("TO:<a@b>"), STR_ROW(""), false },
    { STR_ROW("GET / HTTP/1.1\r\n"), PARSE_DONE, STR_ROW("GET"), STR_ROW("/ HTTP/1.1"), STR_ROW(""), false },
    { STR_ROW("NOOP\n"), PARSE_BAD, { 0 }, { 0 }, { 0 }, false },
    { STR_ROW("NO\rOP\r\n"), PARSE_BAD, { 0 }, { 0 }, { 0 }, false },
    { STR_ROW("RCPT TO:<a\0b@c>\r\n"), PARSE_BAD, { 0 }, { 0 }, { 0 }, false },
};

static void check(const row *r, parse got, const smtp_command *c)
{
    assert_int_equal(got, r->want);
    if (got != PARSE_DONE)
        return;
    assert_true(str_equal(c->verb, r->verb));
    assert_true(str_equal(c->argument, r->argument));
    assert_true(str_equal(c->params, r->params));
    assert_int_equal(c->is_path, r->is_path);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        line_reader r = line_reader_new(SMTP_COMMAND_MAX, false);
        smtp_command c;
        size_t used;
        check(&rows[i], smtp_command_read(&r, rows[i].in, &c, &used), &c);
    }
}

static void rows_hold_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        line_reader r = line_reader_new(SMTP_COMMAND_MAX, false);
        smtp_command c;
        size_t used;
        parse p = PARSE_MORE;
        for (size_t n = 0; p == PARSE_MORE && n <= rows[i].in.n; n++) {
            p = smtp_command_read(&r, str_upto(rows[i].in, n), &c, &used);
            if (rows[i].want == PARSE_DONE && n < rows[i].in.n)
                assert_int_equal(p, PARSE_MORE);
        }
        check(&rows[i], p, &c);
    }
}

static void a_line_has_2048_octets_at_most(void **state)
{
    char line[SMTP_COMMAND_MAX + 8];

    (void)state;
    for (size_t n = SMTP_COMMAND_MAX - 1; n <= SMTP_COMMAND_MAX + 1; n++) {
        line_reader r = line_reader_new(SMTP_COMMAND_MAX, false);
        smtp_command c;
        size_t used;
        memset(line, 'a', sizeof line);
        memcpy(line + n - 2, "\r\n", 2);
        assert_int_equal(smtp_command_read(&r, (str){ line, n }, &c, &used),
                         n <= SMTP_COMMAND_MAX ? PARSE_DONE : PARSE_BAD);
        if (n > SMTP_COMMAND_MAX)
            assert_int_equal(r.problem, LINE_TOO_LONG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(rows_hold_byte_by_byte),
        cmocka_unit_test(a_line_has_2048_octets_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
