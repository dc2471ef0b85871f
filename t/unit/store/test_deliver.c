#include "temp_store.h"
#include <signal.h>
#include <sys/resource.h>

/* In the place of the system call: how much of the file the disk was told to begin with, from its start in whole blocks. */
static off_t begun;

int sync_file_range(int fd, off_t from, off_t n, unsigned flags)
{
    (void)fd, (void)flags;
    begun = (from == 0 || from == begun) && n == 256 * 1024 ? from + n : -1;
    return 0;
}

static void a_batch_goes_to_several_mailboxes(void **state)
{
    temp t = temp_open();
    fault results[3];
    (void)state;
    OK(store_create(t.s, STR("a")));
    delivery *d = delivery_new(t.s);
    for (unsigned i = 0; i < 3; i++) {
        OK(delivery_begin(d, i == 1 ? STR("a") : STR("INBOX"), NULL));
        OK(delivery_write(d, STR("Subject: x\r")));
        OK(delivery_write(d, STR("\n\r\nbody\r\n")));
        OK(delivery_end(d));
    }
    assert_int_equal(delivery_count(d), 3);
    delivery_commit(d, results);
    for (unsigned i = 0; i < 3; i++)
        OK(results[i]);
    assert_int_equal(delivery_count(d), 0);
    delivery_free(d);
    char name[512];
    assert_int_equal(temp_count(&t, "new", NULL), 2);
    assert_int_equal(temp_count(&t, ".a/new", name), 1);
    assert_non_null(strstr(name, ".host.example,S=17,W=20"));
    assert_int_equal(temp_count(&t, "tmp", NULL), 0);
    temp_close(&t);
}

static void flags_and_date_are_kept(void **state)
{
    temp t = temp_open();
    uint32_t validity, uid;
    int64_t date;
    (void)state;
    delivery *d = delivery_new(t.s);
    OK(delivery_begin(d, STR("INBOX"),
                      &(message_options){ .flags = MESSAGE_SEEN | MESSAGE_FLAGGED, .date_s = 1000000000 }));
    OK(delivery_write(d, STR("a\r\n")));
    OK(delivery_end(d));
    OK(delivery_append(d, &validity, &uid));
    delivery_free(d);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(uid, 1);
    assert_int_equal(validity, mailbox_uidvalidity(m));
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN | MESSAGE_FLAGGED);
    OK(mailbox_date(m, 1, &date));
    assert_int_equal(date, 1000000000);
    char name[512];
    assert_int_equal(temp_count(&t, "cur", name), 1);
    assert_non_null(strstr(name, ":2,FS"));
    mailbox_close(m);
    temp_close(&t);
}

static void several_are_appended_with_uids_in_a_row(void **state)
{
    temp t = temp_open();
    uint32_t validity, first;
    (void)state;
    temp_append(&t, "INBOX", "before\r\n", 0);
    delivery *d = delivery_new(t.s);
    for (unsigned i = 0; i < 3; i++) {
        OK(delivery_begin(d, STR("INBOX"), NULL));
        OK(delivery_end(d));
    }
    OK(delivery_append(d, &validity, &first));
    assert_int_equal(first, 2);
    delivery_free(d);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 4);
    mailbox_close(m);
    temp_close(&t);
}

static void what_was_not_committed_leaves_nothing(void **state)
{
    temp t = temp_open();
    (void)state;
    delivery *d = delivery_new(t.s);
    OK(delivery_begin(d, STR("INBOX"), NULL));
    OK(delivery_write(d, STR("a\r\n")));
    OK(delivery_end(d));
    OK(delivery_begin(d, STR("INBOX"), NULL));
    delivery_cancel(d);
    OK(delivery_begin(d, STR("INBOX"), NULL));
    assert_int_equal(delivery_count(d), 1);
    assert_int_equal(temp_count(&t, "tmp", NULL), 2);
    delivery_free(d);
    assert_int_equal(temp_count(&t, "tmp", NULL), 0);
    assert_int_equal(temp_count(&t, "new", NULL), 0);
    temp_close(&t);
}

static void a_mailbox_that_is_not_there_is_refused(void **state)
{
    temp t = temp_open();
    (void)state;
    REFUSED(temp_deliver_to(&t, "none", "a\r\n"));
    REFUSED(temp_deliver_to(&t, "../../etc", "a\r\n"));
    assert_int_equal(symlinkat("/tmp", t.dirfd, ".link"), 0);
    REFUSED(temp_deliver_to(&t, "link", "a\r\n"));
    temp_close(&t);
}

/* HOSTILE 35: whatever stands in place of new/ or tmp/, nothing is written through it. */
static void links_in_place_of_folders_are_not_followed(void **state)
{
    temp t = temp_open();
    char outside[] = "/tmp/store.outside.XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(outside));
    assert_int_equal(unlinkat(t.dirfd, "tmp", AT_REMOVEDIR), 0);
    assert_int_equal(symlinkat(outside, t.dirfd, "tmp"), 0);
    assert_true(is_fault(temp_deliver_to(&t, "INBOX", "a\r\n")));
    assert_int_equal(rmdir(outside), 0); /* empty */
    temp_close(&t);
}

