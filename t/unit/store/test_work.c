#include "temp_store.h"

static void renames_follow_in_slices(void **state)
{
    temp t = temp_open();
    bool more;
    char name[512];
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        temp_deliver(&t, "a\r\n");
    mailbox *m = temp_select(&t, "INBOX");
    temp_flag(m, 1, 10, FLAGS_ADD, MESSAGE_SEEN);
    OK(store_idle_work(t.s, 4, &more));
    assert_true(more);
    assert_int_equal(temp_count(&t, "cur", NULL), 4);
    temp_work(t.s);
    assert_int_equal(temp_count(&t, "cur", name), 10);
    assert_non_null(strstr(name, ":2,S"));
    OK(store_idle_work(t.s, 4, &more));
    assert_false(more);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 10);
    mailbox_close(m);
    temp_close(&t);
}

static void a_file_that_somebody_renamed_is_found(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "cur/1.a.h:2,", "a");
    temp_write(&t, "cur/2.b.h:2,", "b");
    mailbox *m = temp_select(&t, "INBOX");
    temp_flag(m, 1, 2, FLAGS_ADD, MESSAGE_SEEN);
    temp_rename(&t, "cur/1.a.h:2,", "cur/1.a.h:2,F");
    assert_int_equal(unlinkat(t.dirfd, "cur/2.b.h:2,", 0), 0);
    temp_work(t.s);
    assert_int_equal(faccessat(t.dirfd, "cur/1.a.h:2,FS", F_OK, 0), 0);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1);
    mailbox_close(m);
    temp_close(&t);
}

static void a_deleted_mailbox_does_not_hold_it_up(void **state)
{
    temp t = temp_open();
    bool more;
    (void)state;
    OK(store_create(t.s, STR("a")));
    temp_append(&t, "a", "x\r\n", 0);
    mailbox *m = temp_select(&t, "a");
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN);
    mailbox_close(m);
    temp_rename(&t, ".a", "gone"); /* another program took it away */
    temp_deliver(&t, "x\r\n");
    m = temp_select(&t, "INBOX");
    temp_work(t.s);
    assert_int_equal(temp_count(&t, "new", NULL), 0);
    OK(store_idle_work(t.s, 4, &more));
    assert_false(more);
    mailbox_close(m);
    temp_close(&t);
}

static void old_files_in_tmp_go(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "tmp/young", "x");
    temp_work(t.s);
    assert_int_equal(temp_count(&t, "tmp", NULL), 1); /* its change time is of now, whatever its name says */
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renames_follow_in_slices),
        cmocka_unit_test(a_file_that_somebody_renamed_is_found),
        cmocka_unit_test(a_deleted_mailbox_does_not_hold_it_up),
        cmocka_unit_test(old_files_in_tmp_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
