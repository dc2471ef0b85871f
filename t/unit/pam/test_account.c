/* SOURCES: pam/account.c  NEEDS: conf */
#include "pam/account.h"
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const config settings = { .minimum_uid = 500, .maximum_uid = 60000, .mydestination = STR_ROW("example.test"),
                                 .home_mailbox = STR_ROW("Maildir/") };

static void names_follow_the_rule(void **state)
{
    static const struct { str given, want; } rows[] = {
        { STR_ROW("anna"), STR_ROW("anna") },
        { STR_ROW("anna@example.test"), STR_ROW("anna") },
        { STR_ROW("anna@EXAMPLE.test"), STR_ROW("anna") },
        { STR_ROW("anna@elsewhere.test"), STR_ROW("") },
        { STR_ROW("a@b@example.test"), STR_ROW("") },
        { STR_ROW("@example.test"), STR_ROW("") },
        { STR_ROW("anna@"), STR_ROW("") },
        { STR_ROW("-anna"), STR_ROW("") },
        { STR_ROW("../anna"), STR_ROW("") },
        { STR_ROW("anna\n"), STR_ROW("") },
        { STR_ROW("anna\0"), STR_ROW("") },
        { STR_ROW("ann\xc3"), STR_ROW("") },
        { STR_ROW("an na"), STR_ROW("") },
        { STR_ROW("a:b"), STR_ROW("") },
        { STR_ROW(""), STR_ROW("") },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        str name = STR_NONE;
        bool is_name = account_name(&settings, rows[i].given, &name);
        assert_int_equal(is_name, rows[i].want.n > 0);
        assert_true(!is_name || str_equal(name, rows[i].want));
    }
}

static void the_range_decides(void **state)
{
    arena a = arena_new(0);
    system_account u;
    config wide = settings;
    (void)state;
    assert_int_equal(account_find(&settings, STR("root"), &a, &u).kind, FAULT_REFUSED);
    assert_true(u.needs_alias && str_equal(u.name, STR("root")));
    u = (system_account){ 0 };
    assert_int_equal(account_find(&settings, STR("no-such-account"), &a, &u).kind, FAULT_REFUSED);
    assert_false(u.needs_alias);
    const struct passwd *mail = getpwnam("mail");
    if (mail) {
        assert_int_equal(account_find(&settings, STR("mail"), &a, &u).kind, FAULT_REFUSED);
        wide.minimum_uid = 1;
        assert_int_equal(account_find(&wide, STR("mail@example.test"), &a, &u).kind, FAULT_NONE);
        assert_int_equal(u.uid, mail->pw_uid);
        assert_true(str_equal(u.name, STR("mail")));
        assert_true(str_ends(u.mail, STR("/Maildir")));
    }
    arena_free(&a);
}

static void home_mailbox_says_where_the_mail_is(void **state)
{
    static const struct { str home_mailbox, mail, mbox; } rows[] = {
        { STR_ROW("Maildir/"), STR_ROW("/Maildir"), STR_ROW("") },
        { STR_ROW("mail/in//"), STR_ROW("/mail/in"), STR_ROW("") },
        { STR_ROW("inbox"), STR_ROW("/Maildir"), STR_ROW("HOME/inbox") },
        { STR_ROW(""), STR_ROW("/Maildir"), STR_ROW("/spool/mail/NAME") },
    };
    arena a = arena_new(0);
    config wide = settings;
    const struct passwd *own = getpwnam("mail") ? getpwnam("mail") : getpwuid(1);
    (void)state;
    assert_non_null(own);
    wide.minimum_uid = 1;
    wide.mail_spool_directory = STR("/spool/mail");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        system_account u;
        wide.home_mailbox = rows[i].home_mailbox;
        assert_int_equal(account_find(&wide, str_c(own->pw_name), &a, &u).kind, FAULT_NONE);
        str home = str_starts(rows[i].mbox, STR("HOME")) ? u.home : STR_NONE;
        str want = rows[i].mbox.n == 0 ? STR_NONE
                   : home.n            ? arena_printf(&a, "%.*s%.*s", STR_ARG(home), STR_ARG(str_from(rows[i].mbox, 4)))
                                       : arena_printf(&a, "/spool/mail/%.*s", STR_ARG(u.name));
        assert_true(str_equal(u.mbox, want));
        assert_true(str_ends(u.mail, rows[i].mail) && str_starts(u.mail, u.home));
        assert_false(u.needs_alias);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_follow_the_rule), cmocka_unit_test(the_range_decides),
                                        cmocka_unit_test(home_mailbox_says_where_the_mail_is) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
