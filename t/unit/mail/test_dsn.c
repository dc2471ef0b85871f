/* The fields, rows and headers of reports, and that nothing which comes from outside makes a line of its own. */
#include "mail/dsn.h"
#include "mail/header.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const dsn_report base = {
    .host = STR_ROW("mx.example"),
    .id = STR_ROW("4XYZ"),
    .from = STR_ROW("MAILER-DAEMON@mx.example (X)"),
    .subject = STR_ROW("s"),
    .to = STR_ROW("a@b.example"),
    .boundary = STR_ROW("b1"),
    .about = STR_ROW("4ABC"),
    .sender = STR_ROW("a@b.example"),
    .envelope_id = STR_ROW("env"),
    .message_id = STR_ROW("<m@b.example>"),
};

static const dsn_recipient one = {
    .action = DSN_FAILED,
    .address = STR_ROW("u@l.example"),
    .status = STR_ROW("5.1.1"),
    .reason = STR_ROW("no such user"),
    .last_try = { .utc_s = 60 },
};

#define NOW "Thu, 1 Jan 1970 00:00:00 +0000"
#define LATER "Thu, 1 Jan 1970 00:01:00 +0000"

static void the_header_is_that_of_a_report(void **state)
{
    buf out = buf_new(4096);
    (void)state;
    assert_true(dsn_header_append(&out, &base));
    assert_string_equal(buf_c(&out),
                        "Received: by mx.example\r\n\tid 4XYZ; " NOW "\r\nDate: " NOW "\r\n"
                        "From: MAILER-DAEMON@mx.example (X)\r\nSubject: s\r\nTo: a@b.example\r\n"
                        "Message-ID: <4XYZ@mx.example>\r\nIn-Reply-To: <m@b.example>\r\nReferences: <m@b.example>\r\n"
                        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"b1\"\r\n\r\n"
                        "This is a message in MIME format with several parts.\r\n");
    buf_free(&out);
}

static void no_reference_to_a_message_without_an_identifier(void **state)
{
    dsn_report r = base;
    buf out = buf_new(4096);
    (void)state;
    r.message_id = STR_NONE;
    r.is_8bit = true;
    assert_true(dsn_header_append(&out, &r));
    assert_null(strstr(buf_c(&out), "References"));
    assert_non_null(strstr(buf_c(&out), "\r\nContent-Transfer-Encoding: 8bit\r\n"));
    buf_free(&out);
}

static void parts_stand_between_boundaries(void **state)
{
    buf out = buf_new(4096);
    (void)state;
    assert_true(dsn_part_append(&out, &base, STR("D"), STR("text/plain"), false));
    assert_true(dsn_part_append(&out, &base, STR("E"), STR("message/rfc822"), true));
    assert_true(dsn_end_append(&out, &base));
    assert_string_equal(buf_c(&out), "\r\n--b1\r\nContent-Description: D\r\nContent-Type: text/plain\r\n\r\n"
                                     "\r\n--b1\r\nContent-Description: E\r\nContent-Type: message/rfc822\r\n"
                                     "Content-Transfer-Encoding: 8bit\r\n\r\n\r\n--b1--\r\n");
    buf_free(&out);
}

static void fields_of_the_message(void **state)
{
    dsn_report r = base;
    buf out = buf_new(4096);
    (void)state;
    assert_true(dsn_message_fields_append(&out, &r));
    assert_string_equal(buf_c(&out),
                        "Reporting-MTA: dns; mx.example\r\nX-Postrider-Queue-ID: 4ABC\r\n"
                        "X-Postrider-Sender: rfc822; a@b.example\r\nOriginal-Envelope-Id: env\r\nArrival-Date: " NOW
                        "\r\n");
    buf_clear(&out);
    r.sender = r.envelope_id = STR_NONE;
    assert_true(dsn_message_fields_append(&out, &r));
    assert_string_equal(buf_c(&out),
                        "Reporting-MTA: dns; mx.example\r\nX-Postrider-Queue-ID: 4ABC\r\nArrival-Date: " NOW "\r\n");
    buf_free(&out);
}

