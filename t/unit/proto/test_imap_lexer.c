/* Tokens, each truncated at every byte in memory of exactly its size. */
#include "proto/imap_lexer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

typedef bool (*token)(imap_lexer *l, str *out);

static const struct row {
    token read;
    str in;
    bool good;
    str out;
} rows[] = {
    { imap_lex_astring, STR_ROW("abc"), true, STR_ROW("abc") },
    { imap_lex_astring, STR_ROW("a]b+"), true, STR_ROW("a]b+") },
    { imap_lex_astring, STR_ROW("\"a b\""), true, STR_ROW("a b") },
    { imap_lex_astring, STR_ROW("\"\""), true, STR_ROW("") },
    { imap_lex_astring, STR_ROW("\"a\\\"\\\\b\""), true, STR_ROW("a\"\\b") },
    { imap_lex_astring, STR_ROW("\"\xc3\xa4\""), true, STR_ROW("\xc3\xa4") },
    { imap_lex_astring, STR_ROW("{3}\r\na\"b"), true, STR_ROW("a\"b") },
    { imap_lex_astring, STR_ROW("{3+}\r\na\nb"), true, STR_ROW("a\nb") },
    { imap_lex_astring, STR_ROW("{0}\r\n"), true, STR_ROW("") },
    { imap_lex_astring, STR_ROW(""), false, { 0 } },
    { imap_lex_astring, STR_ROW("("), false, { 0 } },
    { imap_lex_astring, STR_ROW("\""), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a"), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a\\"), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a\\\""), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a\\nb\""), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a\0b\""), false, { 0 } },
    { imap_lex_astring, STR_ROW("\"a\r\nb\""), false, { 0 } },
    { imap_lex_astring, STR_ROW("{3}\r\nab"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{3}\r\na\0b"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{3}abc"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{-1}\r\n"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{}\r\n"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{18446744073709551615}\r\na"), false, { 0 } },
    { imap_lex_astring, STR_ROW("{18446744073709551616}\r\na"), false, { 0 } },
    { imap_lex_astring, STR_ROW("a%b"), false, { 0 } },
    { imap_lex_list_mailbox, STR_ROW("a%b*"), true, STR_ROW("a%b*") },
    { imap_lex_atom, STR_ROW("a]"), false, { 0 } },
    { imap_lex_atom, STR_ROW("\x7f"), false, { 0 } },
    { imap_lex_atom, STR_ROW("\xc3\xa4"), false, { 0 } },
    { imap_lex_tag, STR_ROW("a.1]"), true, STR_ROW("a.1]") },
    { imap_lex_tag, STR_ROW("a+"), false, { 0 } },
    { imap_lex_nstring, STR_ROW("nil"), true, { 0 } },
    { imap_lex_nstring, STR_ROW("\"NIL\""), true, STR_ROW("NIL") },
    { imap_lex_nstring, STR_ROW("nix"), false, { 0 } },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        arena mem = arena_new(0);
        imap_lexer l = { .in = rows[i].in, .mem = &mem };
        str out = STR_NONE;
        bool good = rows[i].read(&l, &out) && imap_lex_is_end(&l);
        if (good != rows[i].good || (good && !str_equal(out, rows[i].out)))
            fail_msg("row %zu", i);
        if (good)
            assert_int_equal(out.p == NULL, rows[i].out.p == NULL);
        arena_free(&mem);
    }
}

static void truncated_rows_stay_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].in.n; n++) {
            arena mem = arena_new(0);
            char *copy = malloc(n ? n : 1);
            memcpy(copy, rows[i].in.p, n);
            imap_lexer l = { .in = { copy, n }, .mem = &mem };
            str out;
            rows[i].read(&l, &out);
            assert_true(l.at <= n);
            arena_free(&mem);
            free(copy);
        }
}

static void numbers_have_a_range(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } numbers[] = { { "1", true }, { "10", true },  { "0", false }, { "11", false },
                    { "", false }, { "-1", false }, { "x", false } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        imap_lexer l = { .in = str_c(numbers[i].text) };
        uint64_t n;
        assert_int_equal(imap_lex_number(&l, 1, 10, &n), numbers[i].good);
    }
}

static void the_first_problem_stays(void **state)
{
    imap_lexer l = { .in = STR("x") };

    (void)state;
    imap_lex_must(&l, 'y');
    const char *first = l.problem;
    imap_lex_space(&l);
    assert_ptr_equal(l.problem, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_rows_stay_inside),
        cmocka_unit_test(numbers_have_a_range),
        cmocka_unit_test(the_first_problem_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
