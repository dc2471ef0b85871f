/* SOURCES: ctl/home.c  NEEDS: db */
/* A user's home and Maildir, made as him. */
#include "ctl/home.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_home.XXXXXX");
    return mkdtemp(folder) == NULL || chmod(folder, 0755) != 0;
}

static int teardown(void **state)
{
    char remove_all[100];
    (void)state;
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

static void a_maildir_is_made_and_is_his(void **state)
{
    uid_t uid = geteuid() == 0 ? 1234 : geteuid();
    gid_t gid = geteuid() == 0 ? 1234 : getegid();
    char home[100], mail[120], path[140];
    struct stat st;
    (void)state;
    snprintf(home, sizeof home, "%s/anna", folder);
    snprintf(mail, sizeof mail, "%s/Maildir", home);
    for (int again = 0; again < 2; again++)
        assert_false(is_fault(home_make(home, mail, uid, gid)));
    static const char *const parts[] = { "", "/cur", "/new", "/tmp" };
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        snprintf(path, sizeof path, "%s%s", mail, parts[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_uid, uid);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
}

static void what_is_in_the_way_is_told(void **state)
{
    uid_t uid = geteuid() == 0 ? 1234 : geteuid();
    char home[100], mail[120];
    (void)state;
    snprintf(home, sizeof home, "%s/file", folder);
    snprintf(mail, sizeof mail, "%s/Maildir", home);
    close(open(home, O_CREAT | O_CLOEXEC, 0600));
    assert_true(is_fault(home_make(home, mail, uid, getegid())));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_maildir_is_made_and_is_his, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_in_the_way_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
