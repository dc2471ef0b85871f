/* SOURCES: ctl/common/text.c  NEEDS: base */
#include "ctl/common/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_durations(void **state)
{
    (void)state;
    assert_string_equal(text_duration(0).text, "0s");
    assert_string_equal(text_duration(59).text, "59s");
    assert_string_equal(text_duration(60).text, "1m");
    assert_string_equal(text_duration(61).text, "1m1s");
    assert_string_equal(text_duration(3600 + 59).text, "1h");
    assert_string_equal(text_duration(3 * 86400 + 4 * 3600 + 5).text, "3d4h");
    assert_true(strlen(text_duration(UINT64_MAX).text) < sizeof(short_text));
}

static void test_bytes(void **state)
{
    (void)state;
    assert_string_equal(text_bytes(0).text, "0");
    assert_string_equal(text_bytes(1023).text, "1023");
    assert_string_equal(text_bytes(1024).text, "1.0k");
    assert_string_equal(text_bytes(1536).text, "1.5k");
    assert_string_equal(text_bytes(10 * 1024 * 1024).text, "10.0M");
    assert_true(str_ends(str_c(text_bytes(UINT64_MAX).text), STR("E")));
}

static void test_a_terminal_obeys_nothing_of_it(void **state)
{
    (void)state;
    char *p = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&p, &n);
    text_print(f, STR("a\n\x1b[1m\x7f\xc2\x9b"
                      "b\xc3\xa4\xc2\xa0\xc2"));
    fclose(f);
    assert_string_equal(p, "a??[1m??b\xc3\xa4\xc2\xa0\xc2");
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_durations), cmocka_unit_test(test_bytes),
                                        cmocka_unit_test(test_a_terminal_obeys_nothing_of_it) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
