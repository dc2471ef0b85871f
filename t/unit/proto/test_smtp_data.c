/* End of data is CRLF.CRLF: every row is cut at every place, and what is nearly the end is content. */
#include "proto/smtp_data.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { FINE = 0, CR = 1, LF = 2, NUL = 4 };

typedef struct row {
    str in;
    str content;
    unsigned flags;
    str tail; /* what is left for the commands; p NULL: the end does not come */
} row;

static const row rows[] = {
    { STR_ROW("a\r\nb\r\n.\r\nQUIT\r\n"), STR_ROW("a\r\nb\r\n"), FINE, STR_ROW("QUIT\r\n") },
    { STR_ROW(".\r\n"), STR_ROW(""), FINE, STR_ROW("") },
    { STR_ROW("..\r\n.\r\n"), STR_ROW(".\r\n"), FINE, STR_ROW("") },
    { STR_ROW("..a\r\n...\r\na.\r\n.b\r\n.\r\n"), STR_ROW(".a\r\n..\r\na.\r\nb\r\n"), FINE, STR_ROW("") },
    { STR_ROW("a\r\n\r\n\r\n.\r\n.\r\n"), STR_ROW("a\r\n\r\n\r\n"), FINE, STR_ROW(".\r\n") },
    { STR_ROW("a\n.\nQUIT\r\n.\r\n"), STR_ROW("a\n.\nQUIT\r\n"), LF, STR_ROW("") },
    { STR_ROW("a\n.\r\nQUIT\r\n.\r\n"), STR_ROW("a\n.\r\nQUIT\r\n"), LF, STR_ROW("") },
    { STR_ROW("a\r\n.\nQUIT\r\n.\r\n"), STR_ROW("a\r\n\nQUIT\r\n"), LF, STR_ROW("") },
    { STR_ROW("a\r\n.\rQUIT\r\n.\r\n"), STR_ROW("a\r\n\rQUIT\r\n"), CR, STR_ROW("") },
    { STR_ROW("a\r.\rQUIT\r\n.\r\n"), STR_ROW("a\r.\rQUIT\r\n"), CR, STR_ROW("") },
    { STR_ROW("a\r.\r\nQUIT\r\n.\r\n"), STR_ROW("a\r.\r\nQUIT\r\n"), CR, STR_ROW("") },
    { STR_ROW("a\r\r\n.\r\n"), STR_ROW("a\r\r\n"), CR, STR_ROW("") },
    { STR_ROW("a\r\n.\r\r\n.\r\n"), STR_ROW("a\r\n\r\r\n"), CR, STR_ROW("") },
    { STR_ROW("a\r\n\0.\r\n.\r\n"), STR_ROW("a\r\n\0.\r\n"), NUL, STR_ROW("") },
    { STR_ROW("a\r\n.\0\r\n.\r\n"), STR_ROW("a\r\n\0\r\n"), NUL, STR_ROW("") },
    { STR_ROW("a\r\n. \r\n.\r\n"), STR_ROW("a\r\n \r\n"), FINE, STR_ROW("") },
    { STR_ROW("a\n\r.\r\n.\r\n"), STR_ROW("a\n\r.\r\n"), CR | LF, STR_ROW("") },
    { STR_ROW("a\r\n.\r"), STR_ROW("a\r\n"), FINE, { 0 } },
    { STR_ROW("a\r\n."), STR_ROW("a\r\n"), FINE, { 0 } },
    { STR_ROW("a.\r\n"), STR_ROW("a.\r\n"), FINE, { 0 } },
    { STR_ROW("a\r"), STR_ROW("a\r"), FINE, { 0 } },
};

/* Pieces of at most `piece` octets; returns how many octets were used. */
static size_t run(smtp_data *d, str in, size_t piece, buf *out, parse *last)
{
    size_t at = 0;

    *last = PARSE_MORE;
    while (at < in.n && *last == PARSE_MORE) {
        str rest = str_upto(str_from(in, at), piece), view;
        size_t used;
        *last = smtp_data_next(d, rest, &view, &used);
        assert_true(used > 0 || view.n > 0);
        buf_append(out, view);
        at += used;
    }
    return at;
}

