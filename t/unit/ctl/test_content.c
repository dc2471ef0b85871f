/* SOURCES: ctl/sendmail/content.c  NEEDS: mail */
#include "ctl/sendmail/content.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

typedef struct row {
    str in, header, body; /* header: as on_header gets it; body: what follows the empty line */
    bool ignores_dot, is_8bit;
    size_t left; /* octets behind the dot */
} row;

#define ROW(in, header, body, ...)                               \
    {                                                            \
        STR_ROW(in), STR_ROW(header), STR_ROW(body), __VA_ARGS__ \
    }

static const row rows[] = {
    ROW("", "", "", .left = 0),
    ROW("hello\n", "", "hello\r\n", .left = 0),
    ROW("hello", "", "hello\r\n", .left = 0),
    ROW("Subject: x\n\nbody\n", "Subject: x\r\n", "body\r\n", .left = 0),
    ROW("Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n", "body\r\n", .left = 0),
    ROW("Subject: x\n", "Subject: x\r\n", "", .left = 0),
    ROW("Subject: x\n more\n\tmore\n\nb", "Subject: x\r\n more\r\n\tmore\r\n", "b\r\n", .left = 0),
    ROW("Subject : x\n\nb", "Subject : x\r\n", "b\r\n", .left = 0),
    ROW("Subject: x\nno field here\nb\n", "Subject: x\r\n", "no field here\r\nb\r\n", .left = 0),
    ROW(" leading: blank\n\nb\n", "", " leading: blank\r\n\r\nb\r\n", .left = 0),
    ROW("\nSubject: x\n\nb\n", "", "Subject: x\r\n\r\nb\r\n", .left = 0),
    ROW("From me@here Mon\nA: b\n\nb\n", "A: b\r\n", "b\r\n", .left = 0),
    ROW("A: b\nFrom me\n", "A: b\r\n", "From me\r\n", .left = 0),
    ROW("A: b\n\nx\n.\nnever\n", "A: b\r\n", "x\r\n", .left = 6),
    ROW("A: b\n\nx\r\n.\r\nnever\n", "A: b\r\n", "x\r\n", .left = 6),
    ROW("A: b\n.\nnever", "A: b\r\n", "", .left = 5),
    ROW(".\n", "", "", .left = 0),
    ROW(".", "", "", .left = 0),
    ROW("A: b\n\n..\n.x\n. \n", "A: b\r\n", "..\r\n.x\r\n. \r\n", .left = 0),
    ROW("A: b\n\nx\n.\ny\n", "A: b\r\n", "x\r\n.\r\ny\r\n", .ignores_dot = true),
    ROW("A: b\n\nx\n.", "A: b\r\n", "x\r\n.\r\n", .ignores_dot = true),
    ROW("A: b\n\nx\ry\r\rz\r", "A: b\r\n", "x\r\ny\r\n\r\nz\r\n", .left = 0),
    ROW("A: b\rBcc: c\n\nx", "A: b Bcc: c\r\n", "x\r\n", .left = 0),
    ROW("A: b\n\nx\r.\r\ny", "A: b\r\n", "x\r\n", .left = 1),
    ROW("A: b\n\n.\rx\n", "A: b\r\n", ".\r\nx\r\n", .left = 0),
    ROW("A: b\n\nx\0y\0\n", "A: b\r\n", "xy\r\n", .left = 0),
    ROW("A: b\n\n.\0\nx", "A: b\r\n", "", .left = 1),
    ROW("A: \xc3\xa4\n\n", "A: \xc3\xa4\r\n", "", .is_8bit = true),
    ROW("A: b\n\n\xe4\n", "A: b\r\n", "\xe4\r\n", .is_8bit = true),
};

typedef struct seen {
    buf header;
    unsigned calls;
    fault answer;
} seen;

static fault on_header(void *context, str header, buf *out)
{
    seen *s = context;
    s->calls++;
    buf_append(&s->header, header);
    buf_append(out, STR("H\r\n"));
    return s->answer;
}

