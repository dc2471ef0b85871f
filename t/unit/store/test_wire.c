/* Each row whole, byte by byte, and cut in two at every byte. */
#include "store/wire.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    str wire, stored, back; /* back: what reading gives; the same octets unless there was a bare LF */
} row;

static const row rows[] = {
    { STR_ROW(""), STR_ROW(""), STR_ROW("") },
    { STR_ROW("a\r\nb\r\n"), STR_ROW("a\nb\n"), STR_ROW("a\r\nb\r\n") },
    { STR_ROW("\r\n\r\n"), STR_ROW("\n\n"), STR_ROW("\r\n\r\n") },
    { STR_ROW("a\rb\r\n"), STR_ROW("a\rb\n"), STR_ROW("a\rb\r\n") },
    { STR_ROW("a\r\r\nb"), STR_ROW("a\r\r\nb"), STR_ROW("a\r\r\nb") },
    { STR_ROW("a\r\r\r\r\nb"), STR_ROW("a\r\r\r\r\nb"), STR_ROW("a\r\r\r\r\nb") },
    { STR_ROW("a\nb\r\n"), STR_ROW("a\nb\n"), STR_ROW("a\r\nb\r\n") },
    { STR_ROW("a\r\n\rb\r\nc\r\n"), STR_ROW("a\n\rb\nc\n"), STR_ROW("a\r\n\rb\r\nc\r\n") },
    { STR_ROW("\r\r\na\r\n"), STR_ROW("\r\r\na\n"), STR_ROW("\r\r\na\r\n") },
    { STR_ROW("no end\r"), STR_ROW("no end\r"), STR_ROW("no end\r") },
    { STR_ROW("nul\0\r\n"), STR_ROW("nul\0\n"), STR_ROW("nul\0\r\n") },
    { STR_ROW("\r\r\r"), STR_ROW("\r\r\r"), STR_ROW("\r\r\r") },
};

static void check(const row *r, size_t step, size_t cut)
{
    wire in = { 0 }, out = { 0 }, count = { 0 };
    buf stored = buf_new(100), back = buf_new(100);
    for (size_t at = 0; at < r->wire.n;) {
        size_t n = cut && at == 0 ? cut : step;
        str piece = str_upto(str_from(r->wire, at), n);
        assert_true(wire_to_stored(&in, piece, &stored));
        at += piece.n;
    }
    assert_true(wire_to_stored_end(&in, &stored));
    assert_true(str_equal(buf_str(&stored), r->stored));
    for (size_t at = 0; at < stored.n;) {
        size_t n = cut && at == 0 ? cut : step;
        str piece = str_upto(str_from(buf_str(&stored), at), n);
        assert_true(wire_to_wire(&out, piece, &back));
        wire_count(&count, piece);
        at += piece.n;
    }
    assert_true(str_equal(buf_str(&back), r->back));
    assert_int_equal(in.wire_bytes, r->back.n);
    assert_int_equal(count.wire_bytes, r->back.n);
    buf_free(&stored);
    buf_free(&back);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(&rows[i], 1000, 0);
        check(&rows[i], 1, 0);
        for (size_t cut = 1; cut < rows[i].wire.n; cut++)
            check(&rows[i], 1000, cut);
    }
}

static void a_full_buffer_is_told(void **state)
{
    wire w = { 0 };
    buf out = buf_new(3);
    (void)state;
    assert_false(wire_to_wire(&w, STR("ab\ncd\n"), &out));
    w = (wire){ 0 };
    buf_clear(&out);
    assert_false(wire_to_stored(&w, STR("abcd\r\n"), &out));
    w = (wire){ 0 };
    buf_clear(&out);
    assert_false(wire_to_stored(&w, STR("abcd"), &out));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_hold), cmocka_unit_test(a_full_buffer_is_told) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