static void check(const row *r, size_t piece)
{
    smtp_data d = { 0 };
    buf out = buf_new(1000);
    parse last;
    size_t used = run(&d, r->in, piece, &out, &last);

    assert_int_equal(last, r->tail.p ? PARSE_DONE : PARSE_MORE);
    assert_true(str_equal(buf_str(&out), r->content));
    assert_true(str_equal(str_from(r->in, used), r->tail.p ? r->tail : STR("")));
    assert_int_equal(d.has_bare_cr * CR + d.has_bare_lf * LF + d.has_nul * NUL, r->flags);
    assert_int_equal(d.content_bytes, out.n);
    buf_free(&out);
}

static void rows_hold_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t piece = 1; piece <= rows[i].in.n; piece++)
            check(&rows[i], piece);
}

/* One cut in every place, pieces of their own memory. */
static void rows_hold_when_cut_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t cut = 0; cut <= rows[i].in.n; cut++) {
            smtp_data d = { 0 };
            buf out = buf_new(1000);
            parse last;
            char *front = malloc(cut ? cut : 1);
            memcpy(front, rows[i].in.p, cut);
            size_t used = run(&d, (str){ front, cut }, cut, &out, &last);
            if (last == PARSE_MORE)
                run(&d, str_from(rows[i].in, used), rows[i].in.n, &out, &last);
            free(front);
            assert_int_equal(last, rows[i].tail.p ? PARSE_DONE : PARSE_MORE);
            assert_true(str_equal(buf_str(&out), rows[i].content));
            buf_free(&out);
        }
}

/* Smuggling: whatever stands where the end would be, no octet of the tail is left over before the true end. */
static void what_is_nearly_the_end_never_ends(void **state)
{
    static const str parts[] = { STR_ROW("\r"), STR_ROW("\n"),   STR_ROW("."),
                                 STR_ROW("\0"), STR_ROW("\r\n"), STR_ROW(" ") };
    const size_t n = COUNT_OF(parts);

    (void)state;
    for (size_t code = 0; code < n * n * n * n * n; code++) {
        buf in = buf_new(200), out = buf_new(200);
        buf_append(&in, STR("S: x\r\n\r\nbody"));
        for (size_t k = 0, rest = code; k < 5; k++, rest /= n)
            buf_append(&in, parts[rest % n]);
        str head = buf_str(&in);
        bool ends = memmem(head.p, head.n, "\r\n.\r\n", 5) != NULL;
        buf_append(&in, STR("MAIL FROM:<e@x>\r\n.\r\n"));
        smtp_data d = { 0 };
        parse last;
        size_t used = run(&d, buf_str(&in), in.n, &out, &last);
        assert_int_equal(last, PARSE_DONE);
        if (!ends)
            assert_int_equal(used, in.n);
        buf_free(&in);
        buf_free(&out);
    }
}

static void lines_are_measured(void **state)
{
    (void)state;
    for (size_t n = SMTP_LINE_MAX - 1; n <= SMTP_LINE_MAX + 1; n++)
        for (size_t piece = 1; piece < 1100; piece += 361) {
            smtp_data d = { 0 };
            buf in = buf_new(4000), out = buf_new(4000);
            parse last;
            buf_append(&in, STR("a\r\n."));
            for (size_t i = 0; i < n; i++)
                buf_append_char(&in, i ? 'x' : '.');
            buf_append(&in, STR("\r\n.\r\nNOOP\r\n"));
            run(&d, buf_str(&in), piece, &out, &last);
            assert_int_equal(last, PARSE_DONE);
            assert_int_equal(d.longest_line, n);
            assert_int_equal(d.lines, 2);
            buf_free(&in);
            buf_free(&out);
        }
}

/* Millions of the same octet take a time that grows with their number alone. */
static void hostile_repeats_are_linear(void **state)
{
    static const str repeats[] = { STR_ROW("\r"), STR_ROW("\n"), STR_ROW("\r\n.."), STR_ROW("."), STR_ROW("\r\n.\r") };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(repeats); i++) {
        buf in = buf_new(1 << 22);
        while (in.n + repeats[i].n <= 1 << 20)
            buf_append(&in, repeats[i]);
        smtp_data d = { 0 };
        str rest = buf_str(&in), view;
        size_t calls = 0;
        for (size_t used; rest.n; rest = str_from(rest, used), calls++)
            smtp_data_next(&d, rest, &view, &used);
        assert_true(calls <= in.n + 2);
        buf_free(&in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_at_every_split),          cmocka_unit_test(rows_hold_when_cut_once),
        cmocka_unit_test(what_is_nearly_the_end_never_ends), cmocka_unit_test(lines_are_measured),
        cmocka_unit_test(hostile_repeats_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
