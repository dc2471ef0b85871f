#include "proto/imap_section.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char message[] = "Subject: out\n"
                              "Content-Type: multipart/mixed; boundary=b\n"
                              "\n"
                              "preamble\n"
                              "--b\n"
                              "Content-Type: text/plain\n"
                              "\n"
                              "one\n"
                              "--b\n"
                              "Content-Type: message/rfc822\n"
                              "\n"
                              "Subject: in\n"
                              "To: x\n"
                              "\n"
                              "two\n"
                              "--b--\n"
                              "epilogue\n";

static const struct row {
    const char *section;
    const char *want; /* bytes as stored; NULL: no such part */
} rows[] = {
    { "", message },
    { "HEADER", "Subject: out\nContent-Type: multipart/mixed; boundary=b\n\n" },
    { "TEXT", "preamble\n--b\nContent-Type: text/plain\n\none\n--b\nContent-Type: message/rfc822\n\n"
              "Subject: in\nTo: x\n\ntwo\n--b--\nepilogue\n" },
    { "1", "one" },
    { "1.MIME", "Content-Type: text/plain\n\n" },
    { "1.HEADER", NULL },
    { "1.TEXT", NULL },
    { "1.1", NULL },
    { "2", "Subject: in\nTo: x\n\ntwo" },
    { "2.MIME", "Content-Type: message/rfc822\n\n" },
    { "2.HEADER", "Subject: in\nTo: x\n\n" },
    { "2.HEADER.FIELDS (TO)", "Subject: in\nTo: x\n\n" },
    { "2.TEXT", "two" },
    { "2.1", "two" },
    { "2.2", NULL },
    { "2.1.1", NULL },
    { "3", NULL },
    { "4294967295", NULL },
};

static imap_fetch_item *section_read(const char *text, arena *mem)
{
    imap_lexer l = { .in = arena_printf(mem, "BODY[%s]", text), .mem = mem };
    imap_fetch fetch;

    assert_true(imap_fetch_parse(&l, &fetch));
    return &fetch.items[0];
}

static void rows_hold(void **state)
{
    arena mem = arena_new(0);
    mime m;

    (void)state;
    mime_open(&m, &mem, NULL);
    mime_feed(&m, str_c(message));
    const mime_part *root = mime_close(&m);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        imap_bytes b;
        bool found = imap_section_find(root, &section_read(rows[i].section, &mem)->section, &b);
        if (found != (rows[i].want != NULL))
            fail_msg("%s", rows[i].section);
        if (found &&
            !str_equal((str){ message + b.from.stored, (size_t)(b.to.stored - b.from.stored) }, str_c(rows[i].want)))
            fail_msg("%s: %.*s", rows[i].section, (int)(b.to.stored - b.from.stored), message + b.from.stored);
    }
    arena_free(&mem);
}

static void fields_are_picked(void **state)
{
    static const struct {
        const char *section;
        str header, want;
    } picks[] = {
        { "HEADER.FIELDS (to SUBJECT)", STR_ROW("To: a\nFrom: b\nsubject: c\n d\nTo : e\n\nTo: body\n"),
          STR_ROW("To: a\r\nsubject: c\r\n d\r\nTo : e\r\n\r\n") },
        { "HEADER.FIELDS.NOT (to SUBJECT)", STR_ROW("To: a\r\nFrom: b\r\nsubject: c\r\n d\r\n\r\n"),
          STR_ROW("From: b\r\n\r\n") },
        { "HEADER.FIELDS (x)", STR_ROW("To: a\n"), STR_ROW("\r\n") },
        { "HEADER.FIELDS (to)", STR_ROW(""), STR_ROW("\r\n") },
        { "HEADER.FIELDS (to)", STR_ROW("To: a"), STR_ROW("To: a\r\n\r\n") },
        { "HEADER.FIELDS (to)", STR_ROW("junk\nTo: a\n"), STR_ROW("To: a\r\n\r\n") },
        { "HEADER.FIELDS.NOT (to)", STR_ROW("junk\nTo: a\n"), STR_ROW("junk\r\n\r\n") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(picks); i++) {
        arena mem = arena_new(0);
        buf out = buf_new(1000);
        const imap_section *section = &section_read(picks[i].section, &mem)->section;
        assert_true(imap_fields_write(&out, picks[i].header, section));
        if (!str_equal(buf_str(&out), picks[i].want))
            fail_msg("row %zu: %s", i, buf_c(&out));
        for (size_t max = 0; max < picks[i].want.n; max++) {
            buf small = buf_new(max);
            assert_false(imap_fields_write(&small, picks[i].header, section));
            buf_free(&small);
        }
        buf_free(&out);
        arena_free(&mem);
    }
}

static void partials_are_cut(void **state)
{
    static const struct {
        bool has_partial;
        uint32_t offset, count;
        uint64_t size, from, n;
    } cuts[] = {
        { false, 0, 0, 10, 0, 10 },         { true, 0, 10, 10, 0, 10 }, { true, 0, 4, 10, 0, 4 },
        { true, 9, 4, 10, 9, 1 },           { true, 10, 4, 10, 10, 0 }, { true, UINT32_MAX, UINT32_MAX, 10, 10, 0 },
        { true, 0, UINT32_MAX, 10, 0, 10 }, { true, 0, 1, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        imap_fetch_item item = { .has_partial = cuts[i].has_partial, .offset = cuts[i].offset, .count = cuts[i].count };
        uint64_t from, n;
        imap_partial_cut(&item, cuts[i].size, &from, &n);
        assert_int_equal(from, cuts[i].from);
        assert_int_equal(n, cuts[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(fields_are_picked),
        cmocka_unit_test(partials_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
