#include "store/list_pattern.h"
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct row {
    str pattern, name;
    bool matches;
} row;

static const row rows[] = {
    { STR_ROW("*"), STR_ROW("a/b"), true },
    { STR_ROW("%"), STR_ROW("a/b"), false },
    { STR_ROW("%"), STR_ROW("ab"), true },
    { STR_ROW("%/b"), STR_ROW("a/b"), true },
    { STR_ROW("%/%"), STR_ROW("a/b"), true },
    { STR_ROW("%/%"), STR_ROW("a/b/c"), false },
    { STR_ROW("a*c"), STR_ROW("abbc"), true },
    { STR_ROW("a*c"), STR_ROW("ab"), false },
    { STR_ROW("a%c"), STR_ROW("a/c"), false },
    { STR_ROW("a*%c"), STR_ROW("a/x/c"), true },
    { STR_ROW(""), STR_ROW("a"), false },
    { STR_ROW(""), STR_ROW(""), true },
    { STR_ROW("inbox"), STR_ROW("INBOX"), true },
    { STR_ROW("InBox/a"), STR_ROW("INBOX/a"), true },
    { STR_ROW("inbox/A"), STR_ROW("INBOX/a"), false },
    { STR_ROW("sent"), STR_ROW("Sent"), false },
    { STR_ROW("**%%*"), STR_ROW("x"), true },
    { STR_ROW("a%"), STR_ROW("a"), true },
    { STR_ROW("*a"), STR_ROW("ab"), false },
    { STR_ROW("*b*"), STR_ROW("abc"), true },
    { STR_ROW("\xff%"), STR_ROW("\xff\xfe"), true },
};

static void rows_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        list_pattern *p = list_pattern_new(rows[i].pattern, '/');
        if (list_pattern_matches(p, rows[i].name) != rows[i].matches)
            fail_msg("%.*s against %.*s", STR_ARG(rows[i].pattern), STR_ARG(rows[i].name));
        list_pattern_free(p);
    }
}

/* The plain way, exponential or not. */
static bool slow(str p, str n)
{
    if (p.n == 0)
        return n.n == 0;
    if (p.p[0] == '*' || p.p[0] == '%')
        return slow(str_from(p, 1), n) || (n.n && (p.p[0] == '*' || n.p[0] != '/') && slow(p, str_from(n, 1)));
    return n.n && p.p[0] == n.p[0] && slow(str_from(p, 1), str_from(n, 1));
}

static void agrees_with_the_plain_way(void **state)
{
    static const char alphabet[] = "ab/*%";
    unsigned seed = 3, hits = 0;
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char p[8], n[8];
        for (size_t k = 0; k < 8; k++) {
            seed = seed * 1103515245 + 12345;
            p[k] = alphabet[(seed >> 16) % 5];
            n[k] = alphabet[(seed >> 20) % 3];
        }
        str pattern = { p, (seed >> 8) % 9 }, name = { n, (seed >> 12) % 9 };
        list_pattern *compiled = list_pattern_new(pattern, '/');
        bool matches = list_pattern_matches(compiled, name);
        assert_int_equal(matches, slow(pattern, name));
        hits += matches;
        list_pattern_free(compiled);
    }
    assert_true(hits > 1000);
}

static void many_wildcards_stay_linear(void **state)
{
    char pattern[401], name[256];
    (void)state;
    for (size_t i = 0; i < 400; i += 2)
        memcpy(pattern + i, i % 4 ? "%a" : "*a", 2);
    pattern[400] = 'b'; /* never there: the plain way would try everything */
    memset(name, 'a', sizeof name);
    list_pattern *p = list_pattern_new((str){ pattern, sizeof pattern }, '/');
    uint64_t start = clock_monotonic_ms();
    for (unsigned i = 0; i < 10000; i++)
        assert_false(list_pattern_matches(p, (str){ name, sizeof name }));
    assert_true(clock_monotonic_ms() - start < 3000); /* some 30 ms without sanitizers */
    list_pattern_free(p);
}

static void a_pattern_longer_than_any_name_matches_none(void **state)
{
    char pattern[5000];
    (void)state;
    memset(pattern, 'a', sizeof pattern);
    for (size_t n = 1020; n < 1030; n++) {
        list_pattern *p = list_pattern_new((str){ pattern, n }, '/');
        assert_int_equal(list_pattern_matches(p, (str){ pattern, n }), n <= 1023);
        list_pattern_free(p);
    }
    memset(pattern, '*', sizeof pattern);
    list_pattern *p = list_pattern_new((str){ pattern, sizeof pattern }, '/');
    assert_true(list_pattern_matches(p, STR("a/b")));
    list_pattern_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_hold),
        cmocka_unit_test(agrees_with_the_plain_way),
        cmocka_unit_test(many_wildcards_stay_linear),
        cmocka_unit_test(a_pattern_longer_than_any_name_matches_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
