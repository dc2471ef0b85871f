#include "folder.h"

#ifdef POSTRIDER_BDB

/* The command finds the file as $F. */
static void run(const char *command, const char *name)
{
    setenv("F", path_of(name), 1);
    assert_int_equal(system(command), 0);
}

static void what_was_built_is_found(void **state)
{
    static const char *const types[] = { "hash", "btree" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        file_put("x", STR("a b\nUser@Example.com some value\n"));
        assert_int_equal(built(spec_of(types[i], "x"), SOURCE_TABLE), 2);
        table *t = opened(spec_of(types[i], "x"), NULL);
        finds(t, "a", "b");
        finds(t, "USER@example.com", "some value");
        finds(t, "c", NULL);
        table_close(t);
    }
}

/* What other programs wrote, with the NUL of Postfix and without. */
static void files_of_db_load_are_read(void **state)
{
    (void)state;
    run("printf 'a\\nb\\nuser@example.com\\nlong value\\n' | db_load -T -t hash \"$F\"", "plain.db");
    run("printf 'a\\\\00\\nb\\\\00\\n' | db_load -T -t btree \"$F\"", "nul.db");
    table *t = opened(spec_of("hash", "plain"), NULL);
    finds(t, "a", "b");
    finds(t, "user@example.com", "long value");
    finds(t, "user", NULL);
    table_close(t);
    t = opened(spec_of("btree", "nul"), NULL);
    finds(t, "a", "b");
    table_close(t);
}

static void db_dump_reads_ours(void **state)
{
    (void)state;
    file_put("x", STR("k v\n"));
    built(spec_of("hash", "x"), SOURCE_TABLE);
    run("db_verify -q \"$F\" && db_dump -p \"$F\" > \"$F.txt\"", "x.db");
    str text = file_get("x.db.txt");
    assert_non_null(strstr(text.p, "\n k\\00\n v\\00\n"));
}

static void the_wrong_type_is_said(void **state)
{
    table *t;
    (void)state;
    file_put("x", STR("k v\n"));
    built(spec_of("btree", "x"), SOURCE_TABLE);
    fault f = table_open(spec_of("hash", "x"), NULL, &t);
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    assert_non_null(strstr(f.text, "not a table of this type"));
    table_close(t);
}

/* HOSTILE 34: the library would read it from the working directory. */
static void db_config_of_the_working_directory_is_not_read(void **state)
{
    (void)state;
    file_put("x", STR("k v\n"));
    file_put("DB_CONFIG", STR("this is no directive\n"));
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(folder), 0);
    setenv("DB_HOME", folder, 1);
    built(spec_of("hash", "x"), SOURCE_TABLE);
    table *t = opened(spec_of("hash", "x"), NULL);
    finds(t, "k", "v");
    table_close(t);
    unsetenv("DB_HOME");
    assert_int_equal(chdir(before), 0);
    free(before);
}

/* HOSTILE 38: damage defers, wherever it is; the process lives. A look-up may still be right. */
static void damage_defers(void **state)
{
    buf b = buf_new(1 << 20);
    (void)state;
    for (unsigned i = 0; i < 300; i++)
        buf_printf(&b, "key%u value number %u\n", i, i);
    file_put("x", buf_str(&b));
    built(spec_of("hash", "x"), SOURCE_TABLE);
    str whole = file_get("x.db");
    unsigned seed = 1, failures = 0;
    for (unsigned round = 0; round < 300; round++) {
        char *bad = (char *)(uintptr_t)arena_copy(&mem, whole).p;
        table *t;
        table_answer a;
        seed = seed * 1103515245 + 12345;
        for (size_t i = 0; i < 1 + round % 8; i++)
            bad[(seed >> 8) * (i + 1) % whole.n] ^= (char)(1 + (seed & 0x7f));
        file_put("x.db", (str){ bad, round % 10 ? whole.n : (seed >> 8) % whole.n });
        if (is_fault(table_open(spec_of("hash", "x"), NULL, &t))) {
            failures++;
        } else {
            for (unsigned i = 0; i < 300; i++)
                table_find(t, arena_printf(&mem, "key%u", i), &mem, &a);
        }
        table_close(t);
    }
    assert_true(failures > 30);
    buf_free(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_built_is_found),
        TEST(files_of_db_load_are_read),
        TEST(db_dump_reads_ours),
        TEST(the_wrong_type_is_said),
        TEST(db_config_of_the_working_directory_is_not_read),
        TEST(damage_defers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void the_fault_says_what_to_use(void **state)
{
    table *t;
    (void)state;
    file_put("x.db", STR("x"));
    fault f = table_open(spec_of("hash", "x"), NULL, &t);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_non_null(strstr(f.text, "use lmdb:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_fault_says_what_to_use, folder_make, folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
