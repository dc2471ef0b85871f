/* Against a search that is slow and plain, over all short texts of two letters; and in every split. */
#include "mail/match.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

static bool plain_has(str text, str needle)
{
    for (size_t i = 0; i + needle.n <= text.n; i++)
        if (str_equal_nocase(str_upto(str_from(text, i), needle.n), needle))
            return true;
    return false;
}

/* The bits of a number below its highest one, as letters. */
static str spelled(unsigned number, bool is_upper, char *out)
{
    size_t n = 0;
    for (; number > 1; number /= 2)
        out[n++] = is_upper ? "AB"[number % 2] : "ab"[number % 2];
    return (str){ out, n };
}

static void finds_what_a_plain_search_finds(void **state)
{
    arena mem = arena_new(0);

    (void)state;
    for (unsigned k = 1; k < 128; k++) {
        char needle_text[32], text[32];
        str needle = spelled(k, k % 3 == 0, needle_text);
        match m = match_open(needle, &mem);
        for (unsigned t = 1; t < 4096; t++) {
            str in = spelled(t, t % 2, text);
            assert_int_equal(match_in(&m, in), plain_has(in, needle));
        }
        arena_clear(&mem);
    }
    arena_free(&mem);
}

/* What was matched before a mismatch must not be forgotten, where the needle begins within it. */
static void finds_needles_that_overlap_themselves(void **state)
{
    arena mem = arena_new(0);

    (void)state;
    for (unsigned k = 1; k < 8192; k++) {
        char needle_text[32], text[64];
        str needle = spelled(k, false, needle_text);
        match m = match_open(needle, &mem);
        for (size_t n = 0; n <= needle.n; n++) {
            memcpy(text, needle.p, n);
            memcpy(text + n, needle.p, needle.n);
            assert_true(match_in(&m, (str){ text, n + needle.n }));
        }
        arena_clear(&mem);
    }
    arena_free(&mem);
}

static void finds_across_pieces(void **state)
{
    const str text = STR("abcabcabdABCABCABC the end");
    const str needles[] = { STR("ABCABD"), STR("abcabcabc"), STR("END"), STR("b"), STR("") };
    arena mem = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(needles); i++)
        for (size_t step = 1; step <= text.n; step++) {
            match m = match_open(needles[i], &mem);
            bool found = false;
            for (size_t at = 0; at < text.n; at += step)
                found = match_feed(&m, str_upto(str_from(text, at), step));
            assert_true(found);
            match_reset(&m);
            assert_int_equal(match_feed(&m, STR("ab")), needles[i].n <= 1);
        }
    arena_free(&mem);
}

static uint64_t looked_at(size_t n)
{
    arena mem = arena_new(0);
    char *needle = malloc(n / 10 + 1), *text = malloc(n);

    memset(needle, 'a', n / 10);
    needle[n / 10] = 'b';
    memset(text, 'A', n);
    for (size_t i = 0; i < n; i += n / 10)
        text[i] = 'c';
    match m = match_open((str){ needle, n / 10 + 1 }, &mem);
    assert_false(match_in(&m, (str){ text, n }));
    free(needle);
    free(text);
    arena_free(&mem);
    return m.looked;
}

static void hostile_needles_take_linear_time(void **state)
{
    uint64_t once = looked_at(100000), twice = looked_at(200000);

    (void)state;
    assert_true(once >= 100000 && once <= 200000);
    assert_true(twice * 10 < once * 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_plain_search_finds),
        cmocka_unit_test(finds_needles_that_overlap_themselves),
        cmocka_unit_test(finds_across_pieces),
        cmocka_unit_test(hostile_needles_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