static void check(const row *r, size_t step)
{
    seen s = { .header = buf_new(10000) };
    buf out = buf_new(10000);
    content c = content_new(r->ignores_dot, on_header, &s);
    parse p = PARSE_MORE;
    size_t at = 0;
    while (p == PARSE_MORE && at < r->in.n) {
        str piece = str_upto(str_from(r->in, at), step);
        p = content_feed(&c, piece, &out);
        at += piece.n;
    }
    if (p == PARSE_MORE)
        p = content_end(&c, &out);
    else if (step == 1)
        assert_int_equal(r->in.n - at, r->left);
    assert_int_equal(p, PARSE_DONE);
    assert_int_equal(s.calls, 1);
    assert_true(str_equal(buf_str(&s.header), r->header));
    assert_true(str_starts(buf_str(&out), STR("H\r\n\r\n")));
    assert_true(str_equal(str_from(buf_str(&out), 5), r->body));
    assert_int_equal(c.is_8bit, r->is_8bit);
    content_free(&c);
    buf_free(&out);
    buf_free(&s.header);
}

static void test_rows_whole_and_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t step = 1; step <= rows[i].in.n + 1; step++)
            check(&rows[i], step);
}

/* Whatever was cut off, what comes out has no line end of another kind. */
static void test_every_truncation_is_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].in.n; n++) {
            seen s = { .header = buf_new(10000) };
            buf out = buf_new(10000);
            content c = content_new(rows[i].ignores_dot, on_header, &s);
            if (content_feed(&c, str_upto(rows[i].in, n), &out) == PARSE_MORE)
                assert_int_equal(content_end(&c, &out), PARSE_DONE);
            assert_true(str_ends(buf_str(&out), STR("\r\n")));
            for (size_t k = 0; k < out.n; k++) {
                assert_true(out.p[k] != '\n' || (k > 0 && out.p[k - 1] == '\r'));
                assert_true(out.p[k] != '\r' || (k + 1 < out.n && out.p[k + 1] == '\n'));
                assert_true(out.p[k] != '\0');
            }
            content_free(&c);
            buf_free(&out);
            buf_free(&s.header);
        }
}

static void test_a_long_first_line_is_text(void **state)
{
    (void)state;
    seen s = { .header = buf_new(100) };
    buf out = buf_new(8 * CONTENT_HEADER_MAX), in = buf_new(8 * CONTENT_HEADER_MAX);
    content c = content_new(false, on_header, &s);
    while (in.n < 2 * CONTENT_HEADER_MAX)
        buf_append(&in, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_int_equal(content_feed(&c, buf_str(&in), &out), PARSE_MORE);
    assert_int_equal(content_end(&c, &out), PARSE_DONE);
    assert_int_equal(out.n, in.n + 7);
    content_free(&c);
    buf_free(&s.header);
    buf_free(&in);
    buf_free(&out);
}

static void test_a_header_has_a_limit(void **state)
{
    (void)state;
    seen s = { .header = buf_new(100) };
    buf out = buf_new(100);
    content c = content_new(false, on_header, &s);
    parse p = PARSE_MORE;
    size_t lines = 0;
    while (p == PARSE_MORE && lines++ < CONTENT_HEADER_MAX)
        p = content_feed(&c, STR("Name: value\n"), &out);
    assert_int_equal(p, PARSE_BAD);
    assert_int_equal(c.fault.kind, FAULT_REFUSED);
    assert_true(lines * 13 > CONTENT_HEADER_MAX - 13);
    assert_int_equal(s.calls, 0);
    content_free(&c);
}

static void test_a_fault_of_the_header_ends_it(void **state)
{
    (void)state;
    seen s = { .header = buf_new(100), .answer = fault_make(FAULT_REFUSED, "1.3", "no") };
    buf out = buf_new(100);
    content c = content_new(false, on_header, &s);
    assert_int_equal(content_feed(&c, STR("A: b\n\nbody"), &out), PARSE_BAD);
    assert_string_equal(c.fault.text, "no");
    content_free(&c);
    buf_free(&out);
    buf_free(&s.header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_whole_and_in_pieces),      cmocka_unit_test(test_every_truncation_is_clean),
        cmocka_unit_test(test_a_long_first_line_is_text),     cmocka_unit_test(test_a_header_has_a_limit),
        cmocka_unit_test(test_a_fault_of_the_header_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
