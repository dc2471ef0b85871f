#include "folder.h"

static void what_was_built_is_found(void **state)
{
    (void)state;
    file_put("x", STR("a b\nUser@Example.com some value\n"));
    assert_int_equal(built(spec_of("lmdb", "x"), SOURCE_TABLE), 2);
    table *t = opened(spec_of("lmdb", "x"), NULL);
    finds(t, "a", "b");
    finds(t, "user@example.com", "some value");
    finds(t, "c", NULL);
    table_close(t);
    assert_int_equal(access(path_of("x.lmdb-lock"), F_OK), -1);
}

static void long_keys_are_refused_and_absent(void **state)
{
    problems ps = { .arena = &mem };
    size_t n;
    (void)state;
    char *line = arena_get(&mem, 600);
    memset(line, 'k', 512);
    memcpy(line + 511, " v\n", 3);
    file_put("x", str_c(line));
    fault f = map_build(spec_of("lmdb", "x"), SOURCE_TABLE, NULL, &ps, &n);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "line 1"));
    line[510] = ' ';
    memcpy(line + 511, "v\n", 3);
    file_put("x", str_c(line));
    built(spec_of("lmdb", "x"), SOURCE_TABLE);
    table *t = opened(spec_of("lmdb", "x"), NULL);
    memset(line, 'k', 599);
    finds(t, line, NULL);
    line[510] = '\0';
    finds(t, line, "v");
    table_close(t);
    problems_free(&ps);
}

static void many_entries_fit(void **state)
{
    buf b = buf_new(64 << 20);
    (void)state;
    for (unsigned i = 0; i < 50000; i++)
        buf_printf(&b, "key%u value%u\n", i * 7919 % 50000, i);
    buf_printf(&b, "long %0200000d\n", 7);
    file_put("x", buf_str(&b));
    assert_int_equal(built(spec_of("lmdb", "x"), SOURCE_TABLE), 50001);
    table *t = opened(spec_of("lmdb", "x"), NULL);
    finds(t, "key7919", "value1");
    table_close(t);
    buf_free(&b);
}

/* A file that was cut short, or is none at all, defers; it does not end the process. */
static void damaged_files_fail(void **state)
{
    (void)state;
    file_put("x", STR("a b\nc d\n"));
    built(spec_of("lmdb", "x"), SOURCE_TABLE);
    str whole = file_get("x.lmdb");
    for (size_t n = 0; n < whole.n; n += 64) {
        table *t;
        file_put("x.lmdb", str_upto(whole, n));
        assert_int_equal(table_open(spec_of("lmdb", "x"), NULL, &t).kind, FAULT_TRY_LATER);
        table_close(t);
    }
    table *t;
    file_put("x.lmdb", (str){ memset(arena_get(&mem, 20000), 'x', 20000), 20000 });
    assert_int_equal(table_open(spec_of("lmdb", "x"), NULL, &t).kind, FAULT_TRY_LATER);
    table_close(t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_built_is_found),
        TEST(long_keys_are_refused_and_absent),
        TEST(many_entries_fit),
        TEST(damaged_files_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
