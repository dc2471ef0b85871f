#include "temp_store.h"
#include <poll.h>

static bool is_readable(store *s)
{
    struct pollfd p = { .fd = store_watch_fd(s), .events = POLLIN };
    return poll(&p, 1, 0) == 1;
}

static void a_delivery_touches_the_mailbox(void **state)
{
    temp t = temp_open();
    (void)state;
    OK(store_create(t.s, STR("a")));
    mailbox *m = temp_select(&t, "INBOX"), *a = temp_select(&t, "a"), *second = temp_select(&t, "INBOX");
    assert_int_equal(store_watch_fd(t.s), -1);
    assert_true(mailbox_watch(m, true));
    assert_true(mailbox_watch(a, true));
    assert_true(mailbox_watch(second, true));
    assert_true(mailbox_is_touched(m)); /* what was before the watch may have been missed */
    assert_true(mailbox_is_touched(a));
    assert_true(mailbox_is_touched(second));
    assert_false(mailbox_is_touched(m));
    assert_false(is_readable(t.s));
    store_sleep(t.s);
    int status;
    pid_t child = fork();
    if (child == 0) { /* local's worker, in a process of its own */
        temp own = { .dirfd = t.dirfd };
        temp_store_open(&own);
        temp_deliver(&own, "a\r\n");
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(is_readable(t.s));
    store_watch_read(t.s);
    assert_true(mailbox_is_touched(m));
    assert_true(mailbox_is_touched(second));
    assert_false(mailbox_is_touched(a));
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1);
    assert_true(mailbox_watch(m, false));
    assert_true(unlinkat(t.dirfd, "cur/none", 0) != 0);
    temp_write(&t, "cur/1.x:2,", "x");
    store_watch_read(t.s);
    assert_true(mailbox_is_touched(second)); /* the other view's watch stands */
    mailbox_close(second);
    mailbox_close(m);
    mailbox_close(a);
    temp_close(&t);
}

static void the_working_folder_stays(void **state)
{
    temp t = temp_open();
    char before[4096], after[4096];
    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    mailbox *m = temp_select(&t, "INBOX");
    mailbox_watch(m, true);
    store_sleep(t.s);
    OK(store_wake(t.s));
    assert_non_null(getcwd(after, sizeof after));
    assert_string_equal(before, after);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delivery_touches_the_mailbox),
        cmocka_unit_test(the_working_folder_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
