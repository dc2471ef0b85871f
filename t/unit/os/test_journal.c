/* Which file systems keep a journal: what sysfs says of this machine's, and those that have none. */
#include "os/journal.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

static void memory_and_what_is_not_open_have_none(void **state)
{
    int fd = memfd_create("x", MFD_CLOEXEC);
    (void)state;
    assert_true(fd >= 0);
    assert_false(journal_is_kept(fd));
    assert_false(journal_is_kept(-1));
    close(fd);
}

/* On an ext4 that was made without, its kernel has no thread for one. */
static void this_folder_is_as_its_kernel_says(void **state)
{
    int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    char text[32] = "";
    (void)state;
    assert_int_equal(fstatfs(fd, &fs), 0);
    FILE *f = popen("cat /sys/fs/ext4/$(basename $(readlink /sys/dev/block/$(stat -c %Hd:%Ld .)))/journal_task 2>&1", "r");
    assert_true(f && fgets(text, sizeof text, f));
    pclose(f);
    if (fs.f_type == EXT4_SUPER_MAGIC)
        assert_int_equal(journal_is_kept(fd), text[0] != '<');
    else
        assert_int_equal(journal_is_kept(fd), fs.f_type == XFS_SUPER_MAGIC);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_and_what_is_not_open_have_none),
        cmocka_unit_test(this_folder_is_as_its_kernel_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
