#include "store/uid_set.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static uid_set set_of(const uid_range *ranges, size_t n)
{
    uid_set s = { 0 };
    for (size_t i = 0; i < n; i++)
        uid_set_add(&s, ranges[i].first, ranges[i].last);
    return s;
}

#define SET(...) set_of((uid_range[]){ __VA_ARGS__ }, sizeof((uid_range[]){ __VA_ARGS__ }) / sizeof(uid_range))

static void expect(uid_set *s, const char *want)
{
    char text[1024] = "";
    for (size_t i = 0, n = 0; i < s->n; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%u:%u ", s->p[i].first, s->p[i].last);
    assert_string_equal(text, want);
    uid_set_free(s);
}

static void ranges_that_touch_are_joined(void **state)
{
    (void)state;
    uid_set s = SET({ 5, 7 }, { 1, 2 }, { 9, 9 });
    expect(&s, "1:2 5:7 9:9 ");
    s = SET({ 1, 2 }, { 3, 3 });
    expect(&s, "1:3 ");
    s = SET({ 5, 7 }, { 1, 2 }, { 9, 9 }, { 2, 20 });
    expect(&s, "1:20 ");
    s = SET({ 7, 5 }, { 0, 0 }, { 8, 8 });
    expect(&s, "1:1 5:8 ");
    s = SET({ 1, UINT32_MAX }, { 5, 5 }, { UINT32_MAX, UINT32_MAX });
    expect(&s, "1:4294967295 ");
    s = SET({ 10, 10 }, { 8, 8 }, { 9, 9 });
    expect(&s, "8:10 ");
}

static void remove_cuts(void **state)
{
    (void)state;
    uid_set s = SET({ 1, 10 }, { 20, 30 }), g = SET({ 3, 4 }, { 8, 22 }, { 30, 40 });
    uid_set_remove(&s, &g);
    expect(&s, "1:2 5:7 23:29 ");
    s = SET({ 1, 10 });
    uid_set_remove(&s, &s);
    expect(&s, "");
    s = SET({ 5, 10 });
    uid_set none = { 0 };
    uid_set_remove(&s, &none);
    expect(&s, "5:10 ");
    uid_set_free(&g);
}

static void two_sets_meet_and_unite(void **state)
{
    (void)state;
    uid_set a = SET({ 1, 10 }, { 20, 30 }), b = SET({ 5, 25 }, { 30, 35 }), out = { 0 };
    uid_set_intersect(&a, &b, &out);
    expect(&out, "5:10 20:25 30:30 ");
    uid_set_unite(&a, &b);
    expect(&a, "1:35 ");
    uid_set_free(&b);
}

/* Against a plain array of marks, over many random sets. */
static void agrees_with_a_plain_array(void **state)
{
    unsigned seed = 7;
    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        bool marks[2][64] = { 0 };
        uid_set s[2] = { { 0 } }, both = { 0 };
        for (unsigned i = 0; i < 12; i++) {
            seed = seed * 1103515245 + 12345;
            uint32_t first = 1 + (seed >> 16) % 60, last = first + (seed >> 8) % 4;
            last = last < 63 ? last : 63;
            uid_set_add(&s[i % 2], first, last);
            for (uint32_t u = first; u <= last; u++)
                marks[i % 2][u] = true;
        }
        uid_set_intersect(&s[0], &s[1], &both);
        uint32_t rank = 0;
        for (uint32_t u = 1; u < 64; u++) {
            assert_int_equal(uid_set_has(&s[0], u), marks[0][u]);
            assert_int_equal(uid_set_has(&both, u), marks[0][u] && marks[1][u]);
            rank += marks[0][u];
            assert_int_equal(uid_set_rank(&s[0], u), rank);
            if (marks[0][u])
                assert_int_equal(uid_set_nth(&s[0], rank), u);
        }
        assert_int_equal(uid_set_count(&s[0]), rank);
        uid_set_remove(&s[0], &s[1]);
        for (uint32_t u = 1; u < 64; u++)
            assert_int_equal(uid_set_has(&s[0], u), marks[0][u] && !marks[1][u]);
        uid_set_unite(&s[0], &s[1]);
        for (uint32_t u = 1; u < 64; u++)
            assert_int_equal(uid_set_has(&s[0], u), marks[0][u] || marks[1][u]);
        for (unsigned i = 0; i < 2; i++)
            uid_set_free(&s[i]);
        uid_set_free(&both);
    }
}

static void a_walk_meets_each_once_and_ends(void **state)
{
    uid_set s = SET({ 3, 4 }, { UINT32_MAX - 1, UINT32_MAX });
    unsigned n = 0;
    (void)state;
    for (uint32_t uid = 0; (uid = uid_set_next(&s, uid + 1)) != 0;)
        n++;
    assert_int_equal(n, 4);
    assert_int_equal(uid_set_nth(&s, 5), 0);
    assert_int_equal(uid_set_nth(&s, 0), 0);
    uid_set_free(&s);
}

static void ranks_become_members(void **state)
{
    uid_set s = SET({ 10, 12 }, { 20, 20 }, { 30, 39 }), out = { 0 },
            ranks = SET({ 1, 1 }, { 3, 5 }, { 14, 14 }, { 90, 99 });
    (void)state;
    uid_set_at(&s, &ranks, &out);
    expect(&out, "10:10 12:12 20:20 30:30 39:39 ");
    uid_set_free(&ranks);
    ranks = SET({ 1, UINT32_MAX });
    uid_set_at(&s, &ranks, &out);
    expect(&out, "10:12 20:20 30:39 ");
    uid_set_free(&ranks);
    uid_set_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_that_touch_are_joined),    cmocka_unit_test(remove_cuts),
        cmocka_unit_test(two_sets_meet_and_unite),         cmocka_unit_test(agrees_with_a_plain_array),
        cmocka_unit_test(a_walk_meets_each_once_and_ends), cmocka_unit_test(ranks_become_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
