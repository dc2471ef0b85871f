/* The header that goes into a report; each row whole, byte by byte, and truncated at every byte. */
#include "mail/header_copy.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LIMIT = 100 };

static const struct row {
    str in, want;
    bool is_done;
} rows[] = {
    { STR_ROW(""), STR_ROW(""), false },
    { STR_ROW("A: b\r\nC: d\r\n e\r\n\r\nbody: x\r\n"), STR_ROW("A: b\r\nC: d\r\n e\r\n"), true },
    { STR_ROW("A: b\nC: d\n\nbody\n"), STR_ROW("A: b\r\nC: d\r\n"), true },
    { STR_ROW("A: b\r\nno field\r\nC: d\r\n"), STR_ROW("A: b\r\n"), true },
    { STR_ROW("A: b\r\n--boundary\r\nC: d\r\n"), STR_ROW("A: b\r\n"), true },
    { STR_ROW(" continues nothing\r\nA: b\r\n"), STR_ROW(""), true },
    { STR_ROW("\r\nbody\r\n"), STR_ROW(""), true },
    { STR_ROW(": x\r\n"), STR_ROW(""), true },
    { STR_ROW("A b: x\r\n"), STR_ROW(""), true },
    { STR_ROW("A : x\r\n"), STR_ROW("A : x\r\n"), false },
    { STR_ROW("A: x\ry\r\r\n"), STR_ROW("A: x?y?\r\n"), false },
    { STR_ROW("A: \0\xff\r\n"), STR_ROW("A: ?\xff\r\n"), false },
    { STR_ROW("A: no end"), STR_ROW(""), false },
    /* 104 octets with CRLF are more than the limit */
    { STR_ROW("A: b\r\nLong: "
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nC: d\r\n"),
      STR_ROW("A: b\r\n"), true },
};

static void row_check(const struct row *r, size_t n, size_t step)
{
    header_copy *h = calloc(1, sizeof *h);
    buf out = buf_new(2 * LIMIT);
    parse p = PARSE_MORE;
    h->limit = LIMIT;
    for (size_t at = 0; at < n; at += step)
        p = header_copy_feed(h, str_upto(str_from(str_upto(r->in, n), at), step), &out);
    if (n == r->in.n) {
        assert_true(str_equal(buf_str(&out), r->want));
        assert_int_equal(p == PARSE_DONE, r->is_done);
    }
    assert_true(str_starts(r->want, buf_str(&out)));
    assert_true(out.n == 0 || str_ends(buf_str(&out), STR("\r\n")));
    assert_int_equal(h->written, out.n);
    buf_free(&out);
    free(h);
}

static void each_row_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        row_check(&rows[i], rows[i].in.n, rows[i].in.n + 1);
        for (size_t n = 0; n <= rows[i].in.n; n++)
            for (size_t step = 1; step < 4; step++)
                row_check(&rows[i], n, step);
    }
}

static void a_line_has_998_octets_at_most(void **state)
{
    header_copy *h = calloc(1, sizeof *h);
    buf out = buf_new(10000);
    char in[3000];
    (void)state;
    h->limit = 10000;
    memset(in, 'x', sizeof in);
    memcpy(in, "A:", 2);
    memcpy(in + sizeof in - 2, "\r\n", 2);
    header_copy_feed(h, (str){ in, sizeof in }, &out);
    assert_int_equal(out.n, HEADER_COPY_LINE_MAX + 2);
    buf_free(&out);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_row_holds),
                                        cmocka_unit_test(a_line_has_998_octets_at_most) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
