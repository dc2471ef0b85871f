/* What a power cut left of a delivery that was never acknowledged is not shown. */
#include "temp_store.h"
#include "store/internal.h"

#define OURS "prM1P1Q1R00000000.h"
enum { SIZE = 8192 };

/* Its size is right, and its blocks were never written. */
static void write_hole(const temp *t, const char *path, const char *front)
{
    temp_write(t, path, front);
    int fd = openat(t->dirfd, path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    close(fd);
}

static void blocks_without_content_are_set_aside_when_read(void **state)
{
    temp t = temp_open();
    buf b = buf_new(2 * SIZE);
    (void)state;
    write_hole(&t, "new/1." OURS ",S=8192,W=8192", "");
    temp_write(&t, "new/2." OURS ",S=4,W=5", "good");
    mailbox *m = temp_select(&t, "INBOX");
    REFUSED(mailbox_load(m, 1, &b));
    temp_content(m, 2, "good");
    assert_int_equal(temp_count(&t, "tmp", NULL), 1);
    assert_int_equal(temp_count(&t, "new", NULL) + temp_count(&t, "cur", NULL), 1);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1);
    buf_free(&b);
    mailbox_close(m);
    temp_close(&t);
}

static void one_that_a_reader_had_seen_before_is_set_aside_too(void **state)
{
    temp t = temp_open();
    buf b = buf_new(2 * SIZE);
    (void)state;
    temp_write(&t, "new/1." OURS ",S=4,W=5", "good");
    write_hole(&t, "cur/2." OURS ",S=8192,W=8192:2,S", "a first block");
    mailbox *m = temp_select(&t, "INBOX");
    temp_write(&t, "new/1." OURS ",S=4,W=5", "");
    REFUSED(mailbox_load(m, 1, &b));
    if (temp_count(&t, "cur", NULL)) /* where the disk's blocks are larger than the file there is no hole */
        REFUSED(mailbox_load(m, 2, &b));
    assert_int_equal(temp_count(&t, "tmp", NULL), 2);
    buf_free(&b);
    mailbox_close(m);
    temp_close(&t);
}

static void what_others_wrote_or_changed_is_left_alone(void **state)
{
    temp t = temp_open();
    buf b = buf_new(4 * SIZE);
    (void)state;
    write_hole(&t, "cur/1.of.another,S=8192,W=8192:2,", "x");
    temp_write(&t, "cur/2." OURS ",S=100,W=110:2,S", "edited");
    mailbox *m = temp_select(&t, "INBOX");
    OK(mailbox_load(m, 1, &b));
    temp_content(m, 2, "edited");
    assert_int_equal(temp_count(&t, "tmp", NULL), 0);
    buf_free(&b);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_without_content_are_set_aside_when_read),
        cmocka_unit_test(one_that_a_reader_had_seen_before_is_set_aside_too),
        cmocka_unit_test(what_others_wrote_or_changed_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
