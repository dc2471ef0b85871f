/* Items of FETCH: what is asked for, and the names it is answered under. */
#include "proto/imap_fetch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const struct row {
    const char *in;
    const char *names; /* of the answers, each followed by ';'; NULL: refused */
    const char *peeks; /* a digit for each */
} rows[] = {
    { "FLAGS", "FLAGS;", "1" },
    { "fast", "FLAGS;INTERNALDATE;RFC822.SIZE;", "111" },
    { "ALL", "FLAGS;INTERNALDATE;RFC822.SIZE;ENVELOPE;", "1111" },
    { "FULL", "FLAGS;INTERNALDATE;RFC822.SIZE;ENVELOPE;BODY;", "11111" },
    { "(UID FLAGS BODYSTRUCTURE)", "UID;FLAGS;BODYSTRUCTURE;", "111" },
    { "BODY", "BODY;", "1" },
    { "BODY[]", "BODY[];", "0" },
    { "body.peek[]", "BODY[];", "1" },
    { "RFC822", "RFC822;", "0" },
    { "RFC822.HEADER", "RFC822.HEADER;", "1" },
    { "RFC822.TEXT", "RFC822.TEXT;", "0" },
    { "BODY[HEADER]", "BODY[HEADER];", "0" },
    { "BODY[TEXT]<0.100>", "BODY[TEXT]<0>;", "0" },
    { "BODY[]<4294967295.4294967295>", "BODY[]<4294967295>;", "0" },
    { "BODY[1]", "BODY[1];", "0" },
    { "BODY[1.2.3]", "BODY[1.2.3];", "0" },
    { "BODY[1.2.MIME]", "BODY[1.2.MIME];", "0" },
    { "BODY[1.HEADER.FIELDS (To \"cc\" {3}\r\nx y)]<5.6>", "BODY[1.HEADER.FIELDS (To cc \"x y\")]<5>;", "0" },
    { "BODY.PEEK[header.fields.not (Received)]", "BODY[HEADER.FIELDS.NOT (Received)];", "1" },
    { "(BODY.PEEK[HEADER.FIELDS (A)] BODY[TEXT] UID)", "BODY[HEADER.FIELDS (A)];BODY[TEXT];UID;", "101" },
    { "(ALL)", NULL, NULL },
    { "()", NULL, NULL },
    { "(FLAGS", NULL, NULL },
    { "(FLAGS  UID)", NULL, NULL },
    { "", NULL, NULL },
    { "XYZZY", NULL, NULL },
    { "BODY[", NULL, NULL },
    { "BODY[0]", NULL, NULL },
    { "BODY[1.]", NULL, NULL },
    { "BODY[.1]", NULL, NULL },
    { "BODY[1..2]", NULL, NULL },
    { "BODY[4294967296]", NULL, NULL },
    { "BODY[MIME]", NULL, NULL },
    { "BODY[1MIME]", NULL, NULL },
    { "BODY[HEADER.FIELDS]", NULL, NULL },
    { "BODY[HEADER.FIELDS ()]", NULL, NULL },
    { "BODY[HEADER.FIELDS (A]", NULL, NULL },
    { "BODY[XYZZY]", NULL, NULL },
    { "BODY[]<0>", NULL, NULL },
    { "BODY[]<0.0>", NULL, NULL },
    { "BODY[]<-1.5>", NULL, NULL },
    { "BODY[]<4294967296.1>", NULL, NULL },
    { "BODY[]<1.2", NULL, NULL },
    { "BODY.PEEK", NULL, NULL },
    { "FLAGS[]", NULL, NULL },
};

static bool read(const char *p, size_t n, arena *mem, imap_fetch *out)
{
    imap_lexer l = { .in = { p, n }, .mem = mem };
    return imap_fetch_parse(&l, out) && imap_lex_is_end(&l);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        imap_fetch fetch;
        buf names = buf_new(1000);
        bool good = read(rows[i].in, strlen(rows[i].in), &mem, &fetch);
        if (good != (rows[i].names != NULL))
            fail_msg("%s", rows[i].in);
        for (size_t k = 0; good && k < fetch.n; k++) {
            assert_true(imap_fetch_write_name(&names, &fetch.items[k]));
            buf_append_char(&names, ';');
            assert_int_equal(fetch.items[k].is_peek, rows[i].peeks[k] == '1');
        }
        if (good && !str_equal(buf_str(&names), str_c(rows[i].names)))
            fail_msg("%s: %s", rows[i].in, buf_c(&names));
        buf_free(&names);
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < strlen(rows[i].in); n++) {
            arena mem = arena_new(0);
            imap_fetch fetch;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].in, n);
            read(copy, n, &mem, &fetch);
            free(copy);
            arena_free(&mem);
        }
}

static bool read_many(const char *start, const char *each, size_t n, const char *end)
{
    arena mem = arena_new(0);
    imap_fetch fetch;
    buf in = buf_new(1 << 20);

    buf_append(&in, str_c(start));
    for (size_t i = 0; i < n; i++)
        buf_append(&in, str_c(each));
    buf_append(&in, str_c(end));
    bool good = read(in.p, in.n, &mem, &fetch);
    buf_free(&in);
    arena_free(&mem);
    return good;
}

static void limits_hold(void **state)
{
    (void)state;
    for (size_t more = 0; more < 3; more++) {
        assert_int_equal(read_many("(", "UID ", IMAP_FETCH_ITEMS_MAX - 2 + more, "UID)"), more < 2);
        assert_int_equal(read_many("BODY[", "1.", IMAP_SECTION_DEPTH_MAX - 2 + more, "1]"), more < 2);
        assert_int_equal(read_many("BODY[HEADER.FIELDS (", "a ", IMAP_SECTION_FIELDS_MAX - 2 + more, "a)]"), more < 2);
    }
}

static void fields_are_found_without_case(void **state)
{
    arena mem = arena_new(0);
    imap_fetch fetch;
    const char *in = "BODY[HEADER.FIELDS (Subject TO received x-a \"\")]";

    (void)state;
    assert_true(read(in, strlen(in), &mem, &fetch));
    assert_true(imap_section_names(&fetch.items[0].section, STR("to")));
    assert_true(imap_section_names(&fetch.items[0].section, STR("Received")));
    assert_true(imap_section_names(&fetch.items[0].section, STR("X-A")));
    assert_false(imap_section_names(&fetch.items[0].section, STR("X-AB")));
    assert_false(imap_section_names(&fetch.items[0].section, STR("X-")));
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(fields_are_found_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