static void fields_check(const dsn_report *r, const dsn_recipient *to, const char *want)
{
    buf out = buf_new(8192);
    assert_true(dsn_recipient_fields_append(&out, r, to));
    assert_string_equal(buf_c(&out), want);
    buf_free(&out);
}

static void fields_of_a_recipient(void **state)
{
    dsn_recipient to = one;
    (void)state;
    fields_check(&base, &to,
                 "\r\nFinal-Recipient: rfc822; u@l.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                 "Diagnostic-Code: X-Postrider; no such user\r\nLast-Attempt-Date: " LATER "\r\n");
    to.original = STR("U@L.example"); /* the same */
    to.remote = STR("other.example");
    to.retry_until.utc_s = 60; /* of delays alone */
    fields_check(&base, &to,
                 "\r\nFinal-Recipient: rfc822; u@l.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
                 "Remote-MTA: dns; other.example\r\nDiagnostic-Code: smtp; no such user\r\n"
                 "Last-Attempt-Date: " LATER "\r\n");
    to = (dsn_recipient){
        .action = DSN_DELAYED, .address = one.address, .original = STR("x@l.example"), .retry_until = { .utc_s = 60 }
    };
    fields_check(&base, &to,
                 "\r\nOriginal-Recipient: rfc822; x@l.example\r\nFinal-Recipient: rfc822; u@l.example\r\n"
                 "Action: delayed\r\nStatus: 4.0.0\r\nWill-Retry-Until: " LATER "\r\n");
    to.orcpt = STR("x400;y=z");
    to.retry_until.utc_s = 0;
    to.action = DSN_EXPANDED;
    fields_check(&base, &to,
                 "\r\nOriginal-Recipient: x400; y=z\r\nFinal-Recipient: rfc822; u@l.example\r\n"
                 "Action: expanded\r\nStatus: 2.0.0\r\n");
}

static void each_action_has_its_word_and_status(void **state)
{
    static const struct {
        dsn_action action;
        const char *word, *status;
    } rows[] = { { DSN_FAILED, "failed", "5.0.0" },       { DSN_DELAYED, "delayed", "4.0.0" },
                 { DSN_DELIVERED, "delivered", "2.0.0" }, { DSN_RELAYED, "relayed", "2.0.0" },
                 { DSN_EXPANDED, "expanded", "2.0.0" },   { (dsn_action)0, "failed", "5.0.0" },
                 { (dsn_action)99, "failed", "5.0.0" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char want[200];
        dsn_recipient to = { .action = rows[i].action, .address = STR("u@l.example") };
        snprintf(want, sizeof want, "\r\nFinal-Recipient: rfc822; u@l.example\r\nAction: %s\r\nStatus: %s\r\n",
                 rows[i].word, rows[i].status);
        fields_check(&base, &to, want);
    }
}

static void a_status_is_three_numbers(void **state)
{
    static const struct {
        str status;
        bool is_one;
    } rows[] = {
        { STR_ROW("5.1.1"), true },
        { STR_ROW("2.123.999"), true },
        { STR_ROW("4.0.0"), true },
        { STR_ROW(""), false },
        { STR_ROW("5"), false },
        { STR_ROW("5.1"), false },
        { STR_ROW("5.1."), false },
        { STR_ROW("3.1.1"), false },
        { STR_ROW("55.1.1"), false },
        { STR_ROW("5.1.1234"), false },
        { STR_ROW("5.a.1"), false },
        { STR_ROW("5.1.1.1"), false },
        { STR_ROW("5.1.1\r\nX: y"), false },
        { STR_ROW("5.1.1\0"), false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        dsn_recipient to = { .action = DSN_FAILED, .address = STR("u@l.example"), .status = rows[i].status };
        buf out = buf_new(4096);
        assert_true(dsn_recipient_fields_append(&out, &base, &to));
        char want[40];
        snprintf(want, sizeof want, "Status: %.*s\r\n", STR_ARG(rows[i].is_one ? rows[i].status : STR("5.0.0")));
        assert_non_null(strstr(buf_c(&out), want));
        buf_free(&out);
    }
}

/* RFC 6533 3 */
static void addresses_that_are_not_ascii(void **state)
{
    dsn_report r = base;
    dsn_recipient to = { .action = DSN_FAILED, .address = STR("j\xc3\xb6rg@l.example"), .reason = STR("\xc3\xb6") };
    (void)state;
    fields_check(&r, &to,
                 "\r\nFinal-Recipient: utf-8; j\\x{F6}rg@l.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                 "Diagnostic-Code: X-Postrider; ??\r\n");
    to.address = STR("a+=\\ \xf0\x9f\x98\x80\xff@l");
    to.reason = STR_NONE;
    fields_check(&r, &to,
                 "\r\nFinal-Recipient: utf-8; a\\x{2B}\\x{3D}\\x{5C}\\x{20}\\x{1F600}?@l\r\nAction: failed\r\nStatus: "
                 "5.0.0\r\n");
    r.is_utf8 = true;
    to.address = STR("j\xc3\xb6rg@l.example");
    to.reason = STR("\xc3\xb6");
    fields_check(&r, &to,
                 "\r\nFinal-Recipient: utf-8; j\xc3\xb6rg@l.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                 "Diagnostic-Code: X-Postrider; \xc3\xb6\r\n");
    to.reason = STR("\xc3("); /* not UTF-8 */
    fields_check(&r, &to,
                 "\r\nFinal-Recipient: utf-8; j\xc3\xb6rg@l.example\r\nAction: failed\r\nStatus: 5.0.0\r\n"
                 "Diagnostic-Code: X-Postrider; ?(\r\n");
}

static void lines_check(str text, bool may_be_8bit)
{
    str rest = text, line;
    while (str_cut(&rest, '\n', &line) && rest.p) {
        assert_true(line.n >= 1 && line.n <= 999 && line.p[line.n - 1] == '\r');
        for (size_t i = 0; i + 1 < line.n; i++)
            assert_true(line.p[i] == '\t' ||
                        ((unsigned char)line.p[i] >= ' ' && (may_be_8bit || (unsigned char)line.p[i] < 0x7f)));
    }
    assert_int_equal(line.n, 0);
}

/* Each text in turn is an attack: fields stay as many as they were. */
static size_t fields_count(const dsn_report *r, const dsn_recipient *to)
{
    buf out = buf_new(64 * 1024);
    header_field f;
    size_t n = 0;
    assert_true(dsn_header_append(&out, r));
    header_walk walk = header_open(buf_str(&out));
    while (header_next(&walk, &f))
        n += f.is_valid;
    lines_check(buf_str(&out), r->is_utf8);
    buf_clear(&out);
    assert_true(dsn_message_fields_append(&out, r) && dsn_recipient_fields_append(&out, r, to) &&
                dsn_recipient_text_append(&out, r, to));
    lines_check(buf_str(&out), r->is_utf8);
    assert_null(memmem(out.p, out.n, "\n--b1", 5));
    walk = header_open(buf_str(&out));
    for (int block = 0; block < 2; block++, walk = header_open(str_from(walk.block, walk.at)))
        while (header_next(&walk, &f))
            n += f.is_valid;
    buf_free(&out);
    return n;
}

static void hostile_texts_stay_in_their_line(void **state)
{
    static char longest[5000];
    memset(longest, 'x', sizeof longest);
    const str attacks[] = { STR("x\r\nX-Injected: y"),
                            STR("x\nX-Injected: y\n\nbody"),
                            STR("x\r\n\r\n--b1\r\n"),
                            STR("\0\x1b[2J\x7f\xff"),
                            STR("\r"),
                            { longest, sizeof longest } };
    dsn_report report = base;
    dsn_recipient row = one;
    row.original = STR("o@l.example");
    row.remote = STR("r.example");
    str *const texts[] = { &report.from,   &report.subject,     &report.to,   &report.about,
                           &report.sender, &report.envelope_id, &row.address, &row.original,
                           &row.reason,    &row.remote,         &row.status };
    size_t want = fields_count(&report, &row);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (size_t k = 0; k < COUNT_OF(attacks); k++) {
            str kept = *texts[i];
            *texts[i] = attacks[k];
            assert_int_equal(fields_count(&report, &row), want);
            report.is_utf8 = true;
            assert_int_equal(fields_count(&report, &row), want + 1); /* Content-Transfer-Encoding */
            report.is_utf8 = false;
            *texts[i] = kept;
        }
    row.orcpt = STR("rfc822;a\r\nX: y");
    assert_int_equal(fields_count(&report, &row), want);
    row.orcpt = STR("no semicolon"); /* no field is better than a wrong one */
    assert_int_equal(fields_count(&report, &row), want - 1);
}

static void rows_for_a_person(void **state)
{
    dsn_recipient to = one;
    buf out = buf_new(4096);
    (void)state;
    assert_true(dsn_recipient_text_append(&out, &base, &to));
    assert_string_equal(buf_c(&out), "\r\n<u@l.example>: no such user\r\n");
    buf_clear(&out);
    to.original = STR("list@l.example");
    to.remote = STR("other.example");
    to.reason = STR("550 5.1.1 this is a long reply, with many words that do not fit");
    assert_true(dsn_recipient_text_append(&out, &base, &to));
    assert_string_equal(buf_c(&out),
                        "\r\n<u@l.example> (for <list@l.example>): host other.example said: 550 5.1.1 this\r\n"
                        "    is a long reply, with many words that do not fit\r\n");
    buf_free(&out);
}

static void identifiers_that_may_be_referred_to(void **state)
{
    static char longest[600];
    memset(longest, 'x', sizeof longest);
    longest[0] = '<';
    longest[sizeof longest - 1] = '>';
    const struct {
        str value, want;
    } rows[] = {
        { STR("<a@b>"), STR("<a@b>") },
        { STR("  <a@b> (comment)"), STR("<a@b>") },
        { STR("x <a@b><c@d>"), STR("<a@b>") },
        { STR(""), STR_NONE },
        { STR("a@b"), STR_NONE },
        { STR("<>"), STR_NONE },
        { STR("<a b@c>"), STR_NONE },
        { STR("<a\r\n@c>"), STR_NONE },
        { STR("<a\xff@c>"), STR_NONE },
        { STR("<a<b@c>"), STR_NONE },
        { STR("<a@b"), STR_NONE },
        { STR(">a@b<"), STR_NONE },
        { { longest, sizeof longest }, STR_NONE },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_true(str_equal(dsn_message_id(rows[i].value), rows[i].want));
}

static void boundaries_are_words(void **state)
{
    unsigned char bytes[DSN_BOUNDARY_BYTES] = { 0xab, 0xcd };
    char out[DSN_BOUNDARY_MAX], other[DSN_BOUNDARY_MAX];
    (void)state;
    dsn_boundary(STR("4X\"\r\nY"), bytes, out);
    assert_string_equal(out, "4XY.abcd0000000000000000000000000000");
    dsn_boundary(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), bytes,
                 out);
    assert_true(strlen(out) < DSN_BOUNDARY_MAX);
    bytes[15] = 1;
    dsn_boundary(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), bytes,
                 other);
    assert_string_not_equal(out, other);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    for (size_t max = 0; max < 100; max += 9) {
        buf out = buf_new(max);
        assert_false(dsn_header_append(&out, &base));
        buf_free(&out);
        out = buf_new(max / 2);
        assert_false(dsn_recipient_fields_append(&out, &base, &one));
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_that_of_a_report),
        cmocka_unit_test(no_reference_to_a_message_without_an_identifier),
        cmocka_unit_test(parts_stand_between_boundaries),
        cmocka_unit_test(fields_of_the_message),
        cmocka_unit_test(fields_of_a_recipient),
        cmocka_unit_test(each_action_has_its_word_and_status),
        cmocka_unit_test(a_status_is_three_numbers),
        cmocka_unit_test(addresses_that_are_not_ascii),
        cmocka_unit_test(hostile_texts_stay_in_their_line),
        cmocka_unit_test(rows_for_a_person),
        cmocka_unit_test(identifiers_that_may_be_referred_to),
        cmocka_unit_test(boundaries_are_words),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