/* A file size limit stands for the full disk: write fails with EFBIG as it would with ENOSPC. */
static void a_full_disk_is_a_temporary_fault_and_leaves_no_file(void **state)
{
    temp t = temp_open();
    struct rlimit old, small = { 100000, 0 };
    char *big = calloc(1, 300000);
    (void)state;
    memset(big, 'a', 299999);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    delivery *d = delivery_new(t.s);
    OK(delivery_begin(d, STR("INBOX"), NULL));
    fault f = delivery_write(d, str_c(big));
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    assert_string_equal(f.status, "3.1");
    assert_int_equal(temp_count(&t, "tmp", NULL), 0);
    OK(delivery_begin(d, STR("INBOX"), NULL)); /* and it recovers by itself */
    OK(delivery_write(d, STR("a\r\n")));
    OK(delivery_end(d));
    delivery_commit(d, &f);
    OK(f);
    delivery_free(d);
    free(big);
    temp_close(&t);
}

static void content_is_copied_from_a_file(void **state)
{
    temp t = temp_open();
    fault f;
    (void)state;
    temp_write(&t, "source", "xxxxSubject: a\r\n\r\nb\r\nyyyy");
    int fd = openat(t.dirfd, "source", O_RDONLY);
    delivery *d = delivery_new(t.s);
    OK(delivery_begin(d, STR("INBOX"), NULL));
    OK(delivery_copy(d, fd, 4, 17));
    OK(delivery_end(d));
    OK(delivery_begin(d, STR("INBOX"), NULL));
    assert_int_equal(delivery_copy(d, fd, 4, 1000).kind, FAULT_TRY_LATER); /* cut off: not delivered */
    delivery_commit(d, &f);
    OK(f);
    delivery_free(d);
    close(fd);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    temp_content(m, 1, "Subject: a\r\n\r\nb\r\n");
    mailbox_close(m);
    temp_close(&t);
}

static void large_and_odd_content_comes_back(void **state)
{
    temp t = temp_open();
    (void)state;
    buf big = buf_new(1 << 20);
    for (unsigned i = 0; big.n < 700000; i++)
        buf_printf(&big, i % 7 ? "line %u\r\n" : "odd %u \r\r\n\n\r\n", i);
    buf wanted = buf_new(2 << 20);
    for (size_t i = 0; i < big.n; i++) { /* a bare LF becomes CRLF */
        if (big.p[i] == '\n' && (i == 0 || big.p[i - 1] != '\r'))
            buf_append_char(&wanted, '\r');
        buf_append_char(&wanted, big.p[i]);
    }
    temp_append(&t, "INBOX", buf_c(&big), 0);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(temp_info(m, 1).wire_bytes, wanted.n);
    temp_content(m, 1, buf_c(&wanted));
    buf_free(&big);
    buf_free(&wanted);
    mailbox_close(m);
    temp_close(&t);
}

/* When the commit waits for it, most of it is written. */
static void the_disk_begins_while_a_large_one_comes(void **state)
{
    temp t = temp_open();
    char line[] = "0123456789012345678901234567890123456789012345678901234567890\r\n";
    fault f;
    (void)state;
    delivery *d = delivery_new(t.s);
    begun = 0;
    OK(delivery_begin(d, STR("INBOX"), NULL));
    OK(delivery_write(d, str_c(line)));
    OK(delivery_end(d));
    assert_int_equal(begun, 0);
    OK(delivery_begin(d, STR("INBOX"), NULL));
    for (int i = 0; i < 16000; i++)
        OK(delivery_write(d, str_c(line)));
    assert_int_equal(begun, 3 * 256 * 1024); /* of 992,000 */
    delivery_cancel(d);
    begun = 0;
    delivery_commit(d, &f);
    OK(f);
    delivery_free(d);
    temp_close(&t);
}

static void names_never_repeat(void **state)
{
    temp t = temp_open();
    (void)state;
    for (unsigned i = 0; i < 200; i++)
        temp_deliver(&t, "a\r\n");
    assert_int_equal(temp_count(&t, "new", NULL), 200);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_goes_to_several_mailboxes),
        cmocka_unit_test(flags_and_date_are_kept),
        cmocka_unit_test(several_are_appended_with_uids_in_a_row),
        cmocka_unit_test(what_was_not_committed_leaves_nothing),
        cmocka_unit_test(a_mailbox_that_is_not_there_is_refused),
        cmocka_unit_test(links_in_place_of_folders_are_not_followed),
        cmocka_unit_test(a_full_disk_is_a_temporary_fault_and_leaves_no_file),
        cmocka_unit_test(content_is_copied_from_a_file),
        cmocka_unit_test(large_and_odd_content_comes_back),
        cmocka_unit_test(the_disk_begins_while_a_large_one_comes),
        cmocka_unit_test(names_never_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
