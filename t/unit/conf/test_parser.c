/* Logical lines and settings; each row whole and truncated at every byte. */
#include "conf/parser.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct row {
    str text;
    const char *want;  /* line:name=value; for each setting */
    const char *wrong; /* line and e or w for each problem */
} row;

static const row rows[] = {
    { STR_ROW(""), "", "" },
    { STR_ROW("\n\n# x\n  # y\n"), "", "" },
    { STR_ROW("a = b"), "1:a=b;", "" },
    { STR_ROW("a=b\nc =  d e \r\n"), "1:a=b;2:c=d e;", "" },
    { STR_ROW("a =\n"), "1:a=;", "" },
    { STR_ROW("a = b = c\n"), "1:a=b = c;", "" },
    { STR_ROW("a = b\n  c\n\td\ne = f\n"), "1:a=b  c\td;4:e=f;", "" },
    { STR_ROW("a =\n  b,\n# comment\n\n   # another\n  c\nd = e\n"), "1:a=b,  c;7:d=e;", "" },
    { STR_ROW("a = b # not a comment\n"), "1:a=b # not a comment;", "" },
    { STR_ROW("smtp-amavis_x.y = 1\n"), "1:smtp-amavis_x.y=1;", "" },
    { STR_ROW("a = 1\nb = 2\na = 3\n"), "3:a=3;2:b=2;", "3w" },
    { STR_ROW("  a = 1\nb = 2\n"), "2:b=2;", "1e" },
    { STR_ROW("a b\nc = d\n= e\na/b = c\n"), "2:c=d;", "1e3e4e" },
    { STR_ROW("a = \001\nb = c\0d\ne = \tf\tg\n"), "3:e=f\tg;", "1e2e" },
};

static void text_of(const settings *s, const problems *ps, buf *out, buf *wrong)
{
    for (size_t i = 0; i < s->rows.n; i++)
        buf_printf(out, "%u:%.*s=%.*s;", s->rows.p[i].line, STR_ARG(s->rows.p[i].name), STR_ARG(s->rows.p[i].value));
    for (size_t i = 0; i < ps->rows.n; i++)
        buf_printf(wrong, "%u%c", ps->rows.p[i].line, ps->rows.p[i].is_warning ? 'w' : 'e');
}

static void read_whole(const row *r)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    settings s;
    buf got = buf_new(1000), wrong = buf_new(1000);

    settings_read(STR("main.cf"), r->text, &a, &s, &ps);
    text_of(&s, &ps, &got, &wrong);
    assert_string_equal(buf_c(&got), r->want);
    assert_string_equal(buf_c(&wrong), r->wrong);
    buf_free(&got);
    buf_free(&wrong);
    settings_free(&s);
    problems_free(&ps);
    arena_free(&a);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        read_whole(&rows[i]);
}

/* A cut file gives the settings that stand before the cut, and the last one cut; nothing is read behind it. */
static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n < rows[i].text.n; n++) {
            arena a = arena_new(0);
            problems ps = { .arena = &a };
            settings s;
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].text.p, n);
            settings_read(STR("main.cf"), (str){ copy, n }, &a, &s, &ps);
            assert_true(s.rows.n <= n);
            free(copy);
            settings_free(&s);
            problems_free(&ps);
            arena_free(&a);
        }
}

static void parts_tell_the_physical_lines(void **state)
{
    arena a = arena_new(0);
    config_line_reader r = lines_of(STR("ab\n# x\n cd\n\n e\nf\n"), &a);
    str line;
    unsigned number;

    (void)state;
    assert_true(line_next(&r, &line, &number));
    assert_string_equal(line.p, "ab cd e");
    assert_int_equal(number, 1);
    const line_part *p = r.parts;
    assert_true(p->line == 1 && p->end == 2);
    assert_true(p->next->line == 3 && p->next->end == 5);
    assert_true(p->next->next->line == 5 && p->next->next->end == 7 && p->next->next->next == NULL);
    assert_true(line_next(&r, &line, &number));
    assert_int_equal(number, 6);
    assert_false(line_next(&r, &line, &number));
    arena_free(&a);
}

static void a_value_has_an_end(void **state)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    settings s;
    buf text = buf_new(CONFIG_VALUE_MAX + 100);

    (void)state;
    buf_append(&text, STR("a = "));
    for (size_t i = 0; i <= CONFIG_VALUE_MAX; i++)
        buf_append_char(&text, 'x');
    settings_read(STR("main.cf"), buf_str(&text), &a, &s, &ps);
    assert_int_equal(ps.error_count, 1);
    settings_read(STR("main.cf"), str_upto(buf_str(&text), text.n - 1), &a, &s, &ps);
    assert_int_equal(ps.error_count, 1);
    assert_non_null(setting_find(&s, STR("a")));
    assert_null(setting_find(&s, STR("b")));
    buf_free(&text);
    settings_free(&s);
    problems_free(&ps);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(parts_tell_the_physical_lines),
        cmocka_unit_test(a_value_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
