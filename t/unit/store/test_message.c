#include "temp_store.h"

static void sizes_are_counted_when_the_name_has_none(void **state)
{
    temp t = temp_open();
    uint32_t size;
    (void)state;
    temp_write(&t, "cur/1.a.h:2,", "a\nb\r\nc\n");
    temp_write(&t, "cur/2.b.h,S=7,W=4711:2,", "trusted");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(temp_info(m, 1).wire_bytes, SIZE_UNKNOWN);
    OK(mailbox_size(m, 1, &size));
    assert_int_equal(size, 9);
    OK(mailbox_size(m, 1, &size));
    assert_int_equal(size, 9);
    OK(mailbox_size(m, 2, &size));
    assert_int_equal(size, 4711);
    temp_work(t.s);
    assert_int_equal(temp_info(m, 1).wire_bytes, 9); /* remembered */
    assert_int_equal(temp_info(m, 1).stored_bytes, 7);
    REFUSED(mailbox_size(m, 3, &size));
    mailbox_close(m);
    temp_close(&t);
}

static void pieces_make_the_whole(void **state)
{
    temp t = temp_open();
    message_file f;
    bool is_end = false;
    (void)state;
    buf text = buf_new(1 << 20), got = buf_new(1 << 20);
    while (text.n < 100000)
        buf_append(&text, STR("0123456789abcdef\r\n"));
    temp_append(&t, "INBOX", buf_c(&text), 0);
    mailbox *m = temp_select(&t, "INBOX");
    mailbox_read_ahead(m, mailbox_uids(m), 1, 10);
    OK(mailbox_open_message(m, 1, &f));
    for (unsigned i = 0; !is_end; i++) {
        assert_true(i < 10);
        OK(message_next(&f, &got, &is_end));
    }
    assert_true(str_equal(buf_str(&got), buf_str(&text)));
    message_close(&f);
    buf small = buf_new(100);
    REFUSED(mailbox_load(m, 1, &small));
    buf_free(&small);
    buf_free(&got);
    buf_free(&text);
    mailbox_close(m);
    temp_close(&t);
}

static void reading_goes_on_where_it_stopped(void **state)
{
    temp t = temp_open();
    message_info info[3];
    size_t n, all = 0;
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    for (uint32_t from = 1;; from = info[n - 1].uid + 1) {
        OK(mailbox_read(m, mailbox_uids(m), from, info, 3, &n));
        if (n == 0)
            break;
        for (size_t i = 0; i < n; i++)
            assert_int_equal(info[i].sequence, ++all);
    }
    assert_int_equal(all, 10);
    uid_set wide = { 0 };
    uid_set_add(&wide, 9, UINT32_MAX);
    OK(mailbox_read(m, &wide, 1, info, 3, &n)); /* what is not in the view is left out; "*" is the caller's */
    assert_true(n == 2);
    uid_set_free(&wide);
    mailbox_close(m);
    temp_close(&t);
}

/* HOSTILE 35: a FIFO or a link in place of a message is refused, and does not make us wait. */
static void what_is_no_file_is_not_opened(void **state)
{
    temp t = temp_open();
    message_file f;
    (void)state;
    temp_write(&t, "cur/1.a.h:2,", "a");
    temp_write(&t, "cur/2.b.h:2,", "b");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(unlinkat(t.dirfd, "cur/1.a.h:2,", 0), 0);
    assert_int_equal(mkfifoat(t.dirfd, "cur/1.a.h:2,", 0600), 0);
    assert_int_equal(unlinkat(t.dirfd, "cur/2.b.h:2,", 0), 0);
    assert_int_equal(symlinkat("/etc/passwd", t.dirfd, "cur/2.b.h:2,"), 0);
    assert_true(is_fault(mailbox_open_message(m, 1, &f)));
    assert_int_equal(f.fd, -1);
    assert_true(is_fault(mailbox_open_message(m, 2, &f)));
    assert_int_equal(f.fd, -1);
    mailbox_close(m);
    temp_close(&t);
}

static void the_date_is_the_files(void **state)
{
    temp t = temp_open();
    int64_t date;
    (void)state;
    temp_write(&t, "cur/1.a.h:2,", "a");
    temp_settle(&t, "cur/1.a.h:2,");
    mailbox *m = temp_select(&t, "INBOX");
    OK(mailbox_date(m, 1, &date));
    assert_int_equal(date, 1000);
    OK(mailbox_date(m, 1, &date)); /* from memory */
    assert_int_equal(date, 1000);
    temp_work(t.s);
    OK(mailbox_date(m, 1, &date)); /* from the index */
    assert_int_equal(date, 1000);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_counted_when_the_name_has_none),
        cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(reading_goes_on_where_it_stopped),
        cmocka_unit_test(what_is_no_file_is_not_opened),
        cmocka_unit_test(the_date_is_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
