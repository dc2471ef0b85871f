/* SOURCES: local/locks.c  NEEDS: daemon */
#include "local/local.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[40], path[60];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/locks.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/jo.lock", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static bool is_there(void)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void one_at_a_time(void **state)
{
    mailbox a = { .lock = str_c(path) }, b = a;
    (void)state;
    assert_false(is_fault(dotlock_take(&a, 100)));
    assert_true(is_there() && a.has_lock);
    assert_int_equal(dotlock_take(&b, 100).kind, FAULT_TRY_LATER);
    dotlock_give(&b); /* has none: another's stays */
    assert_true(is_there());
    dotlock_give(&a);
    assert_false(is_there());
    assert_false(is_fault(dotlock_take(&b, 100)));
    dotlock_give(&b);
}

static void only_an_old_plain_file_is_removed(void **state)
{
    mailbox a = { .lock = str_c(path) };
    struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    (void)state;
    assert_int_equal(symlink("/etc/passwd", path), 0);
    utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
    assert_int_equal(dotlock_take(&a, 100).kind, FAULT_TRY_LATER);
    unlink(path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(dotlock_take(&a, 100).kind, FAULT_TRY_LATER);
    utimensat(AT_FDCWD, path, old, 0);
    assert_false(is_fault(dotlock_take(&a, 100)));
    dotlock_give(&a);
}

static void a_folder_that_is_not_there_is_told_from_a_lock(void **state)
{
    mailbox a = { .lock = STR("/nowhere/at/all.lock") };
    (void)state;
    assert_int_equal(dotlock_take(&a, 100).kind, FAULT_BROKEN);
    assert_false(a.has_lock);
}

static void the_spool_is_one_folder_of_names(void **state)
{
    config c = { .mail_spool_directory = STR("/var/mail") };
    (void)state;
    assert_true(spool_has(&c, STR("/var/mail/jo")));
    assert_false(spool_has(&c, STR("/var/mail/jo/inbox")));
    assert_false(spool_has(&c, STR("/var/mail/")));
    assert_false(spool_has(&c, STR("/var/mailbox/jo")));
    assert_false(spool_has(&c, STR("/home/jo/inbox")));
    assert_false(spool_has(&c, STR_NONE));
}

/* Who is not needed is not asked for: a group only where it may write, and only when the spool is in use. */
static void the_spools_group_is_for_spools_alone(void **state)
{
    config c = { .mail_spool_directory = str_c(folder), .system_users = true };
    (void)state;
    chmod(folder, 02775);
    assert_int_equal(spool_group(&c), getegid());
    c.home_mailbox = STR("Maildir/");
    assert_int_equal(spool_group(&c), 0);
    c.home_mailbox = STR_NONE;
    c.system_users = false;
    assert_int_equal(spool_group(&c), 0);
    c.system_users = true;
    chmod(folder, 0755);
    assert_int_equal(spool_group(&c), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_at_a_time),
        TEST(only_an_old_plain_file_is_removed),
        TEST(a_folder_that_is_not_there_is_told_from_a_lock),
        TEST(the_spool_is_one_folder_of_names),
        TEST(the_spools_group_is_for_spools_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
