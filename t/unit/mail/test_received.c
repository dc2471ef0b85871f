#include "mail/received.h"
#include "mail/header.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const trace_field base = {
    .helo = STR_ROW("mx.example"),
    .client_name = STR_ROW("a.example"),
    .client_ip = STR_ROW("192.0.2.1"),
    .host = STR_ROW("our.example"),
    .id = STR_ROW("4Xyz"),
    .is_esmtp = true,
};

static void check(const trace_field *r, const char *want)
{
    buf out = buf_new(4096);
    assert_true(received_append(&out, r));
    assert_string_equal(buf_c(&out), want);
    buf_free(&out);
}

static void the_field_names_the_hop(void **state)
{
    trace_field r = base;

    (void)state;
    check(&r, "Received: from mx.example (a.example [192.0.2.1])\r\n\tby our.example with ESMTP\r\n\tid 4Xyz; "
              "Thu, 1 Jan 1970 00:00:00 +0000\r\n");
    r.recipient = STR("b@our.example");
    r.client_ip = STR("2001:db8::1");
    r.client_name = STR_NONE;
    r.tls_version = STR("TLSv1.3");
    r.tls_cipher = STR("TLS_AES_256_GCM_SHA384");
    r.tls_bits = 256;
    r.has_login = true;
    check(&r,
          "Received: from mx.example (unknown [IPv6:2001:db8::1])\r\n"
          "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256 bits))\r\n"
          "\tby our.example with ESMTPSA\r\n\tid 4Xyz\r\n\tfor <b@our.example>; Thu, 1 Jan 1970 00:00:00 +0000\r\n");
    check(&(trace_field){ .host = STR("our.example"), .id = STR("4X"), .uid = 1000 },
          "Received: by our.example (from uid 1000)\r\n\tid 4X; Thu, 1 Jan 1970 00:00:00 +0000\r\n");
}

static void protocols_are_named_as_registered(void **state)
{
    static const struct {
        bool esmtp, utf8, tls, login;
        const char *want;
    } rows[] = {
        { false, false, false, false, " with SMTP\r\n" },   { true, false, false, false, " with ESMTP\r\n" },
        { true, false, true, false, " with ESMTPS\r\n" },   { true, false, false, true, " with ESMTPA\r\n" },
        { true, false, true, true, " with ESMTPSA\r\n" },   { true, true, false, false, " with UTF8SMTP\r\n" },
        { true, true, true, true, " with UTF8SMTPSA\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trace_field r = base;
        buf out = buf_new(4096);
        r.is_esmtp = rows[i].esmtp;
        r.is_utf8 = rows[i].utf8;
        r.has_login = rows[i].login;
        r.tls_version = rows[i].tls ? STR("TLSv1.2") : STR_NONE;
        assert_true(received_append(&out, &r));
        assert_non_null(strstr(buf_c(&out), rows[i].want));
        buf_free(&out);
    }
}

static void lmtp_has_words_of_its_own(void **state)
{
    trace_field r = base;
    buf out = buf_new(4096);

    (void)state;
    r.is_esmtp = false;
    r.is_lmtp = true;
    assert_true(received_append(&out, &r));
    assert_non_null(strstr(buf_c(&out), " with LMTP\r\n"));
    buf_clear(&out);
    r.has_login = true;
    r.tls_version = STR("TLSv1.3");
    assert_true(received_append(&out, &r));
    assert_non_null(strstr(buf_c(&out), " with LMTPSA\r\n"));
    buf_clear(&out);
    r.is_utf8 = true;
    assert_true(received_append(&out, &r));
    assert_non_null(strstr(buf_c(&out), " with UTF8LMTPSA\r\n"));
    buf_free(&out);
}

static void hostile_names_cannot_leave_their_place(void **state)
{
    trace_field r = base;
    buf out = buf_new(8192);
    char longest[9000];
    header_walk walk;
    header_field f;

    (void)state;
    r.helo = STR("a\r\nBcc: x@y\0(<>\")");
    r.recipient = STR("a>\r\n; @b");
    assert_true(received_append(&out, &r));
    walk = header_open(buf_str(&out));
    assert_true(header_next(&walk, &f));
    assert_int_equal(f.end, out.n);
    assert_non_null(strstr(buf_c(&out), "from a??Bcc:?x?y?????? (a.example"));

    memset(longest, 'h', sizeof longest);
    r.helo = (str){ longest, sizeof longest };
    buf_clear(&out);
    assert_true(received_append(&out, &r));
    str rest = buf_str(&out), line;
    while (str_cut(&rest, '\n', &line))
        assert_true(line.n < 998);
    buf_free(&out);
}

static void hops_are_counted(void **state)
{
    (void)state;
    assert_int_equal(received_count(STR("")), 0);
    assert_int_equal(received_count(STR("Received: a\r\n b\r\nRECEIVED : c\nX-Received: d\r\n\r\nReceived: body\r\n")),
                     2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_field_names_the_hop),
        cmocka_unit_test(protocols_are_named_as_registered),
        cmocka_unit_test(lmtp_has_words_of_its_own),
        cmocka_unit_test(hostile_names_cannot_leave_their_place),
        cmocka_unit_test(hops_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
