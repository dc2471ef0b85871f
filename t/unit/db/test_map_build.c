#include "folder.h"

#ifdef POSTRIDER_BDB
#define INDEXED "hash", "btree", "lmdb"
#else
#define INDEXED "lmdb"
#endif
static const char *const types[] = { INDEXED };

static size_t files(void)
{
    char command[100];
    unsigned n = 0;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *p = popen(command, "r");
    assert_int_equal(fscanf(p, "%u", &n), 1);
    pclose(p);
    return n;
}

static str dumped(str spec)
{
    buf b = buf_new(1 << 20);
    fault f = map_dump(spec, NULL, &b);
    if (is_fault(f))
        fail_msg("%s", f.text);
    str copy = arena_copy(&mem, buf_str(&b));
    buf_free(&b);
    return copy;
}

static void a_dump_is_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        file_put("x", STR("b two\nA one\nc three words\n"));
        assert_int_equal(built(spec_of(types[i], "x"), SOURCE_TABLE), 3);
        assert_true(str_equal(dumped(spec_of(types[i], "x")), STR("a\tone\nb\ttwo\nc\tthree words\n")));
    }
    assert_true(str_equal(dumped(spec_of("texthash", "x")), STR("a\tone\nb\ttwo\nc\tthree words\n")));
}

static void mistakes_leave_the_index(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        problems ps = { .arena = &mem };
        size_t n;
        file_put("x", STR("a b\n"));
        built(spec_of(types[i], "x"), SOURCE_TABLE);
        size_t before = files();
        file_put("x", STR("a c\nbroken\n"));
        assert_int_equal(map_build(spec_of(types[i], "x"), SOURCE_TABLE, NULL, &ps, &n).kind, FAULT_REFUSED);
        assert_int_equal(ps.rows.p[0].line, 2);
        assert_true(str_equal(dumped(spec_of(types[i], "x")), STR("a\tb\n")));
        assert_int_equal(files(), before);
        problems_free(&ps);
    }
}

static void aliases_build(void **state)
{
    (void)state;
    file_put("aliases", STR("# all\nRoot: admin\npostmaster: root,\n  other\n"));
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        built(spec_of(types[i], "aliases"), SOURCE_ALIASES);
        table *t = opened(spec_of(types[i], "aliases"), NULL);
        finds(t, "root", "admin");
        finds(t, "postmaster", "root,  other");
        table_close(t);
    }
}

static void mode_and_staleness_follow_the_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        bool is_stale = false;
        struct stat st;
        table *t;
        fault f;
        file_put("x", STR("a b\n"));
        chmod(path_of("x"), 0640);
        assert_false(is_fault(map_is_stale(spec_of(types[i], "x"), NULL, &is_stale)));
        assert_true(is_stale);
        built(spec_of(types[i], "x"), SOURCE_TABLE);
        map_is_stale(spec_of(types[i], "x"), NULL, &is_stale);
        assert_false(is_stale);
        f = table_open(spec_of(types[i], "x"), NULL, &t);
        assert_false(is_fault(f));
        assert_int_equal(stat(table_path(t), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        table_close(t);
        touch_at("x", time(NULL) + 100);
        map_is_stale(spec_of(types[i], "x"), NULL, &is_stale);
        assert_true(is_stale);
        touch_at("x", 1000);
    }
}

/* A reader keeps what it has until it looks again, then has the new one. */
static void readers_follow_a_rebuild(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        file_put("x", STR("a b\n"));
        built(spec_of(types[i], "x"), SOURCE_TABLE);
        table *t = opened(spec_of(types[i], "x"), NULL);
        finds(t, "a", "b");
        file_put("x", STR("a c\nd e\n"));
        built(spec_of(types[i], "x"), SOURCE_TABLE);
        finds(t, "a", "b");
        assert_true(table_changed(t));
        assert_false(is_fault(table_reopen(t)));
        finds(t, "a", "c");
        finds(t, "d", "e");
        table_close(t);
    }
}

static void tables_convert(void **state)
{
    size_t n;
    (void)state;
    file_put("x", STR("a b\nc d\n"));
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        assert_false(is_fault(map_convert(spec_of("texthash", "x"), spec_of(types[i], "y"), NULL, &n)));
        assert_int_equal(n, 2);
        assert_false(is_fault(map_convert(spec_of(types[i], "y"), spec_of("lmdb", "z"), NULL, &n)));
        assert_true(str_equal(dumped(spec_of("lmdb", "z")), STR("a\tb\nc\td\n")));
    }
    assert_int_equal(map_convert(spec_of("texthash", "x"), STR("static:x"), NULL, &n).kind, FAULT_REFUSED);
    assert_int_equal(map_convert(spec_of("cidr", "x"), spec_of("lmdb", "z"), NULL, &n).kind, FAULT_TRY_LATER);
}

static void one_entry_is_asked_for(void **state)
{
    table_result r;
    table_answer a;
    (void)state;
    file_put("x", STR("a b\n"));
    assert_false(is_fault(map_query(spec_of("texthash", "x"), STR("A"), NULL, &mem, &r, &a)));
    assert_int_equal(r, TABLE_FOUND);
    assert_true(str_equal(a.value, STR("b")));
    assert_false(is_fault(map_query(spec_of("texthash", "x"), STR("b"), NULL, &mem, &r, &a)));
    assert_int_equal(r, TABLE_ABSENT);
    assert_true(is_fault(map_query(spec_of("texthash", "none"), STR("b"), NULL, &mem, &r, &a)));
}

static void what_has_no_index_is_refused(void **state)
{
    problems ps = { .arena = &mem };
    size_t n;
    (void)state;
    assert_int_equal(map_build(spec_of("cidr", "x"), SOURCE_TABLE, NULL, &ps, &n).kind, FAULT_REFUSED);
    assert_int_equal(map_build(STR("lmdb:x"), SOURCE_TABLE, NULL, &ps, &n).kind, FAULT_REFUSED);
    assert_int_equal(map_build(spec_of("lmdb", "none"), SOURCE_TABLE, NULL, &ps, &n).kind, FAULT_TRY_LATER);
    assert_int_equal(files(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_dump_is_sorted),
        TEST(mistakes_leave_the_index),
        TEST(aliases_build),
        TEST(mode_and_staleness_follow_the_source),
        TEST(readers_follow_a_rebuild),
        TEST(tables_convert),
        TEST(one_entry_is_asked_for),
        TEST(what_has_no_index_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
