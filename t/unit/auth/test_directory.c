/* SOURCES: auth/directory.c auth/hash.c  NEEDS: db */
#include "auth/directory.h"
#include "base/memory.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
    char folder[64], path[80];
    config config;
    directory directory;
    uint64_t now_ms;
} fixture;

static void put_file(fixture *f, const char *text)
{
    file_owner owner = { .mode = 0600 };
    assert_false(is_fault(file_replace(AT_FDCWD, f->path, str_c(text), owner)));
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .folder = "/tmp/test_directory.XXXXXX",
                   .config = { .minimum_uid = 500, .maximum_uid = 60000, .mydestination = STR("example.test, local") },
                   .now_ms = 1000000 };
    assert_non_null(mkdtemp(f.folder));
    snprintf(f.path, sizeof f.path, "%s/users", f.folder);
    f.directory = directory_new(f.path, &f.config);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    directory_free(&f->directory);
    unlink(f->path);
    rmdir(f->folder);
    return 0;
}

static bool look(fixture *f)
{
    f->now_ms += 1000;
    return directory_refresh(&f->directory, f->now_ms, false);
}

static bool knows(fixture *f, const char *name)
{
    return directory_find(&f->directory, str_c(name)) != NULL;
}

static void names_are_found_by_rule(void **state)
{
    fixture *f = *state;
    put_file(f, "anna:{PLAIN}x:1000:1000:/home/anna:\n"
                "bert@virtual.test:{PLAIN}x:1000:1000:/mail/bert:\n"
                "carl@example.test:{PLAIN}x:1001:1000:/mail/carl1:\n"
                "carl:{PLAIN}x:1002:1000:/mail/carl2:\n");
    assert_true(look(f));
    assert_true(knows(f, "anna"));
    assert_true(knows(f, "Anna@EXAMPLE.test"));
    assert_true(knows(f, "bert@virtual.test"));
    assert_false(knows(f, "anna@elsewhere.test"));
    assert_false(knows(f, "anna@"));
    assert_false(knows(f, "@example.test"));
    assert_false(knows(f, "bert"));
    assert_int_equal(directory_find(&f->directory, STR("carl@example.test"))->uid, 1001); /* exact first */
    assert_int_equal(directory_find(&f->directory, STR("carl@local"))->uid, 1002);
}

static void hostile_names_are_unknown(void **state)
{
    fixture *f = *state;
    static char huge[10240];
    put_file(f, "anna:{PLAIN}x:1000:1000:/home/anna:\n");
    look(f);
    memset(huge, 'a', sizeof huge);
    assert_null(directory_find(&f->directory, (str){ huge, sizeof huge }));
    assert_null(directory_find(&f->directory, STR("anna\0")));
    assert_null(directory_find(&f->directory, STR("anna\n")));
    assert_null(directory_find(&f->directory, STR("anna\t")));
    assert_null(directory_find(&f->directory, STR("anna\"")));
    assert_null(directory_find(&f->directory, STR("anna*")));
    assert_null(directory_find(&f->directory, STR("anna' OR 1=1")));
    assert_null(directory_find(&f->directory, STR("../anna")));
    assert_null(directory_find(&f->directory, STR("anna:{PLAIN}x")));
    assert_null(directory_find(&f->directory, STR("ann\xc3")));
    assert_null(directory_find(&f->directory, STR_NONE));
}

static void ids_out_of_range_are_refused(void **state)
{
    fixture *f = *state;
    put_file(f, "root:{PLAIN}x:0:0:/root:\n"
                "low:{PLAIN}x:499:499:/l:\n"
                "min:{PLAIN}x:500:500:/m:\n"
                "max:{PLAIN}x:60000:500:/m:\n"
                "high:{PLAIN}x:60001:500:/h:\n"
                "wheel:{PLAIN}x:1000:0:/h:\n"
                "nowhere:{PLAIN}x:1000:1000::Maildir\n"
                "mailonly:{PLAIN}x:1000:1000::/mail/x\n");
    assert_true(look(f));
    assert_false(knows(f, "root"));
    assert_false(knows(f, "low"));
    assert_true(knows(f, "min"));
    assert_true(knows(f, "max"));
    assert_false(knows(f, "high"));
    assert_false(knows(f, "wheel"));
    assert_false(knows(f, "nowhere"));
    assert_true(knows(f, "mailonly"));
}

static void mail_is(fixture *f, const char *name, const char *want)
{
    arena a = arena_new(0);
    str mail = directory_mail(directory_find(&f->directory, str_c(name)), &a);
    assert_string_equal(mail.p, want);
    arena_free(&a);
}

static void mail_lies_below_home_unless_absolute(void **state)
{
    fixture *f = *state;
    put_file(f, "a:{PLAIN}x:1000:1000:/home/a:\n"
                "b:{PLAIN}x:1000:1000:/home/b/:Mail\n"
                "c:{PLAIN}x:1000:1000:/home/c:/var/c\n");
    look(f);
    mail_is(f, "a", "/home/a/Maildir");
    mail_is(f, "b", "/home/b/Mail");
    mail_is(f, "c", "/var/c");
}

static void changes_are_seen_and_damage_keeps_the_old(void **state)
{
    fixture *f = *state;
    assert_true(look(f)); /* no file: no users, and that is known */
    assert_true(f->directory.is_loaded);
    assert_false(look(f));
    put_file(f, "a:{PLAIN}x:1000:1000:/home/a:\n");
    assert_true(look(f));
    assert_true(knows(f, "a"));
    assert_false(look(f)); /* nothing changed */
    put_file(f, "a:{PLAIN}x:1000:1000:/home/a:\nb:{PLAIN}x:banana:1000:/home/b:\n");
    assert_false(look(f));
    put_file(f, "b:{PLAIN}x:1000:banana:/home/b:\n");
    assert_false(look(f));
    assert_true(knows(f, "a"));
    assert_false(knows(f, "b"));
    put_file(f, "b:{PLAIN}x:1000:1000:/home/b:\n");
    assert_true(look(f));
    assert_false(knows(f, "a"));
    assert_true(knows(f, "b"));
    assert_int_equal(unlink(f->path), 0);
    assert_false(look(f));
    assert_true(knows(f, "b"));
}

static void the_first_set_may_have_broken_lines(void **state)
{
    fixture *f = *state;
    put_file(f, "a:{PLAIN}x:1000:1000:/home/a:\nbroken\n");
    assert_true(look(f));
    assert_true(knows(f, "a"));
}

static void it_looks_once_a_second_at_most(void **state)
{
    fixture *f = *state;
    look(f);
    put_file(f, "a:{PLAIN}x:1000:1000:/home/a:\n");
    assert_false(directory_refresh(&f->directory, f->now_ms + 999, false));
    assert_true(directory_refresh(&f->directory, f->now_ms + 999, true));
    assert_true(knows(f, "a"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(names_are_found_by_rule),
        TEST(hostile_names_are_unknown),
        TEST(ids_out_of_range_are_refused),
        TEST(mail_lies_below_home_unless_absolute),
        TEST(changes_are_seen_and_damage_keeps_the_old),
        TEST(the_first_set_may_have_broken_lines),
        TEST(it_looks_once_a_second_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
