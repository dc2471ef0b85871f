/* SOURCES: pam/check.c  NEEDS: base outside_pam */
#include "pam/check.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64];

static void service(const char *name, const char *text)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_pam.XXXXXX");
    assert_non_null(mkdtemp(folder));
    service("yes", "auth required pam_permit.so\naccount required pam_permit.so\n");
    service("no", "auth required pam_deny.so\naccount required pam_permit.so\n");
    service("expired", "auth required pam_permit.so\naccount required pam_deny.so\n");
    service("missing", "auth required pam_of_no_such_name.so\naccount required pam_permit.so\n");
    service("unix", "auth required pam_unix.so\naccount required pam_unix.so\n");
    service("other", "auth required pam_deny.so\naccount required pam_deny.so\n");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = { "yes", "no", "expired", "missing", "unix", "other" };
    char path[100];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static fault_kind check(const char *name, str user, str password)
{
    return pam_check(folder, name, user, (secret){ password }).kind;
}

static void pam_decides(void **state)
{
    (void)state;
    assert_int_equal(check("yes", STR("anna"), STR("secret")), FAULT_NONE);
    assert_int_equal(check("no", STR("anna"), STR("secret")), FAULT_REFUSED);
    assert_int_equal(check("expired", STR("anna"), STR("secret")), FAULT_REFUSED);
    assert_int_equal(check("unknown-service", STR("anna"), STR("secret")), FAULT_REFUSED); /* "other" */
    assert_int_not_equal(check("missing", STR("anna"), STR("secret")), FAULT_NONE);
}

static void what_nobody_can_have_never_gets_there(void **state)
{
    static char huge[10240];
    (void)state;
    memset(huge, 'a', sizeof huge);
    assert_int_equal(check("yes", STR(""), STR("secret")), FAULT_REFUSED);
    assert_int_equal(check("yes", STR("anna"), STR("")), FAULT_REFUSED);
    assert_int_equal(check("yes", STR("anna\0"), STR("secret")), FAULT_REFUSED);
    assert_int_equal(check("yes", STR("anna"), STR("secret\0")), FAULT_REFUSED);
    assert_int_equal(check("yes", (str){ huge, sizeof huge }, STR("secret")), FAULT_REFUSED);
    assert_int_equal(check("yes", STR("anna"), (str){ huge, sizeof huge }), FAULT_REFUSED);
}

static void unknown_and_locked_accounts_are_refused(void **state)
{
    (void)state;
    assert_int_not_equal(check("unix", STR("no-such-account"), STR("secret")), FAULT_NONE);
    assert_int_not_equal(check("unix", STR("daemon"), STR("secret")), FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pam_decides),
        cmocka_unit_test(what_nobody_can_have_never_gets_there),
        cmocka_unit_test(unknown_and_locked_accounts_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
