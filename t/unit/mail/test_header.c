/* Header blocks with CRLF and with LF, whole, in every split and truncated at every byte. */
#include "mail/header.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static const str block = STR_ROW("Subject: one\r\n two\r\n\tthree\r\n"
                                 "from : a@b\n"
                                 "no colon here\r\n"
                                 " continued\r\n"
                                 "Bad name: x\r\n"
                                 ": empty\r\n"
                                 "X-Empty:\r\n"
                                 "Subject: second\r\n"
                                 "\r\n"
                                 "Body: is not a field\r\n");

typedef struct want {
    str name, value;
    bool is_valid;
} want;

static const want fields[] = {
    { STR_ROW("Subject"), STR_ROW(" one\r\n two\r\n\tthree"), true },
    { STR_ROW("from"), STR_ROW(" a@b"), true },
    { STR_ROW(""), STR_ROW("no colon here\r\n continued"), false },
    { STR_ROW(""), STR_ROW("Bad name: x"), false },
    { STR_ROW(""), STR_ROW(": empty"), false },
    { STR_ROW("X-Empty"), STR_ROW(""), true },
    { STR_ROW("Subject"), STR_ROW(" second"), true },
};

static void walk_yields_each_field(void **state)
{
    header_walk walk = header_open(block);
    header_field f;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        assert_true(header_next(&walk, &f));
        assert_int_equal(f.start, at);
        at = f.end;
        assert_int_equal(f.is_valid, fields[i].is_valid);
        assert_true(str_equal(f.name, fields[i].name));
        assert_true(str_equal(f.value, fields[i].value));
    }
    assert_false(header_next(&walk, &f));
    assert_true(walk.has_end);
    assert_int_equal(walk.at, at + 2);
    assert_true(str_equal(str_from(block, walk.at), STR("Body: is not a field\r\n")));
    assert_false(header_next(&walk, &f));
}

static void a_truncated_block_is_walked_whole(void **state)
{
    (void)state;
    for (size_t n = 0; n <= block.n; n++) {
        char *copy = malloc(n ? n : 1);
        memcpy(copy, block.p, n);
        header_walk walk = header_open((str){ copy, n });
        header_field f;
        size_t at = 0;
        while (header_next(&walk, &f)) {
            assert_int_equal(f.start, at);
            assert_true(f.end > f.start);
            at = f.end;
        }
        if (!walk.has_end)
            assert_int_equal(walk.at, n);
        free(copy);
    }
}

static void fields_are_found_by_name(void **state)
{
    arena mem = arena_new(0);
    header_field f;

    (void)state;
    assert_true(header_find(block, STR("SUBJECT"), &f));
    assert_true(str_equal(header_unfold(f.value, &mem), STR("one two\tthree")));
    assert_true(header_find(block, STR("From"), &f));
    assert_true(str_equal(header_unfold(f.value, &mem), STR("a@b")));
    assert_false(header_find(block, STR("Body"), &f));
    assert_false(header_find(block, STR("no colon here"), &f));
    arena_free(&mem);
}

static const struct {
    str bytes;
    size_t end; /* 0: none */
} ends[] = {
    { STR_ROW("\r\nbody"), 2 },       { STR_ROW("\nbody"), 1 },      { STR_ROW("a: b\r\n\r\nc"), 8 },
    { STR_ROW("a: b\n\nc"), 6 },      { STR_ROW("a: b\r\n\nc"), 7 }, { STR_ROW("a: b\r\n\r\r\nc"), 0 },
    { STR_ROW("a: b\r\n \r\nc"), 0 }, { STR_ROW("a: b\r\n\r"), 0 },  { STR_ROW("a: b\r\r\n\r\n"), 9 },
};

static void the_end_is_found_in_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        for (size_t step = 1; step <= ends[i].bytes.n; step++) {
            header_scan scan = { 0 };
            size_t at = 0, used = 0;
            parse p = PARSE_MORE;
            while (p == PARSE_MORE && at < ends[i].bytes.n) {
                p = header_scan_feed(&scan, str_upto(str_from(ends[i].bytes, at), step), &used);
                at += used;
                assert_int_equal(scan.seen, at);
            }
            assert_int_equal(p, ends[i].end ? PARSE_DONE : PARSE_MORE);
            if (ends[i].end)
                assert_int_equal(at, ends[i].end);
        }
}

static const struct {
    str name, value, want; /* want empty: refused */
} written[] = {
    { STR_ROW("To"), STR_ROW("a@b"), STR_ROW("To: a@b\r\n") },
    { STR_ROW("X"), STR_ROW(""), STR_ROW("X: \r\n") },
    { STR_ROW("X"), STR_ROW("a\r\nBcc: b\0c"), STR_ROW("X: a  Bcc: b c\r\n") },
    { STR_ROW("X"), STR_ROW(" \n\0"), STR_ROW("X: \r\n") },
    { STR_ROW("X y"), STR_ROW("a"), STR_ROW("") },
    { STR_ROW("X:"), STR_ROW("a"), STR_ROW("") },
    { STR_ROW(""), STR_ROW("a"), STR_ROW("") },
    { STR_ROW("Subject"), STR_ROW("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"),
      STR_ROW("Subject: 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\r\n 0123456789\r\n") },
    { STR_ROW("Subject"), STR_ROW("01234567890123456789012345678901234567890123456789012345678901234567890123456789 a"),
      STR_ROW("Subject: 01234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n a\r\n") },
};

static void written_fields_fold_and_cannot_be_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        buf out = buf_new(1000);
        assert_int_equal(header_add(&out, written[i].name, written[i].value), written[i].want.n > 0);
        if (!str_equal(buf_str(&out), written[i].want))
            fail_msg("got %.*s", STR_ARG(buf_str(&out)));
        buf_free(&out);
    }
    buf small = buf_new(10);
    assert_false(header_add(&small, STR("Subject"), STR("too much")));
    buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_yields_each_field),
        cmocka_unit_test(a_truncated_block_is_walked_whole),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(the_end_is_found_in_every_split),
        cmocka_unit_test(written_fields_fold_and_cannot_be_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
