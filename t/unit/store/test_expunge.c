#include "temp_store.h"

static mailbox *five(temp *t)
{
    for (unsigned i = 0; i < 5; i++)
        temp_append(t, "INBOX", "a\r\n", i % 2 ? MESSAGE_DELETED : 0);
    return temp_select(t, "INBOX");
}

static void only_deleted_ones_go(void **state)
{
    temp t = temp_open();
    uid_set gone = { 0 };
    (void)state;
    mailbox *m = five(&t);
    OK(mailbox_expunge(m, NULL, true, &gone));
    assert_int_equal(uid_set_count(&gone), 2);
    assert_true(uid_set_has(&gone, 2) && uid_set_has(&gone, 4));
    temp_poll(m);
    assert_int_equal(mailbox_count(m), 3);
    assert_int_equal(temp_count(&t, "cur", NULL), 3);
    uid_set_free(&gone);
    mailbox_close(m);
    temp_close(&t);
}

static void a_set_goes_at_once(void **state)
{
    temp t = temp_open();
    uid_set some = { 0 }, gone = { 0 };
    (void)state;
    mailbox *m = five(&t);
    uid_set_add(&some, 2, 3);
    OK(mailbox_expunge(m, &some, true, &gone)); /* UID EXPUNGE */
    assert_int_equal(uid_set_count(&gone), 1);
    OK(mailbox_expunge(m, &some, false, &gone)); /* POP3 QUIT */
    assert_int_equal(uid_set_count(&gone), 2);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 3);
    uid_set_free(&some);
    uid_set_free(&gone);
    mailbox_close(m);
    temp_close(&t);
}

static void a_file_that_is_gone_or_renamed_is_no_fault(void **state)
{
    temp t = temp_open();
    uid_set gone = { 0 };
    (void)state;
    temp_write(&t, "cur/1.a.h:2,T", "a");
    temp_write(&t, "cur/2.b.h:2,T", "b");
    temp_write(&t, "cur/3.c.h:2,T", "c");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(unlinkat(t.dirfd, "cur/1.a.h:2,T", 0), 0);
    temp_rename(&t, "cur/2.b.h:2,T", "cur/2.b.h:2,ST");
    OK(mailbox_expunge(m, NULL, true, &gone));
    assert_int_equal(uid_set_count(&gone), 2);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 0);
    assert_int_equal(temp_count(&t, "cur", NULL), 0);
    uid_set_free(&gone);
    mailbox_close(m);
    temp_close(&t);
}

static void the_last_uid_is_not_given_again(void **state)
{
    temp t = temp_open();
    (void)state;
    mailbox *m = five(&t);
    OK(mailbox_expunge(m, NULL, false, NULL));
    mailbox_close(m);
    temp_reopen(&t);
    assert_int_equal(temp_append(&t, "INBOX", "a\r\n", 0), 6);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_deleted_ones_go),
        cmocka_unit_test(a_set_goes_at_once),
        cmocka_unit_test(a_file_that_is_gone_or_renamed_is_no_fault),
        cmocka_unit_test(the_last_uid_is_not_given_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
