#include "db/source.h"
#include "mail/alias_list.h"
#include "db/table.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static arena mem;

typedef struct row {
    const char *text;
    source_format format;
    size_t entries, errors, warnings;
    const char *key, *value; /* of the first entry */
    unsigned line;
} row;

static const row rows[] = {
    { "a b\n", SOURCE_TABLE, 1, 0, 0, "a", "b", 1 },
    { "a b", SOURCE_TABLE, 1, 0, 0, "a", "b", 1 },
    { "# c\n\n\nA@X.Example\t  some value  \n", SOURCE_TABLE, 1, 0, 0, "a@x.example", "some value", 4 },
    { "a b\n  c\n# d\n\te\nf g\n", SOURCE_TABLE, 2, 0, 0, "a", "b  c\te", 1 },
    { "\"a b\" c\n", SOURCE_TABLE, 1, 0, 0, "a b", "c", 1 },
    { "\"a\\\"b\" c\n", SOURCE_TABLE, 1, 0, 0, "a\"b", "c", 1 },
    { "\"a b c\n", SOURCE_TABLE, 0, 1, 0, NULL, NULL, 0 },
    { "\"a\"b c\n", SOURCE_TABLE, 0, 1, 0, NULL, NULL, 0 },
    { "a\n", SOURCE_TABLE, 0, 1, 0, NULL, NULL, 0 },
    { "  a b\n", SOURCE_TABLE, 0, 1, 0, NULL, NULL, 0 },
    { "a b\nA c\n", SOURCE_TABLE, 1, 0, 1, "a", "b", 1 },
    { "a: b\n", SOURCE_TABLE, 1, 0, 1, "a:", "b", 1 },
    { "a\nb c\nd\n", SOURCE_TABLE, 1, 2, 0, "b", "c", 2 },
    { "a b\r\nc d\r\n", SOURCE_TABLE, 2, 0, 0, "a", "b", 1 },
    { "Root: a, b\n", SOURCE_ALIASES, 1, 0, 0, "root", "a, b", 1 },
    { "root : a,\n b\n", SOURCE_ALIASES, 1, 0, 0, "root", "a, b", 1 },
    { "\"a b\": c\n", SOURCE_ALIASES, 1, 0, 0, "a b", "c", 1 },
    { "x: \"|cmd a: b, c\"\n", SOURCE_ALIASES, 1, 0, 0, "x", "\"|cmd a: b, c\"", 1 },
    { "root a\n", SOURCE_ALIASES, 0, 1, 0, NULL, NULL, 0 },
    { "root:\n", SOURCE_ALIASES, 0, 1, 0, NULL, NULL, 0 },
    { ": a\n", SOURCE_ALIASES, 0, 1, 0, NULL, NULL, 0 },
    { "", SOURCE_ALIASES, 0, 0, 0, NULL, NULL, 0 },
};

static void texts_read_as_postfix_reads_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const row *r = &rows[i];
        problems ps = { .arena = &mem };
        source_list list;
        source_read(STR("file"), str_c(r->text), r->format, &mem, &list, &ps);
        if (list.rows.n != r->entries || ps.error_count != r->errors || ps.warning_count != r->warnings)
            fail_msg("row %zu: %zu entries, %zu errors, %zu warnings", i, list.rows.n, ps.error_count,
                     ps.warning_count);
        if (r->key) {
            assert_true(str_equal(list.rows.p[0].key, str_c(r->key)));
            assert_true(str_equal(list.rows.p[0].value, str_c(r->value)));
            assert_int_equal(list.rows.p[0].line, r->line);
        }
        source_free(&list);
        problems_free(&ps);
    }
}

static void any_cut_of_a_text_is_read(void **state)
{
    str text = STR("a b\n\"c d\" e\n  f\n# g\nh\ti, \"j\\\"\"\n");
    (void)state;
    for (size_t n = 0; n <= text.n; n++) {
        for (int format = SOURCE_TABLE; format <= SOURCE_ALIASES; format++) {
            problems ps = { .arena = &mem };
            source_list list;
            source_read(STR("file"), str_upto(text, n), (source_format)format, &mem, &list, &ps);
            source_free(&list);
            problems_free(&ps);
        }
    }
}

static void an_error_has_its_line(void **state)
{
    problems ps = { .arena = &mem };
    source_list list;
    (void)state;
    source_read(STR("file"), STR("a b\n# c\nx\n"), SOURCE_TABLE, &mem, &list, &ps);
    assert_true(str_equal(problems_text(&ps, &mem), STR("file:3: error: expected \"key value\"\n")));
    source_free(&list);
    problems_free(&ps);
}

static void nul_bytes_are_errors(void **state)
{
    problems ps = { .arena = &mem };
    source_list list;
    (void)state;
    source_read(STR("file"), STR("a\0b c\n"), SOURCE_TABLE, &mem, &list, &ps);
    assert_int_equal(ps.error_count, 1);
    assert_int_equal(list.rows.n, 0);
    source_free(&list);
    problems_free(&ps);
}

static void members_of_an_alias(void **state)
{
    static const char *const want[] = { "a",           "b c",         "|cmd x, y", "|cmd \"z\"",
                                        "/var/mail/x", ":include:/l", "\\root",    "\"q r\"@example.com" };
    str rest =
        STR(" a,, \"b c\",\"|cmd x, y\" , |\"cmd \\\"z\\\"\", /var/mail/x,:include:/l, \\root,\"q r\"@example.com");
    str one;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_true(alias_next(&rest, &mem, &one));
        if (!str_equal(one, str_c(want[i])))
            fail_msg("%.*s, not %s", STR_ARG(one), want[i]);
    }
    assert_false(alias_next(&rest, &mem, &one));
    rest = STR("\"never closed, b");
    assert_true(alias_next(&rest, &mem, &one));
    assert_false(alias_next(&rest, &mem, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_read_as_postfix_reads_them),
        cmocka_unit_test(any_cut_of_a_text_is_read),
        cmocka_unit_test(an_error_has_its_line),
        cmocka_unit_test(nul_bytes_are_errors),
        cmocka_unit_test(members_of_an_alias),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&mem);
    return failed;
}
