#include "proto/imap_structure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NO_ENVELOPE "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct row {
    str message;
    const char *body, *structure;
} rows[] = {
    { STR_ROW("Subject: x\r\n\r\none\r\ntwo\r\n"),
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2)",
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2 NIL NIL NIL NIL)" },
    { STR_ROW("Subject: x\n\none\ntwo\n"), "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2)",
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2 NIL NIL NIL NIL)" },
    { STR_ROW("Content-Type: image/png; name=\"a b\"\nContent-ID: <i>\nContent-Description: d\n"
              "Content-Transfer-Encoding: base64\nContent-MD5: m\nContent-Disposition: attachment; filename=x\n"
              "Content-Language: en, de\nContent-Location: l\n\nAAAA\n"),
      "(\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 6)",
      "(\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 6 \"m\" (\"attachment\" (\"filename\" \"x\")) "
      "(\"en\" \"de\") \"l\")" },
    { STR_ROW("Content-Type: multipart/mixed; boundary=b\n\n--b\n\na\n--b\nContent-Type: text/html\n\nbb\n--b--\n"),
      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)"
      "(\"text\" \"html\" NIL NIL NIL \"7bit\" 2 0) \"mixed\")",
      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL)"
      "(\"text\" \"html\" NIL NIL NIL \"7bit\" 2 0 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)" },
    { STR_ROW("Content-Type: multipart/x; boundary=b\n\nnothing\n"),
      "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0) \"x\")",
      "((\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL) \"x\" (\"boundary\" \"b\") NIL NIL NIL)" },
    { STR_ROW("Content-Type: message/rfc822\n\nSubject: in\n\nx\n"),
      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 18 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3)",
      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 18 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)" },
    { STR_ROW("Content-Type: multipart/digest; boundary=b\n\n--b\n\n\na\n--b\nContent-Type: multipart/alternative; "
              "boundary=c\n\n--c\n\nx\n--c--\n--b--\n"),
      "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 3 " NO_ENVELOPE
      " (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0) 1)"
      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0) \"alternative\") \"digest\")",
      NULL },
};

static bool write(str message, bool has_extensions, buf *out)
{
    arena mem = arena_new(0);
    mime m;

    mime_open(&m, &mem, NULL);
    mime_feed(&m, message);
    bool good = imap_structure_write(out, mime_close(&m), has_extensions, &mem);
    arena_free(&mem);
    return good;
}

static void check(str message, bool has_extensions, const char *want)
{
    buf out = buf_new(4000);

    assert_true(write(message, has_extensions, &out));
    if (!str_equal(buf_str(&out), str_c(want)))
        fail_msg("%s", buf_c(&out));
    for (size_t max = 0; max < strlen(want); max += 7) {
        buf small = buf_new(max);
        assert_false(write(message, has_extensions, &small));
        buf_free(&small);
    }
    buf_free(&out);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(rows[i].message, false, rows[i].body);
        if (rows[i].structure)
            check(rows[i].message, true, rows[i].structure);
    }
}

/* Parentheses close, however a message is cut and however deep it nests. */
static void parentheses_close(void **state)
{
    buf deep = buf_new(1 << 20);

    (void)state;
    for (int i = 0; i < 2000; i++)
        buf_append(&deep, STR("Content-Type: message/rfc822\n\n"));
    for (size_t i = 0; i <= COUNT_OF(rows); i++) {
        str message = i < COUNT_OF(rows) ? rows[i].message : buf_str(&deep);
        for (size_t n = 0; n <= message.n; n += i < COUNT_OF(rows) ? 1 : 5000) {
            buf out = buf_new(1 << 20);
            int depth = 0;
            assert_true(write(str_upto(message, n), true, &out));
            for (size_t k = 0; k < out.n; k++) {
                depth += out.p[k] == '(' ? 1 : out.p[k] == ')' ? -1 : 0;
                assert_true(depth > 0 || k + 1 == out.n);
            }
            assert_int_equal(depth, 0);
            buf_free(&out);
        }
    }
    buf_free(&deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold), cmocka_unit_test(parentheses_close) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
