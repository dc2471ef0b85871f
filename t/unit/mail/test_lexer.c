#include "mail/lexer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void comments_and_blanks_are_skipped(void **state)
{
    static const struct {
        str in;
        size_t at;
        str comment;
    } rows[] = {
        { STR_ROW(""), 0, STR_ROW("") },
        { STR_ROW(" \t\r\n a"), 5, STR_ROW("") },
        { STR_ROW("(a)b"), 3, STR_ROW("a") },
        { STR_ROW("(a(b)c) (d)e"), 11, STR_ROW("d") },
        { STR_ROW("(a\\)b)c"), 6, STR_ROW("a\\)b") },
        { STR_ROW("(a(b)"), 5, STR_ROW("a(b)") },
        { STR_ROW("(a\\"), 3, STR_ROW("a\\") },
        { STR_ROW(")a"), 0, STR_ROW("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        lexer l = { .in = rows[i].in };
        lexer_skip(&l);
        assert_int_equal(l.at, rows[i].at);
        assert_true(str_equal(l.comment, rows[i].comment));
    }
}

static void tokens_end_where_they_must(void **state)
{
    arena mem = arena_new(0);
    lexer l = { .in = STR("ab;\"c\\\"\r\n d\" [e]\"open\\") };

    (void)state;
    assert_true(str_equal(lexer_run(&l, ";"), STR("ab")));
    assert_false(lexer_take(&l, ','));
    assert_true(lexer_take(&l, ';'));
    assert_true(str_equal(lexer_unquote(lexer_enclosed(&l, '"'), &mem), STR("c\" d")));
    lexer_skip(&l);
    assert_true(str_equal(lexer_enclosed(&l, ']'), STR("e")));
    assert_true(str_equal(lexer_unquote(lexer_enclosed(&l, '"'), &mem), STR("open\\")));
    assert_false(lexer_has(&l));
    assert_int_equal(lexer_peek(&l), '\0');
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_and_blanks_are_skipped),
        cmocka_unit_test(tokens_end_where_they_must),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
