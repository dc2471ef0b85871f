/* SOURCES: ctl/sendmail/header.c ctl/sendmail/recipients.c  NEEDS: mail */
#include "ctl/sendmail/header.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct row {
    const char *in, *out, *recipients; /* recipients NULL: without -t */
    const char *sender, *name;
} row;

static const row rows[] = {
    { "From: a@b\r\nTo: c@d.test\r\n", "From: a@b\r\nTo: c@d.test\r\n", NULL, "me@x", "" },
    { "To: c@d.test\r\n", "From: me@x\r\nTo: c@d.test\r\n", NULL, "me@x", "" },
    { "", "From: Me <me@x>\r\n", NULL, "me@x", "Me" },
    { "", "From: \"Me, \\\"I\\\"\" <me@x>\r\n", NULL, "me@x", "Me, \"I\"" },
    { "", "From: =?utf-8?B?w4Q=?= <me@x>\r\n", NULL, "me@x", "\xc3\x84" },
    { "", "From: =?iso-8859-1?B?xA==?= <me@x>\r\n", NULL, "me@x", "\xc4" },
    { "", "From: MAILER-DAEMON@here.test\r\n", NULL, "", "" },
    { "Resent-From: a@b\r\n", "Resent-From: a@b\r\n", NULL, "me@x", "" },
    { "From: a@b\r\nBcc: s@d.test,\r\n t@d.test\r\nbcc : u@d.test\r\nRESENT-BCC: v@d.test\r\nReturn-Path: <x@y>\r\nX: "
      "y\r\n",
      "From: a@b\r\nX: y\r\n", NULL, "me@x", "" },
    { "From: a@b\r\nTo: c@d.test, e\r\nCC: f@d.test\r\nBcc: g@d.test\r\nTo: h@d.test\r\n",
      "From: a@b\r\nTo: c@d.test, e\r\nCC: f@d.test\r\nTo: h@d.test\r\n",
      "c@d.test e@here.test f@d.test g@d.test h@d.test", "me@x", "" },
    { "From: a@b\r\nTo: c@d.test\r\nResent-To: r@d.test\r\nResent-Bcc: s@d.test\r\n",
      "From: a@b\r\nTo: c@d.test\r\nResent-To: r@d.test\r\n", "r@d.test s@d.test", "me@x", "" },
    { "From: a@b\r\nTo: undisclosed:;\r\n", "From: a@b\r\nTo: undisclosed:;\r\n", "", "me@x", "" },
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        recipients r = { 0 };
        buf out = buf_new(10000), all = buf_new(1000);
        header_job job = { .recipients = rows[i].recipients ? &r : NULL,
                           .sender = str_c(rows[i].sender),
                           .full_name = str_c(rows[i].name),
                           .origin = STR("here.test") };
        assert_int_equal(header_prepare(&job, str_c(rows[i].in), &out).kind, FAULT_NONE);
        assert_string_equal(buf_c(&out), rows[i].out);
        for (size_t k = 0; k < r.rows.n; k++)
            buf_printf(&all, "%s%.*s", k ? " " : "", STR_ARG(r.rows.p[k]));
        if (rows[i].recipients)
            assert_string_equal(buf_c(&all), rows[i].recipients);
        buf_free(&out);
        buf_free(&all);
        recipients_free(&r);
    }
}

static void test_a_recipient_that_is_none_is_told(void **state)
{
    (void)state;
    recipients r = { 0 };
    buf out = buf_new(1000);
    header_job job = { .recipients = &r, .sender = STR("me@x"), .full_name = STR(""), .origin = STR("here.test") };
    fault f = header_prepare(&job, STR("To: a@b.test, c@d@e\r\n"), &out);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "not an address"));
    buf_free(&out);
    recipients_free(&r);
}

static void test_a_name_begins_no_field(void **state)
{
    (void)state;
    buf out = buf_new(1000);
    header_job job = { .sender = STR("me@x"), .full_name = STR("x\r\nBcc: y"), .origin = STR("here.test") };
    assert_false(is_fault(header_prepare(&job, STR(""), &out)));
    assert_null(strstr(buf_c(&out), "\nBcc"));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_a_recipient_that_is_none_is_told),
        cmocka_unit_test(test_a_name_begins_no_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
