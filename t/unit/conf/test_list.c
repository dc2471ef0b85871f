/* Words of lists; each row whole and truncated at every byte. */
#include "conf/list.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
    str list;
    bool is_balanced;
    str words[5];
} row;

static const row rows[] = {
    { STR_ROW(""), true, { { 0 } } },
    { STR_ROW(" ,\t, "), true, { { 0 } } },
    { STR_ROW("a"), true, { STR_ROW("a") } },
    { STR_ROW("a,b c\td"), true, { STR_ROW("a"), STR_ROW("b"), STR_ROW("c"), STR_ROW("d") } },
    { STR_ROW("hash:/etc/x, $y"), true, { STR_ROW("hash:/etc/x"), STR_ROW("$y") } },
    { STR_ROW("{ a, b } c"), true, { STR_ROW("a, b"), STR_ROW("c") } },
    { STR_ROW("{a {b c} d},{e}"), true, { STR_ROW("a {b c} d"), STR_ROW("e") } },
    { STR_ROW("inline:{x=y} z"), true, { STR_ROW("inline:{x=y}"), STR_ROW("z") } },
    { STR_ROW("inline:{{x = y}, {a = b}} z"), true, { STR_ROW("inline:{{x = y}, {a = b}}"), STR_ROW("z") } },
    { STR_ROW("{ a b"), false, { STR_ROW("a b") } },
    { STR_ROW("a } b"), false, { STR_ROW("a"), STR_ROW("}"), STR_ROW("b") } },
    { STR_ROW("} {"), false, { STR_ROW("}"), STR_ROW("") } },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str rest = rows[i].list, word;
        size_t n = 0;
        for (; list_next(&rest, &word); n++)
            if (!str_equal(word, rows[i].words[n]))
                fail_msg("row %zu word %zu: %.*s", i, n, STR_ARG(word));
        assert_true(n == COUNT_OF(rows[i].words) || rows[i].words[n].p == NULL);
        assert_int_equal(list_is_balanced(rows[i].list), rows[i].is_balanced);
    }
}

static void truncated_lists_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 0; n <= rows[i].list.n; n++) {
            str rest = str_upto(rows[i].list, n), word;
            size_t count = 0;
            while (list_next(&rest, &word))
                assert_true(++count <= n && word.p + word.n <= rows[i].list.p + n);
        }
}

static void has_looks_at_whole_words(void **state)
{
    (void)state;
    assert_true(list_has(STR("plain, LOGIN"), STR("login")));
    assert_false(list_has(STR("plain, LOGIN"), STR("log")));
    assert_false(list_has(STR(""), STR("login")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(truncated_lists_end),
        cmocka_unit_test(has_looks_at_whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
