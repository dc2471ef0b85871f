/* SOURCES: local/worker/forward.c local/worker/letters.c local/worker/maildir.c local/worker/spool.c  NEEDS: store worker */
#include "world.h"
#include "ipc/talk/worker.h"

static int setup(void **state)
{
    (void)state;
    world_open(true);
    return 0;
}

static size_t box_count(void)
{
    static char bytes[100000];
    int fd = open(w->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    size_t found = 0;
    close(fd);
    bytes[n > 0 ? n : 0] = '\0';
    for (const char *at = bytes; (at = strstr(at, "\nmark")) != NULL; at++)
        found++;
    return found;
}

static void ask_the_process_for_dotlocks(void)
{
    rules_put(&(deliver_rules){ .flags = DELIVER_LOCKS_FCNTL | DELIVER_LOCKS_DOT | DELIVER_ASKS_FOR_LOCK,
                                .lock_attempts = 3 });
}

static void locked(fault_kind outcome)
{
    deliver_lock m = { .outcome = outcome, .reason = STR("the test says so") };
    channel_put(&pool.channel, DELIVER_LOCKED, 0, deliver_lock, &m);
    rounds();
}

static void what_comes_together_is_written_under_one_lock(void **state)
{
    (void)state;
    ask_the_process_for_dotlocks();
    for (uint32_t i = 1; i <= 3; i++)
        request(i, (deliver_request){ 0 }, "A: b\r\n\r\nmark\r\n");
    rounds();
    assert_int_equal(pool.n, 1);
    is_told(0, DELIVER_LOCK, 0, 0, "");
    assert_int_equal(box_count(), 0);
    request(4, (deliver_request){ 0 }, "A: b\r\n\r\nmark\r\n"); /* while the lock is asked for */
    rounds();
    locked(FAULT_NONE);
    assert_int_equal(pool.n, 6);
    is_told(1, DELIVER_UNLOCK, 0, 0, "");
    for (uint32_t i = 1; i <= 4; i++)
        is_told(i + 1, DELIVER_RESULT, i, FAULT_NONE, "delivered to mailbox");
    assert_int_equal(box_count(), 4);
    assert_int_equal(w->worker.busy, 0);
}

/* Debian's order: who cannot have the second lets the first go, or two programs wait for each other. */
static void a_busy_dotlock_lets_the_first_lock_go(void **state)
{
    mbox *other;
    (void)state;
    assert_false(is_fault(mbox_open(w->path, 0, &other)));
    ask_the_process_for_dotlocks();
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    assert_false(mbox_lock(other));
    deliver_lock busy = { .outcome = FAULT_TRY_LATER, .reason = STR("busy") };
    rules_put(&(deliver_rules){ .flags = DELIVER_LOCKS_FCNTL | DELIVER_LOCKS_DOT | DELIVER_ASKS_FOR_LOCK,
                                .lock_attempts = 3,
                                .lock_delay_s = 3600 });
    channel_put(&pool.channel, DELIVER_LOCKED, 0, deliver_lock, &busy);
    rounds();
    assert_true(mbox_lock(other));
    assert_int_equal(pool.n, 1); /* it waits */
    mbox_close(other);
    w->worker.is_leaving = true; /* as at LEAVE: it is given up */
    spool_leave(&w->l);
    rounds();
    locked(FAULT_TRY_LATER);
    is_told(pool.n - 1, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the test says so");
    assert_int_equal(w->worker.busy, 0);
}

static void after_all_attempts_it_is_for_later(void **state)
{
    (void)state;
    ask_the_process_for_dotlocks(); /* delay 0: at once again */
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    locked(FAULT_TRY_LATER);
    locked(FAULT_TRY_LATER);
    assert_int_equal(pool.n, 3);
    locked(FAULT_TRY_LATER);
    is_told(3, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the test says so");
    assert_true(pool.told[3].is_destination);
    request(2, (deliver_request){ 0 }, "\r\nmark\r\n"); /* begins to count anew */
    rounds();
    locked(FAULT_TRY_LATER);
    locked(FAULT_NONE);
    is_told(pool.n - 1, DELIVER_RESULT, 2, FAULT_NONE, "delivered to mailbox");
}

static void what_cannot_be_locked_ever_is_not_waited_for(void **state)
{
    (void)state;
    ask_the_process_for_dotlocks();
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    locked(FAULT_BROKEN);
    is_told(1, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the test says so");
}

static void in_the_home_it_makes_the_dotlock_itself(void **state)
{
    char lock[70];
    (void)state;
    snprintf(lock, sizeof lock, "%s.lock", w->path);
    close(open(lock, O_CREAT | O_WRONLY, 0600));
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the mailbox is locked by another program");
    unlink(lock);
    request(2, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    is_told(1, DELIVER_RESULT, 2, FAULT_NONE, "delivered to mailbox");
    assert_int_equal(access(lock, F_OK), -1);
}

static void one_bad_message_keeps_no_other(void **state)
{
    (void)state;
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    request(2, (deliver_request){ 0 }, "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    request(3, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_NONE, "delivered to mailbox");
    is_told(1, DELIVER_RESULT, 2, FAULT_REFUSED, "mail forwarding loop for jo@x.example");
    assert_false(pool.told[1].is_destination);
    is_told(2, DELIVER_RESULT, 3, FAULT_NONE, "delivered to mailbox");
    assert_int_equal(box_count(), 2);
}

static void a_mailbox_that_is_gone_ends_the_worker_with_that_word(void **state)
{
    (void)state;
    unlink(w->path);
    ask_the_process_for_dotlocks();
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    locked(FAULT_NONE);
    assert_int_equal(w->worker.exit_status, WORKER_EXIT_MOVED);
    assert_int_equal(pool.n, 2);
    is_told(1, DELIVER_UNLOCK, 0, 0, ""); /* and no result: the next worker gets it */
}

static void nobody_says_locked_unasked(void **state)
{
    (void)state;
    locked(FAULT_NONE);
    assert_false(channel_is_open(&w->worker.pool));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_comes_together_is_written_under_one_lock),
        TEST(a_busy_dotlock_lets_the_first_lock_go),
        TEST(after_all_attempts_it_is_for_later),
        TEST(what_cannot_be_locked_ever_is_not_waited_for),
        TEST(in_the_home_it_makes_the_dotlock_itself),
        TEST(one_bad_message_keeps_no_other),
        TEST(a_mailbox_that_is_gone_ends_the_worker_with_that_word),
        TEST(nobody_says_locked_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
