/* Views: every function at its edges; a NUL is a byte like any other. */
#include "base/str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#define assert_str(got, want) assert_true(str_equal((got), STR(want)))

static void comparison_sees_every_byte(void **state)
{
    (void)state;
    assert_true(str_equal(STR_NONE, STR("")));
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal(STR("a"), STR("ab")));
    assert_true(str_equal_nocase(STR_NONE, STR("")));
    assert_true(str_equal_nocase(STR("EhLo\0X"), STR("eHlO\0x")));
    assert_false(str_equal_nocase(STR("QUIT\0a"), STR("QUIT\0b")));
    assert_false(str_equal_nocase(STR("quit"), STR("quits")));
}

static void case_means_ascii_letters_only(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char x = (char)a, y = (char)b;
            bool is_letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
            bool want = a == b || (is_letter && (a ^ b) == 0x20);
            assert_int_equal(str_equal_nocase((str){ &x, 1 }, (str){ &y, 1 }), want);
        }
    }
}

static void order_is_that_of_bytes(void **state)
{
    static const str ordered[] = { STR_ROW(""),    STR_ROW("\0"), STR_ROW("A"), STR_ROW("a"),
                                   STR_ROW("a\0"), STR_ROW("aa"), STR_ROW("b"), STR_ROW("\xff") };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ordered); i++) {
        for (size_t k = 0; k < COUNT_OF(ordered); k++) {
            int order = str_compare(ordered[i], ordered[k]);
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    assert_int_equal(str_compare(STR_NONE, STR("")), 0);
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(str_starts(STR("MAIL FROM:"), STR("MAIL")));
    assert_true(str_starts(STR("MAIL"), STR("MAIL")));
    assert_true(str_starts(STR(""), STR("")));
    assert_false(str_starts(STR("MAI"), STR("MAIL")));
    assert_false(str_starts(STR("mail"), STR("MAIL")));
    assert_true(str_starts_nocase(STR("mail from"), STR("MAIL")));
    assert_false(str_starts_nocase(STR("mai"), STR("MAIL")));
    assert_true(str_ends(STR("a.example"), STR(".example")));
    assert_true(str_ends(STR("a"), STR("")));
    assert_false(str_ends(STR("ample"), STR(".example")));
    assert_false(str_ends(STR("a.exampl"), STR(".example")));
}

static void parts_stay_inside(void **state)
{
    str s = STR("abc");
    (void)state;
    assert_str(str_from(s, 0), "abc");
    assert_str(str_from(s, 2), "c");
    assert_str(str_from(s, 3), "");
    assert_str(str_from(s, SIZE_MAX), "");
    assert_ptr_equal(str_from(s, 9).p, s.p + 3);
    assert_null(str_from(STR_NONE, 1).p);
    assert_str(str_upto(s, 0), "");
    assert_str(str_upto(s, 2), "ab");
    assert_str(str_upto(s, SIZE_MAX), "abc");
    assert_int_equal(str_upto(STR_NONE, 5).n, 0);
}

static void finding(void **state)
{
    str s = STR("a:b:c\0d");
    (void)state;
    assert_int_equal(str_find(s, ':'), 1);
    assert_int_equal(str_find_last(s, ':'), 3);
    assert_int_equal(str_find(s, '\0'), 5);
    assert_int_equal(str_find(s, 'x'), s.n);
    assert_int_equal(str_find_last(s, 'x'), s.n);
    assert_int_equal(str_find(STR_NONE, 'x'), 0);
    assert_int_equal(str_find_last(STR_NONE, 'x'), 0);
    assert_true(str_has(s, 'd'));
    assert_false(str_has(s, 'x'));
    assert_false(str_has(STR_NONE, '\0'));
}

static void c_strings(void **state)
{
    (void)state;
    assert_str(str_c("abc"), "abc");
    assert_int_equal(str_c("").n, 0);
    assert_int_equal(str_c(NULL).n, 0);
}

static void trimming(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t\r\n a b \r\n")), "a b");
    assert_str(str_trim(STR("ab")), "ab");
    assert_str(str_trim(STR(" \t\r\n")), "");
    assert_str(str_trim(STR("\0 ")), "\0");
    assert_str(str_trim(STR("\va\f")), "\va\f");
    assert_int_equal(str_trim(STR_NONE).n, 0);
}

static void cutting_gives_every_part_once(void **state)
{
    str rest = STR(",a,,b,"), part;
    static const str want[] = { STR_ROW(""), STR_ROW("a"), STR_ROW(""), STR_ROW("b"), STR_ROW("") };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_true(str_cut(&rest, ',', &part));
        assert_true(str_equal(part, want[i]));
    }
    assert_false(str_cut(&rest, ',', &part));
    assert_null(rest.p);

    rest = STR("");
    assert_true(str_cut(&rest, ',', &part));
    assert_int_equal(part.n, 0);
    assert_false(str_cut(&rest, ',', &part));
}

static void words_skip_runs_of_separators(void **state)
{
    str rest = STR("  one,\ttwo\0x , "), word;
    (void)state;
    assert_true(str_word(&rest, " \t,", &word));
    assert_str(word, "one");
    assert_true(str_word(&rest, " \t,", &word));
    assert_str(word, "two\0x");
    assert_false(str_word(&rest, " \t,", &word));
    assert_int_equal(word.n, 0);
    rest = STR_NONE;
    assert_false(str_word(&rest, " ", &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_sees_every_byte),
        cmocka_unit_test(case_means_ascii_letters_only),
        cmocka_unit_test(order_is_that_of_bytes),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(parts_stay_inside),
        cmocka_unit_test(finding),
        cmocka_unit_test(c_strings),
        cmocka_unit_test(trimming),
        cmocka_unit_test(cutting_gives_every_part_once),
        cmocka_unit_test(words_skip_runs_of_separators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
