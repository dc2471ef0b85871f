#include "proto/imap_flags.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct row {
    const char *in;
    bool is_good_list, is_good_any;
    const char *out; /* as it is written again */
} rows[] = {
    { "()", true, true, "()" },
    { "(\\Seen)", true, true, "(\\Seen)" },
    { "(\\seen \\DELETED $Forwarded \\Draft x)", true, true, "(\\Deleted \\Seen \\Draft $Forwarded x)" },
    { "\\Seen \\Flagged", false, true, "(\\Flagged \\Seen)" },
    { "x", false, true, "(x)" },
    { "(\\Recent \\Answered)", true, true, "(\\Answered)" },
    { "(\\*)", false, false, NULL },
    { "(\\Unknown)", false, false, NULL },
    { "(\\)", false, false, NULL },
    { "(\\Seen", false, false, NULL },
    { "(\\Seen  x)", false, false, NULL },
    { "( x)", false, false, NULL },
    { "(a (b))", false, false, NULL },
    { "(\"x\")", false, false, NULL },
    { "", false, false, NULL },
};

static void check(const struct row *r, bool (*parse_flags)(imap_lexer *, imap_flags *), bool is_good)
{
    arena mem = arena_new(0);
    imap_lexer l = { .in = str_c(r->in), .mem = &mem };
    imap_flags flags;
    buf out = buf_new(100);

    assert_int_equal(parse_flags(&l, &flags) && imap_lex_is_end(&l), is_good);
    if (is_good) {
        assert_true(imap_flags_write(&out, &flags));
        assert_true(str_equal(buf_str(&out), str_c(r->out)));
    }
    buf_free(&out);
    arena_free(&mem);
}

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(&rows[i], imap_flags_parse_list, rows[i].is_good_list);
        check(&rows[i], imap_flags_parse_any, rows[i].is_good_any);
    }
}

static void keywords_have_a_limit(void **state)
{
    (void)state;
    for (size_t n = IMAP_KEYWORDS_MAX - 1; n <= IMAP_KEYWORDS_MAX + 1; n++) {
        arena mem = arena_new(0);
        buf in = buf_new(10000);
        imap_flags flags;
        buf_append_char(&in, '(');
        for (size_t i = 0; i < n; i++)
            buf_printf(&in, i ? " k%zu" : "k%zu", i);
        buf_append_char(&in, ')');
        imap_lexer l = { .in = buf_str(&in), .mem = &mem };
        assert_int_equal(imap_flags_parse_list(&l, &flags), n <= IMAP_KEYWORDS_MAX);
        buf_free(&in);
        arena_free(&mem);
    }
}

static void what_is_no_atom_is_not_written(void **state)
{
    str keywords[] = { STR_ROW("a b"), STR_ROW("ok"), STR_ROW(""), STR_ROW("x\r\ny"), STR_ROW("(") };
    imap_flags flags = { IMAP_RECENT | IMAP_SEEN | IMAP_ANY, keywords, COUNT_OF(keywords) };
    buf out = buf_new(100);

    (void)state;
    assert_true(imap_flags_write(&out, &flags));
    assert_true(str_equal(buf_str(&out), STR("(\\Seen \\Recent \\* ok)")));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(keywords_have_a_limit),
        cmocka_unit_test(what_is_no_atom_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
