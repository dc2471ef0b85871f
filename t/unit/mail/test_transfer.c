/* Rows decoded whole, byte by byte, and truncated at every byte. */
#include "mail/transfer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef struct row {
    transfer_kind kind;
    str in, want;
    bool is_bad;
} row;

static const row rows[] = {
    { TRANSFER_IDENTITY, STR_ROW("a=20b\r\n"), STR_ROW("a=20b\r\n"), false },
    { TRANSFER_UNKNOWN, STR_ROW("a=20b\0"), STR_ROW("a=20b\0"), false },
    { TRANSFER_BASE64, STR_ROW(""), STR_ROW(""), false },
    { TRANSFER_BASE64, STR_ROW("YQ=="), STR_ROW("a"), false },
    { TRANSFER_BASE64, STR_ROW("YWI="), STR_ROW("ab"), false },
    { TRANSFER_BASE64, STR_ROW("YW\r\n Jj\r\n"), STR_ROW("abc"), false },
    { TRANSFER_BASE64, STR_ROW("YWI"), STR_ROW("ab"), false },
    { TRANSFER_BASE64, STR_ROW("Y"), STR_ROW(""), true },
    { TRANSFER_BASE64, STR_ROW("YW*Jj"), STR_ROW("abc"), true },
    { TRANSFER_BASE64, STR_ROW("YQ==YQ=="), STR_ROW("aa"), true },
    { TRANSFER_BASE64, STR_ROW("////"), STR_ROW("\xff\xff\xff"), false },
    { TRANSFER_BASE64, STR_ROW("+/+/"), STR_ROW("\xfb\xff\xbf"), false },
    { TRANSFER_BASE64, STR_ROW("===="), STR_ROW(""), false },
    { TRANSFER_QUOTED, STR_ROW("a=3Db=3dc"), STR_ROW("a=b=c"), false },
    { TRANSFER_QUOTED, STR_ROW("a=\r\nb=\nc"), STR_ROW("abc"), false },
    { TRANSFER_QUOTED, STR_ROW("a= \t\r\nb"), STR_ROW("ab"), false },
    { TRANSFER_QUOTED, STR_ROW("a  \t\r\nb \nc "), STR_ROW("a\r\nb\nc"), false },
    { TRANSFER_QUOTED, STR_ROW("a b\tc"), STR_ROW("a b\tc"), false },
    { TRANSFER_QUOTED, STR_ROW("a =3D"), STR_ROW("a ="), false },
    { TRANSFER_QUOTED, STR_ROW("a=zb"), STR_ROW("a=zb"), true },
    { TRANSFER_QUOTED, STR_ROW("a=4zb"), STR_ROW("a=4zb"), true },
    { TRANSFER_QUOTED, STR_ROW("a=="), STR_ROW("a="), true },
    { TRANSFER_QUOTED, STR_ROW("a="), STR_ROW("a"), false },
    { TRANSFER_QUOTED, STR_ROW("a=4"), STR_ROW("a=4"), true },
    { TRANSFER_QUOTED, STR_ROW("a= b"), STR_ROW("a=b"), true },
    { TRANSFER_QUOTED, STR_ROW("a=\rb"), STR_ROW("ab"), false },
    { TRANSFER_QUOTED, STR_ROW("a\xe9\0b"), STR_ROW("a\xe9\0b"), false },
};

static void run(const row *r, size_t n, size_t step, buf *out, bool *is_bad)
{
    transfer t = transfer_open(r->kind);

    for (size_t at = 0; at < n; at += step) {
        size_t before = out->n;
        assert_true(transfer_feed(&t, str_upto(str_from(str_upto(r->in, n), at), step), out));
        assert_true(out->n - before <= step + 96);
    }
    assert_true(transfer_close(&t, out));
    *is_bad = t.is_bad;
}

static void rows_hold_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t step = 1; step <= rows[i].in.n + 1; step++) {
            buf out = buf_new(1000);
            bool is_bad;
            run(&rows[i], rows[i].in.n, step, &out, &is_bad);
            if (!str_equal(buf_str(&out), rows[i].want) || is_bad != rows[i].is_bad)
                fail_msg("%s by %zu: %.*s %d", rows[i].in.p, step, STR_ARG(buf_str(&out)), is_bad);
            buf_free(&out);
        }
}

static void truncated_rows_end_cleanly(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].in.n; n++) {
            buf out = buf_new(1000);
            bool is_bad;
            run(&rows[i], n, 1, &out, &is_bad);
            assert_true(out.n <= n);
            buf_free(&out);
        }
}

static void many_blanks_are_text(void **state)
{
    transfer t = transfer_open(TRANSFER_QUOTED);
    buf out = buf_new(1000);

    (void)state;
    for (int i = 0; i < 500; i++)
        assert_true(transfer_feed(&t, STR(" "), &out));
    assert_true(transfer_feed(&t, STR("x"), &out));
    assert_int_equal(out.n, 501);
    buf_free(&out);
}

static void names_are_known(void **state)
{
    (void)state;
    assert_int_equal(transfer_named(STR_NONE), TRANSFER_IDENTITY);
    assert_int_equal(transfer_named(STR("8BIT")), TRANSFER_IDENTITY);
    assert_int_equal(transfer_named(STR(" (x) BASE64 ; y")), TRANSFER_BASE64);
    assert_int_equal(transfer_named(STR("Quoted-Printable")), TRANSFER_QUOTED);
    assert_int_equal(transfer_named(STR("x-uuencode")), TRANSFER_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold_in_every_split),
        cmocka_unit_test(truncated_rows_end_cleanly),
        cmocka_unit_test(many_blanks_are_text),
        cmocka_unit_test(names_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
