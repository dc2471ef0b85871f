#include "temp_store.h"

static bool has(mailbox *m, uint32_t uid, char kind, str want)
{
    str got;
    bool is_there = mailbox_cache_get(m, uid, kind, &got);
    bool is_right = is_there && str_equal(got, want);
    mailbox_cache_release(m);
    return is_right;
}

static void what_is_put_is_found(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    assert_false(has(m, 1, CACHE_ENVELOPE, STR("x")));
    mailbox_cache_put(m, 1, CACHE_ENVELOPE, STR("envelope"));
    mailbox_cache_put(m, 1, CACHE_HEADER, STR("header"));
    assert_true(has(m, 1, CACHE_ENVELOPE, STR("envelope"))); /* before it is written */
    mailbox_cache_flush(m);
    assert_true(has(m, 1, CACHE_ENVELOPE, STR("envelope")));
    store_sleep(t.s);
    assert_true(has(m, 1, CACHE_HEADER, STR("header")));
    mailbox_close(m);
    temp_reopen(&t);
    m = temp_select(&t, "INBOX");
    assert_true(has(m, 1, CACHE_HEADER, STR("header"))); /* closed in order: kept */
    assert_false(has(m, 2, CACHE_HEADER, STR("header")));
    mailbox_close(m);
    temp_close(&t);
}

static void an_expunged_message_is_forgotten(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    temp_append(&t, "INBOX", "b\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    for (uint32_t uid = 1; uid < 3; uid++)
        for (unsigned kind = 'a'; kind <= 'f'; kind++)
            mailbox_cache_put(m, uid, (char)kind, STR("x"));
    mailbox_cache_flush(m);
    uid_set one = { 0 };
    uid_set_add(&one, 1, 1);
    OK(mailbox_expunge(m, &one, false, NULL));
    assert_false(has(m, 1, 'a', STR("x")));
    assert_false(has(m, 1, 'f', STR("x")));
    assert_true(has(m, 2, 'a', STR("x")));
    uid_set_free(&one);
    mailbox_close(m);
    temp_close(&t);
}

/* A process that was killed, or the power: the file may be anything, so it is not even looked at. */
static void a_cache_that_was_not_closed_is_thrown_away(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    mailbox_cache_put(m, 1, 'x', STR("kept"));
    mailbox_close(m);
    store_close(t.s);
    pid_t child = fork();
    if (child == 0) {
        temp_store_open(&t);
        m = temp_select(&t, "INBOX");
        mailbox_cache_put(m, 1, 'x', STR("changed"));
        mailbox_cache_flush(m);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    temp_store_open(&t);
    m = temp_select(&t, "INBOX");
    assert_false(has(m, 1, 'x', STR("changed")));
    assert_false(has(m, 1, 'x', STR("kept")));
    mailbox_cache_put(m, 1, 'x', STR("again"));
    mailbox_cache_flush(m);
    assert_true(has(m, 1, 'x', STR("again")));
    mailbox_close(m);
    temp_close(&t);
}

static void garbage_is_thrown_away(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    mailbox_cache_put(m, 1, 'x', STR("x"));
    store_sleep(t.s);
    temp_write(&t, "postrider/cache", "garbage");
    assert_false(has(m, 1, 'x', STR("x")));
    mailbox_cache_put(m, 1, 'x', STR("y"));
    mailbox_cache_flush(m);
    assert_true(has(m, 1, 'x', STR("y")));
    mailbox_close(m);
    temp_close(&t);
}

/* UIDs of another index mean other messages. */
static void a_new_index_takes_a_new_cache(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    mailbox_cache_put(m, 1, 'x', STR("x"));
    mailbox_close(m);
    store_close(t.s);
    assert_int_equal(unlinkat(t.dirfd, "postrider/index", 0), 0);
    temp_store_open(&t);
    m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    assert_false(has(m, 1, 'x', STR("x")));
    mailbox_close(m);
    temp_close(&t);
}

static void two_processes_share_it(void **state)
{
    temp t = temp_open();
    int ready[2], go[2], status;
    char c;
    (void)state;
    temp_append(&t, "INBOX", "a\r\n", 0);
    store_close(t.s);
    assert_int_equal(pipe(ready) | pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]); /* so that it ends with the test, whatever happens */
        temp_store_open(&t);
        mailbox *own = temp_select(&t, "INBOX");
        mailbox_cache_put(own, 1, 'x', STR("from the child"));
        mailbox_cache_flush(own);
        (void)!write(ready[1], "r", 1);
        (void)!read(go[0], &c, 1);
        _exit(0); /* not closed */
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    temp_store_open(&t);
    mailbox *m = temp_select(&t, "INBOX");
    assert_true(has(m, 1, 'x', STR("from the child"))); /* it lives: no doubt */
    assert_int_equal(write(go[1], "g", 1), 1);
    waitpid(child, &status, 0);
    assert_true(has(m, 1, 'x', STR("from the child")));
    mailbox_close(m);
    temp_close(&t);
}

static void much_is_written_in_lots(void **state)
{
    temp t = temp_open();
    char *blob = calloc(1, 100000);
    (void)state;
    memset(blob, 'b', 99999);
    temp_append(&t, "INBOX", "a\r\n", 0);
    mailbox *m = temp_select(&t, "INBOX");
    for (uint32_t uid = 1; uid <= 400; uid++) /* 40 MB: the map grows */
        mailbox_cache_put(m, uid, 'x', str_c(blob));
    mailbox_cache_flush(m);
    for (uint32_t uid = 1; uid <= 400; uid++)
        assert_true(has(m, uid, 'x', str_c(blob)));
    free(blob);
    mailbox_close(m);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found),
        cmocka_unit_test(an_expunged_message_is_forgotten),
        cmocka_unit_test(a_cache_that_was_not_closed_is_thrown_away),
        cmocka_unit_test(garbage_is_thrown_away),
        cmocka_unit_test(a_new_index_takes_a_new_cache),
        cmocka_unit_test(two_processes_share_it),
        cmocka_unit_test(much_is_written_in_lots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
