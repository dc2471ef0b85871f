/* SOURCES: qmgr/touched.c  NEEDS: queue */
/* Each folder that a command changed is made durable once, and a disk that fails is said. */
#include "qmgr/touched.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static unsigned synced[QUEUE_PLACES];
static bool is_failing;

/* In the place of the queue's own. */
bool queue_tree_sync(int queue_fd, queue_place p, uint64_t id)
{
    assert_int_equal(queue_fd, 42);
    assert_true(id > 0);
    synced[p]++;
    errno = EIO;
    return !is_failing;
}

static unsigned commits;

fault journal_commit(int fd)
{
    assert_int_equal(fd, 42);
    commits++;
    return is_failing ? fault_make(FAULT_TRY_LATER, "3.0", "the test says so") : NO_FAULT;
}

static int setup(void **state)
{
    (void)state;
    is_failing = false;
    commits = 0;
    memset(synced, 0, sizeof synced);
    return 0;
}

static void a_folder_is_synced_once(void **state)
{
    touched t = { 0 };
    (void)state;
    for (uint64_t id = 1000; id < 1010; id++) {
        touched_add(&t, QUEUE_HOLD, id);
        touched_add(&t, QUEUE_DEFERRED, id);
        touched_add(&t, QUEUE_DEFERRED, id + QUEUE_BRANCHES);
    }
    assert_int_equal(touched_sync(&t, 42, false).kind, FAULT_NONE);
    assert_int_equal(synced[QUEUE_HOLD], 1);
    assert_int_equal(synced[QUEUE_DEFERRED], 10); /* of its branches */
    assert_int_equal(synced[QUEUE_ACTIVE], 0);
}

/* Where a folder's own sync may bring earlier names back. */
static void btrfs_is_committed_once(void **state)
{
    touched t = { 0 };
    (void)state;
    assert_int_equal(touched_sync(&t, 42, true).kind, FAULT_NONE);
    assert_int_equal(commits, 0);
    touched_add(&t, QUEUE_HOLD, 1000);
    touched_add(&t, QUEUE_DEFERRED, 1001);
    assert_int_equal(touched_sync(&t, 42, true).kind, FAULT_NONE);
    assert_int_equal(commits, 1);
    assert_int_equal(synced[QUEUE_HOLD] + synced[QUEUE_DEFERRED], 0);
    is_failing = true;
    assert_int_equal(touched_sync(&t, 42, true).kind, FAULT_TRY_LATER);
}

static void nothing_changed_costs_nothing(void **state)
{
    touched t = { 0 };
    (void)state;
    is_failing = true;
    assert_int_equal(touched_sync(&t, 42, false).kind, FAULT_NONE);
}

static void a_disk_that_fails_is_said(void **state)
{
    touched t = { 0 };
    (void)state;
    is_failing = true;
    touched_add(&t, QUEUE_ACTIVE, 7);
    touched_add(&t, QUEUE_HOLD, 7);
    assert_int_equal(touched_sync(&t, 42, false).kind, FAULT_TRY_LATER);
    assert_int_equal(synced[QUEUE_HOLD], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_folder_is_synced_once, setup),
        cmocka_unit_test_setup(btrfs_is_committed_once, setup),
        cmocka_unit_test_setup(nothing_changed_costs_nothing, setup),
        cmocka_unit_test_setup(a_disk_that_fails_is_said, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
