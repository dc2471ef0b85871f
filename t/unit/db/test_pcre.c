#include "folder.h"

static void results_have_parts_of_the_key(void **state)
{
    (void)state;
    file_put("x", STR("/^(.*)-outgoing@(.*)$/ 550 Use ${1}@$(2) instead: $$\n"
                      "!/@/ bare\n"
                      "/^case$/i exact\n"
                      "if !/^friend@/\n"
                      "/@bad\\.example$/ REJECT\n"
                      "endif\n"
                      "#^hash@# other delimiter\n"
                      "/(a)|(b)/ [$1][$2]\n"));
    table *t = opened(spec_of("pcre", "x"), NULL);
    finds(t, "Joe-outgoing@Example.com", "550 Use Joe@Example.com instead: $");
    finds(t, "bare", "bare");
    finds(t, "x@bad.example", "REJECT");
    finds(t, "X@BAD.example", "REJECT");
    finds(t, "friend@bad.example", "[][b]");
    finds(t, "@a", "[a][]");
    finds(t, "x@y", NULL);
    table_close(t);
}

static void flags_turn_over(void **state)
{
    (void)state;
    file_put("x", STR("/^low$/i 1\n/^a b$/x 2\n/b$/E 3\n"));
    table *t = opened(spec_of("pcre", "x"), NULL);
    finds(t, "low", "1");
    finds(t, "LOW", NULL);
    finds(t, "ab", "2");
    table_close(t);
}

static void mistakes_name_their_line(void **state)
{
    static const char *const rows[] = { "/a\n",       "/a/ \n",        "/(/ x\n",     "/a/q x\n",   "/a/ $1\n",
                                        "/(a)/ $0\n", "/(a)/ ${1 x\n", "!/(a)/ $1\n", "/(a)/ $x\n", "a a a\n",
                                        "//\n",       "/(a)/ $200\n",  "/(a)/ $\n" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        table *t;
        file_put("x", str_c(rows[i]));
        fault f = table_open(spec_of("pcre", "x"), NULL, &t);
        if (f.kind != FAULT_TRY_LATER || strstr(f.text, "x:1: ") == NULL)
            fail_msg("row %zu: %s", i, f.text);
        table_close(t);
    }
}

/* HOSTILE 38. */
static void catastrophic_patterns_end(void **state)
{
    table_answer a;
    (void)state;
    file_put("x", STR("/^(a+)+$/ OK\n"));
    table *t = opened(spec_of("pcre", "x"), NULL);
    char key[2000];
    memset(key, 'a', sizeof key);
    key[sizeof key - 1] = '!';
    clock_t start = clock();
    assert_int_equal(table_find(t, (str){ key, sizeof key }, &mem, &a), TABLE_FAILED);
    assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
    assert_int_equal(a.fault.kind, FAULT_TRY_LATER);
    finds(t, "aaa", "OK");
    table_close(t);
}

/* Each place where a match could begin stays below the limit of steps; all of them together do not. */
static void a_long_text_costs_a_second(void **state)
{
    enum { LONG = 100000 };
    table_answer a;
    (void)state;
    file_put("x", STR("/^never/ NO\n/b.*z!/ OK\n"));
    table *t = opened(spec_of("pcre", "x"), NULL);
    char *text = malloc(LONG);
    memset(text, 'b', LONG);
    text[LONG - 1] = '!';
    clock_t start = clock();
    assert_int_equal(table_match(t, (str){ text, LONG }, &mem, &a), TABLE_FAILED);
    assert_true(clock() - start < 8 * CLOCKS_PER_SEC);
    memset(text, 'a', LONG);
    memcpy(text + LONG - 3, "bz!", 3); /* in the last window */
    assert_int_equal(table_match(t, (str){ text, LONG }, &mem, &a), TABLE_FOUND);
    memcpy(text + 255, "b", 1); /* from one window into another */
    assert_int_equal(table_match(t, (str){ text, LONG }, &mem, &a), TABLE_FOUND);
    free(text);
    table_close(t);
}

static bool each(void *context, str key, str value)
{
    buf_printf(context, "%.*s=%.*s;", STR_ARG(key), STR_ARG(value));
    return true;
}

static void rules_can_be_listed(void **state)
{
    buf out = buf_new(1000);
    (void)state;
    file_put("x", STR("/a/ A\nif /x/\n!/b/i B c\nendif\n"));
    table *t = opened(spec_of("pcre", "x"), NULL);
    assert_false(is_fault(table_list(t, each, &out)));
    assert_string_equal(buf_c(&out), "/a/=A;/b/i=B c;");
    buf_free(&out);
    table_close(t);
}

static void alias_tables_do_not_substitute(void **state)
{
    table_context context = { .is_alias = true };
    table *t;
    (void)state;
    file_put("x", STR("/(.*)/ |cmd $1\n"));
    assert_int_equal(table_open(spec_of("pcre", "x"), &context, &t).kind, FAULT_TRY_LATER);
    table_close(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(results_have_parts_of_the_key),  TEST(flags_turn_over),
        TEST(mistakes_name_their_line),       TEST(catastrophic_patterns_end),
        TEST(alias_tables_do_not_substitute), TEST(a_long_text_costs_a_second),
        TEST(rules_can_be_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
