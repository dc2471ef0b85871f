#include "temp_store.h"

static void opens_and_makes_what_is_missing(void **state)
{
    temp t = temp_open();
    (void)state;
    assert_int_equal(temp_count(&t, "cur", NULL), 0);
    assert_int_equal(faccessat(t.dirfd, "postrider/index", R_OK, 0), 0);
    temp_reopen(&t);
    temp_close(&t);
}

static void a_message_is_delivered_and_read(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_deliver(&t, "Subject: a\r\n\r\nbody\r\n");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    assert_int_equal(mailbox_recent(m), 1);
    assert_int_equal(mailbox_uid(m, 1), 1);
    message_info i = temp_info(m, 1);
    assert_int_equal(i.wire_bytes, 20);
    assert_int_equal(i.stored_bytes, 17);
    temp_content(m, 1, "Subject: a\r\n\r\nbody\r\n");
    mailbox_close(m);
    temp_close(&t);
}

static void sleeps_and_wakes_by_itself(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_deliver(&t, "a\r\n");
    mailbox *m = temp_select(&t, "inbox");
    store_sleep(t.s);
    assert_int_equal(mailbox_count(m), 1);
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN);
    store_sleep(t.s);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN);
    OK(store_wake(t.s));
    mailbox_close(m);
    temp_close(&t);
}

static void a_folder_of_somebody_else_is_refused(void **state)
{
    store *s;
    (void)state;
    int dirfd = open("/proc/1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (geteuid() == 0 && dirfd >= 0) { /* root owns it: the file system refuses then */
        assert_true(is_fault(store_open(dirfd, NULL, &s)));
    } else if (dirfd >= 0) {
        assert_true(is_fault(store_open(dirfd, NULL, &s)));
    }
    close(dirfd);
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    assert_true(is_fault(store_open(file, NULL, &s)));
    close(file);
}

static void a_damaged_index_is_replaced(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_deliver(&t, "a\r\n");
    mailbox *m = temp_select(&t, "INBOX");
    uint32_t validity = mailbox_uidvalidity(m);
    mailbox_close(m);
    store_close(t.s);
    temp_write(&t, "postrider/index",
               "this is no environment, but long enough for LMDB to read it as the header of a page, "
               "which takes some 150 octets, and these are more than that, as one can count");
    temp_store_open(&t);
    m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    assert_true(mailbox_uidvalidity(m) >= validity);
    assert_int_equal(faccessat(t.dirfd, "postrider/index.damaged", R_OK, 0), 0);
    mailbox_close(m);
    temp_close(&t);
}

static void a_link_in_place_of_the_index_is_refused(void **state)
{
    temp t = temp_open();
    store *s;
    (void)state;
    store_close(t.s);
    temp_rename(&t, "postrider/index", "elsewhere");
    assert_int_equal(symlinkat("../elsewhere", t.dirfd, "postrider/index"), 0);
    assert_true(is_fault(store_open(t.dirfd, NULL, &s)));
    assert_int_equal(unlinkat(t.dirfd, "postrider/index", 0), 0);
    temp_store_open(&t);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_and_makes_what_is_missing), cmocka_unit_test(a_message_is_delivered_and_read),
        cmocka_unit_test(sleeps_and_wakes_by_itself),      cmocka_unit_test(a_folder_of_somebody_else_is_refused),
        cmocka_unit_test(a_damaged_index_is_replaced),     cmocka_unit_test(a_link_in_place_of_the_index_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
