/* SOURCES: ctl/common/aliases.c  NEEDS: conf db */
#include "ctl/common/aliases.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], source[100], indexed[110], said[2000];
static config conf;

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_aliases.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(source, sizeof source, "%s/aliases", folder);
    snprintf(indexed, sizeof indexed, "lmdb:%s", source);
    conf.alias_database = str_c(indexed);
    conf.default_database_type = STR("lmdb");
    return 0;
}

static int teardown(void **state)
{
    char remove_all[100];
    (void)state;
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

static void put(const char *text)
{
    file_owner owner = { .mode = 0600 };
    assert_false(is_fault(file_replace(AT_FDCWD, source, str_c(text), owner)));
}

/* aliases_make, with its words on the error output kept. */
static int make(void)
{
    char file[100];
    int before = dup(STDERR_FILENO);
    snprintf(file, sizeof file, "%s/said", folder);
    int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    int status = aliases_make(&conf);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    ssize_t n = pread(fd, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    close(fd);
    return status;
}

static table_result find(const char *key, char *out, size_t size)
{
    table_context context = { .is_alias = true };
    table *t;
    table_answer answer = { 0 };
    arena a = arena_new(0);
    assert_false(is_fault(table_open(str_c(indexed), &context, &t)));
    table_result r = table_find(t, str_c(key), &a, &answer);
    snprintf(out, size, "%.*s", STR_ARG(answer.value));
    table_close(t);
    arena_free(&a);
    return r;
}

static void the_index_answers(void **state)
{
    char value[100];
    (void)state;
    put("# who reads what\nPostmaster: root\nroot: ann@example.test\n");
    assert_int_equal(make(), EX_OK);
    assert_string_equal(said, "");
    assert_int_equal(find("postmaster", value, sizeof value), TABLE_FOUND);
    assert_string_equal(value, "root");
    assert_int_equal(find("nobody", value, sizeof value), TABLE_ABSENT);
}

static void mistakes_keep_the_old_index(void **state)
{
    char value[100];
    (void)state;
    put("root: ann@example.test\n");
    assert_int_equal(make(), EX_OK);
    put("root: bob@example.test\nthis is no alias\n");
    assert_int_equal(make(), EX_DATAERR);
    assert_non_null(strstr(said, source));
    assert_non_null(strstr(said, "newaliases: lmdb:"));
    assert_int_equal(find("root", value, sizeof value), TABLE_FOUND);
    assert_string_equal(value, "ann@example.test");
}

static void a_missing_source_may_come_later(void **state)
{
    (void)state;
    assert_int_equal(make(), EX_TEMPFAIL);
    assert_non_null(strstr(said, "newaliases: "));
}

static void types_without_index_are_refused(void **state)
{
    (void)state;
    conf.alias_database = STR("cidr:/nowhere/aliases");
    assert_int_equal(make(), EX_DATAERR);
    conf.alias_database = STR_NONE;
    assert_int_equal(make(), EX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_index_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_keep_the_old_index, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_source_may_come_later, setup, teardown),
        cmocka_unit_test_setup_teardown(types_without_index_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
