#include "folder.h"

static table_result look(table *t, const char *key, table_answer *a)
{
    return table_find(t, str_c(key), &mem, a);
}

static void names_that_are_no_tables(void **state)
{
    static const char *const specs[] = { "",         "x",          "nosuch:/x", "hash:",      "hash:relative", "/etc/x",
                                         "cidr:x",   "inline:a=b", "inline:{}", "inline:{a}", "inline:{a=b",   ":",
                                         "texthash:" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(specs); i++) {
        table *t;
        fault f = table_open(str_c(specs[i]), NULL, &t);
        if (f.kind != FAULT_REFUSED || t)
            fail_msg("%s", specs[i]);
    }
}

static void a_missing_file_fails_until_it_is_there(void **state)
{
    table_answer a;
    table *t;
    (void)state;
    assert_int_equal(table_open(spec_of("texthash", "x"), NULL, &t).kind, FAULT_TRY_LATER);
    assert_non_null(t);
    assert_int_equal(look(t, "a", &a), TABLE_FAILED);
    assert_int_equal(a.fault.kind, FAULT_TRY_LATER);
    file_put("x", STR("a b\n"));
    assert_true(table_changed(t));
    assert_false(is_fault(table_reopen(t)));
    finds(t, "a", "b");
    table_close(t);
}

static void a_replaced_file_is_seen(void **state)
{
    (void)state;
    file_put("x", STR("a b\n"));
    table *t = opened(spec_of("texthash", "x"), NULL);
    finds(t, "a", "b");
    assert_false(table_changed(t));
    file_put("y", STR("a c\n"));
    assert_int_equal(rename(path_of("y"), path_of("x")), 0);
    assert_true(table_changed(t));
    table_reopen(t);
    finds(t, "a", "c");

    file_put("x", STR("broken\n"));
    assert_true(table_changed(t));
    assert_int_equal(table_reopen(t).kind, FAULT_TRY_LATER);
    table_answer a;
    assert_int_equal(look(t, "a", &a), TABLE_FAILED);
    assert_non_null(strstr(a.fault.text, "x:1: "));
    table_close(t);
}

/* The clock of the once-a-second look is the only thing waited for. */
static void a_replaced_file_is_seen_by_looking(void **state)
{
    table_answer a = { 0 };
    (void)state;
    file_put("x", STR("a b\n"));
    table *t = opened(spec_of("texthash", "x"), NULL);
    file_put("y", STR("a c\n"));
    assert_int_equal(rename(path_of("y"), path_of("x")), 0);
    for (time_t end = time(NULL) + 10; time(NULL) < end && !str_equal(a.value, STR("c"));)
        assert_int_equal(look(t, "a", &a), TABLE_FOUND);
    assert_true(str_equal(a.value, STR("c")));
    table_close(t);
}

static void keys_fold_and_have_limits(void **state)
{
    table_answer a;
    (void)state;
    table *t = opened(STR("inline:{Key=Value}"), NULL);
    finds(t, "KEY", "Value");
    finds(t, "", NULL);
    str huge = { memset(arena_get(&mem, TABLE_KEY_MAX + 1), 'k', TABLE_KEY_MAX + 1), TABLE_KEY_MAX + 1 };
    assert_int_equal(table_find(t, huge, &mem, &a), TABLE_ABSENT);
    assert_int_equal(table_find(t, STR("key\0"), &mem, &a), TABLE_ABSENT);
    table_close(t);
}

/* A line of a message is no key: neither its length nor a NUL hides it from a pattern. */
static void texts_of_any_bytes_match(void **state)
{
    char text[TABLE_KEY_MAX + 10];
    table_answer a;
    (void)state;
    file_put("p", STR("/end$/ found\n/^$/ empty\n"));
    file_put("x", STR("a b\n"));
    table *t = opened(spec_of("pcre", "p"), NULL), *keys = opened(spec_of("texthash", "x"), NULL);
    memset(text, 0, sizeof text);
    memcpy(text + sizeof text - 3, "end", 3);
    assert_int_equal(table_match(t, (str){ text, sizeof text }, &mem, &a), TABLE_FOUND);
    assert_int_equal(table_find(t, (str){ text, sizeof text }, &mem, &a), TABLE_ABSENT);
    assert_int_equal(table_match(t, STR(""), &mem, &a), TABLE_FOUND);
    assert_int_equal(table_match(t, STR_NONE, &mem, &a), TABLE_FOUND);
    assert_int_equal(table_match(keys, STR("A"), &mem, &a), TABLE_FOUND);
    assert_int_equal(table_match(keys, (str){ text, sizeof text }, &mem, &a), TABLE_ABSENT);
    table_close(t);
    table_close(keys);
}

static void the_default_type_holds_for_bare_names(void **state)
{
    table_context context = { .default_type = STR("texthash") };
    (void)state;
    file_put("x", STR("a b\n"));
    table *t = opened(str_c(path_of("x")), &context);
    finds(t, "a", "b");
    assert_true(str_equal(table_name(t), spec_of("texthash", "x")));
    table_close(t);
}

/* As after chroot: names below the root are looked for without it, others stay as they were opened. */
static void a_root_shortens_names(void **state)
{
    table_context context = { 0 };
    (void)state;
    file_put("x", STR("a b\n"));
    table *t = opened(spec_of("texthash", "x"), &context);
    context.root = str_c("/elsewhere");
    unlink(path_of("x"));
    assert_false(table_changed(t));
    assert_false(is_fault(table_reopen(t)));
    finds(t, "a", "b");
    context.root = str_c("/tmp");
    assert_true(table_changed(t));
    assert_int_equal(table_reopen(t).kind, FAULT_TRY_LATER);
    table_close(t);
}

static void a_pool_opens_each_table_once(void **state)
{
    table_context context = { .default_type = STR("texthash") };
    table_pool pool = { .context = &context };
    table *one, *two;
    (void)state;
    file_put("x", STR("a b\n"));
    assert_false(is_fault(table_pool_open(&pool, spec_of("texthash", "x"), &one)));
    assert_false(is_fault(table_pool_open(&pool, str_c(path_of("x")), &two)));
    assert_ptr_equal(one, two);
    assert_ptr_equal(table_pool_get(&pool, spec_of("texthash", "x")), one);
    assert_null(table_pool_get(&pool, spec_of("hash", "x")));
    assert_int_equal(table_pool_open(&pool, STR("nosuch:x"), &two).kind, FAULT_REFUSED);
    assert_int_equal(pool.tables.n, 1);
    table_pool_free(&pool);
}

static void words_keep_their_braces(void **state)
{
    str rest = STR(" a, inline:{b=c, {d = e f}} ,hash:/x\n,{ g }"), word;
    static const char *const want[] = { "a", "inline:{b=c, {d = e f}}", "hash:/x", "{ g }" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_true(table_word_next(&rest, &word));
        assert_true(str_equal(word, str_c(want[i])));
    }
    assert_false(table_word_next(&rest, &word));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_that_are_no_tables),  TEST(a_missing_file_fails_until_it_is_there),
        TEST(a_replaced_file_is_seen),   TEST(a_replaced_file_is_seen_by_looking),
        TEST(keys_fold_and_have_limits), TEST(the_default_type_holds_for_bare_names),
        TEST(a_root_shortens_names),     TEST(a_pool_opens_each_table_once),
        TEST(words_keep_their_braces),   TEST(texts_of_any_bytes_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
