#include "temp_store.h"

static void copies_share_the_content(void **state)
{
    temp t = temp_open();
    copy_result r;
    int64_t date, copied_date;
    (void)state;
    OK(store_create(t.s, STR("to")));
    temp_append(&t, "to", "there\r\n", 0);
    for (unsigned i = 0; i < 3; i++)
        temp_append(&t, "INBOX", i ? "b\r\n" : "a\r\n", i ? 0 : MESSAGE_SEEN);
    mailbox *m = temp_select(&t, "INBOX");
    uid_set some = { 0 };
    uid_set_add(&some, 1, 1);
    uid_set_add(&some, 3, 3);
    OK(mailbox_copy(m, &some, STR("to"), &r));
    mailbox *to = temp_select(&t, "to");
    assert_int_equal(r.uidvalidity, mailbox_uidvalidity(to));
    assert_int_equal(uid_set_count(&r.from), 2);
    assert_int_equal(uid_set_nth(&r.to, 1), 2);
    assert_int_equal(uid_set_nth(&r.to, 2), 3);
    assert_int_equal(mailbox_count(to), 3);
    temp_content(to, 2, "a\r\n");
    temp_content(to, 3, "b\r\n");
    assert_int_equal(temp_info(to, 2).flags, MESSAGE_SEEN);
    assert_int_equal(temp_info(to, 2).wire_bytes, 3);
    OK(mailbox_date(m, 1, &date));
    OK(mailbox_date(to, 2, &copied_date));
    assert_int_equal(date, copied_date);
    temp_sync(to); /* the folder has what the index has */
    assert_int_equal(mailbox_count(to), 3);
    copy_result_free(&r);
    uid_set_free(&some);
    mailbox_close(m);
    mailbox_close(to);
    temp_close(&t);
}

static void all_or_none(void **state)
{
    temp t = temp_open();
    copy_result r;
    (void)state;
    OK(store_create(t.s, STR("to")));
    temp_append(&t, "INBOX", "a\r\n", 0);
    temp_append(&t, "INBOX", "b\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX"), *other = temp_select(&t, "INBOX");
    uid_set second = { 0 };
    uid_set_add(&second, 2, 2);
    OK(mailbox_expunge(other, &second, false, NULL));
    assert_true(is_fault(mailbox_copy(m, mailbox_uids(m), STR("to"), &r)));
    copy_result_free(&r);
    assert_int_equal(temp_count(&t, ".to/cur", NULL), 0);
    assert_int_equal(temp_count(&t, ".to/tmp", NULL), 0);
    REFUSED(mailbox_copy(m, mailbox_uids(m), STR("none"), &r));
    copy_result_free(&r);
    temp_poll(m);
    temp_write(&t, "cur/2.z.h:2,", "z");
    temp_sync(m);
    assert_int_equal(unlinkat(t.dirfd, "cur/2.z.h:2,", 0), 0); /* found out when the first was linked already */
    assert_true(is_fault(mailbox_copy(m, mailbox_uids(m), STR("to"), &r)));
    copy_result_free(&r);
    assert_int_equal(temp_count(&t, ".to/cur", NULL), 0);
    assert_int_equal(temp_count(&t, ".to/tmp", NULL), 0);
    uid_set_free(&second);
    mailbox_close(m);
    mailbox_close(other);
    temp_close(&t);
}

static void into_the_same_mailbox(void **state)
{
    temp t = temp_open();
    copy_result r;
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    OK(mailbox_copy(m, mailbox_uids(m), STR("inbox"), &r));
    copy_result_free(&r);
    temp_poll(m);
    assert_int_equal(mailbox_count(m), 2);
    temp_content(m, 2, "a\r\n");
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_share_the_content),
        cmocka_unit_test(all_or_none),
        cmocka_unit_test(into_the_same_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
