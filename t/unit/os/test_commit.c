/* Where a file system must be committed as a whole: btrfs, and no other one. */
#include "os/journal.h"
#include "t/unit/os/said_disk.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    commits = 0;
    is_failing = false;
    return 0;
}

static void btrfs_is(void **state)
{
    (void)state;
    magic = BTRFS_SUPER_MAGIC;
    assert_true(journal_mixes_names(42));
    assert_false(is_fault(journal_commit(42)));
    assert_int_equal(commits, 1);
    is_failing = true;
    assert_int_equal(journal_commit(42).kind, FAULT_TRY_LATER);
}

static void others_are_not(void **state)
{
    const long others[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC, 0 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        magic = others[i];
        assert_false(journal_mixes_names(42));
        assert_false(is_fault(journal_commit(42)));
    }
    assert_int_equal(commits, 0);
}

/* This folder lies on another one, which knows no such call. */
static void one_is_begun_on_btrfs_alone(void **state)
{
    int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)state;
    assert_true(fd >= 0);
    assert_false(journal_commit_start(fd));
    assert_int_equal(errno, ENOTTY);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(btrfs_is, setup),
        cmocka_unit_test_setup(others_are_not, setup),
        cmocka_unit_test_setup(one_is_begun_on_btrfs_alone, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
