/* One holder at a time, who is named. */
#include "os/lock.h"
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>

static void one_holder_at_a_time(void **state)
{
    char path[] = "/tmp/os-lock-XXXXXX", pid[32];
    int made = mkstemp(path), first, second;
    (void)state;
    assert_int_equal(lock_holder(AT_FDCWD, path), 0);
    assert_false(is_fault(lock_take(AT_FDCWD, path, 0600, "postrider test", &first)));
    fault f = lock_take(AT_FDCWD, path, 0600, "another", &second);
    assert_int_equal(f.kind, FAULT_TRY_LATER);
    assert_int_equal(second, -1);
    snprintf(pid, sizeof pid, "process %d (", (int)getpid());
    assert_non_null(strstr(f.text, pid));
    assert_non_null(strstr(f.text, "postrider test"));
    assert_int_equal(lock_holder(AT_FDCWD, path), getpid());
    fd_close(&first);
    assert_int_equal(lock_holder(AT_FDCWD, path), 0);
    assert_false(is_fault(lock_take(AT_FDCWD, path, 0600, "another", &second)));
    fd_close(&second);
    fd_close(&made);
    unlink(path);
    assert_int_equal(lock_holder(AT_FDCWD, path), 0);
}

static void a_folder_is_no_lock(void **state)
{
    int fd;
    (void)state;
    assert_true(is_fault(lock_take(AT_FDCWD, "/tmp", 0600, "test", &fd)));
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one_holder_at_a_time), cmocka_unit_test(a_folder_is_no_lock) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
