#include "temp_store.h"
#include "base/clock.h"
#include "store/internal.h"

static void stamps_are_sure_when_old(void **state)
{
    temp t = temp_open();
    dir_stamp a, b;
    uint64_t now_ns = clock_us() * 1000;
    (void)state;
    assert_true(folder_stamp(t.dirfd, "cur", now_ns, &a));
    assert_false(a.is_sure); /* it was made just now */
    assert_true(folder_stamp(t.dirfd, "cur", now_ns + UINT64_C(3000000000), &b));
    assert_true(b.is_sure);
    assert_int_equal(a.inode, b.inode);
    temp_write(&t, "cur/x", "x");
    assert_false(folder_stamp(t.dirfd, "none", now_ns, &a));
    assert_int_equal(symlinkat("cur", t.dirfd, "link"), 0);
    assert_false(folder_stamp(t.dirfd, "link", now_ns, &a));
    temp_close(&t);
}

static void count_one(void *context, str name)
{
    (void)name;
    ++*(unsigned *)context;
}

static void files_and_folders_are_told_apart(void **state)
{
    temp t = temp_open();
    unsigned n = 0;
    (void)state;
    temp_write(&t, "cur/a", "a");
    temp_write(&t, "cur/.b", "b");
    assert_int_equal(mkdirat(t.dirfd, "cur/c", 0700), 0);
    assert_int_equal(symlinkat("a", t.dirfd, "cur/d"), 0);
    OK(folder_list(t.dirfd, "cur", LIST_FILES, count_one, &n));
    assert_int_equal(n, 2);
    n = 0;
    OK(folder_list(t.dirfd, "cur", LIST_FOLDERS, count_one, &n));
    assert_int_equal(n, 1);
    assert_true(is_fault(folder_list(t.dirfd, "none", LIST_FILES, count_one, &n)));
    assert_int_equal(symlinkat("cur", t.dirfd, "link"), 0);
    assert_true(is_fault(folder_list(t.dirfd, "link", LIST_FILES, count_one, &n)));
    temp_close(&t);
}

static void a_maildir_is_completed(void **state)
{
    temp t = temp_open();
    (void)state;
    assert_int_equal(unlinkat(t.dirfd, "tmp", AT_REMOVEDIR), 0);
    OK(folder_make_maildir(t.dirfd, true));
    assert_int_equal(faccessat(t.dirfd, "tmp", F_OK, 0), 0);
    assert_true(folder_sync(t.dirfd, "cur"));
    temp_write(&t, "file", "x");
    REFUSED(folder_make(t.dirfd, "file"));
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_are_sure_when_old),
        cmocka_unit_test(files_and_folders_are_told_apart),
        cmocka_unit_test(a_maildir_is_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
