/* SOURCES: ctl/map.c ctl/options.c  NEEDS: ctl_common policy_engine tls outside_jansson */
/* Tables are made, asked and dumped. */
#include "t/unit/ctl/invoke.h"

/* As in ctl/main.c, without its words. */
int command_run(const command *rows, size_t count, const char *of, invocation *in)
{
    (void)of;
    for (size_t i = 0; in->argc > 0 && i < count; i++)
        if (strcmp(rows[i].name, in->argv[0]) == 0) {
            in->name = rows[i].name;
            in->usage = rows[i].usage;
            return rows[i].run(in);
        }
    return EX_USAGE;
}

static int map(const char *verb_and_type, const char *file, const char *key)
{
    char words[300];
    snprintf(words, sizeof words, "map %s:%s/%s%s%s", verb_and_type, folder, file, *key ? " " : "", key);
    return run(command_map, words);
}

static int setup(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static void maps_are_made_and_read(void **state)
{
    (void)state;
    put("move", "b@a.test two\na@a.test one\n");
    assert_int_equal(map("query texthash", "move", "a@a.test"), EXIT_DONE);
    assert_string_equal(said, "one\n");
    assert_int_equal(map("build lmdb", "move", ""), EXIT_DONE);
    assert_string_equal(said, "");
    assert_int_equal(map("query lmdb", "move", "b@a.test"), EXIT_DONE);
    assert_string_equal(said, "two\n");
    assert_int_equal(map("-q a@a.test lmdb", "move", ""), EXIT_DONE);
    assert_string_equal(said, "one\n");
    assert_int_equal(map("query lmdb", "move", "c@a.test"), EXIT_FAILED);
    assert_string_equal(said, "");
    assert_int_equal(map("dump lmdb", "move", ""), EXIT_DONE);
    const char *first = strstr(said, "a@a.test"), *second = strstr(said, "b@a.test");
    assert_non_null(first);
    assert_true(second > first);
    assert_int_not_equal(map("build lmdb", "missing", ""), EXIT_DONE);
    says("missing");
    assert_int_equal(run(command_map, "map query"), EX_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(maps_are_made_and_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
