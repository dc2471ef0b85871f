#include "proto/imap_envelope.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    str message;
    const char *want;
} rows[] = {
    { STR_ROW(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
    { STR_ROW("Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nFrom: Fred <f@b.example>\r\nSubject: hi \"x\"\r\n"
              "To: a@b, \"B, C\" <c@d>\r\nCc: x\r\nMessage-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n\r\n"),
      "(\"Mon, 7 Feb 1994 21:52:25 -0800\" \"hi \\\"x\\\"\" ((\"Fred\" NIL \"f\" \"b.example\")) "
      "((\"Fred\" NIL \"f\" \"b.example\")) ((\"Fred\" NIL \"f\" \"b.example\")) "
      "((NIL NIL \"a\" \"b\")(\"B, C\" NIL \"c\" \"d\")) ((NIL NIL \"x\" \"\")) NIL \"<0@x>\" \"<1@x>\")" },
    { STR_ROW("From: f@x\nSender: s@x\nReply-To:\nTo: List: a@x, b@y;, c@z\nBcc: undisclosed:;\n\n"),
      "(NIL NIL ((NIL NIL \"f\" \"x\")) ((NIL NIL \"s\" \"x\")) ((NIL NIL \"f\" \"x\")) "
      "((NIL NIL \"List\" NIL)(NIL NIL \"a\" \"x\")(NIL NIL \"b\" \"y\")(NIL NIL NIL NIL)(NIL NIL \"c\" \"z\")) NIL "
      "((NIL NIL \"undisclosed\" NIL)(NIL NIL NIL NIL)) NIL NIL)" },
    { STR_ROW("Subject: \xc3\xa4\nTo: <@a,@b:c@d>\n\n"),
      "(NIL {2}\r\n\xc3\xa4 NIL NIL NIL ((NIL \"@a,@b\" \"c\" \"d\")) NIL NIL NIL NIL)" },
    { STR_ROW("Subject:\nTo: ,,,\n\n"), "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
};

static bool write(str message, buf *out)
{
    arena mem = arena_new(0);
    mime m;

    mime_open(&m, &mem, NULL);
    mime_feed(&m, message);
    bool good = imap_envelope_write(out, mime_close(&m)->envelope, &mem);
    arena_free(&mem);
    return good;
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf out = buf_new(2000);
        assert_true(write(rows[i].message, &out));
        if (!str_equal(buf_str(&out), str_c(rows[i].want)))
            fail_msg("row %zu: %s", i, buf_c(&out));
        buf_free(&out);
    }
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t max = 0; max < strlen(rows[i].want); max++) {
            buf out = buf_new(max);
            assert_false(write(rows[i].message, &out));
            buf_free(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold), cmocka_unit_test(a_full_buffer_is_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
