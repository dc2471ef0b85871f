/* Folders of the queue: made, filled, walked; files move and go; what does not belong there is told apart. */
#include "queue/tree.h"
#include "t/unit/os/said_disk.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct found {
    size_t files, strange, stop_after;
    uint64_t last;
    queue_place place;
} found;

static int root = -1;
static char root_path[64];

static int setup(void **state)
{
    (void)state;
    magic = EXT4_SUPER_MAGIC;
    commits = 0;
    is_failing = false;
    snprintf(root_path, sizeof root_path, "/tmp/queue-tree-XXXXXX");
    assert_non_null(mkdtemp(root_path));
    root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(is_fault(queue_tree_make(root)));
    return 0;
}

static int teardown(void **state)
{
    char command[100];
    (void)state;
    close(root);
    snprintf(command, sizeof command, "rm -rf %s", root_path);
    return system(command);
}

static bool note(void *context, queue_place p, uint64_t id, const char *name)
{
    found *f = context;
    assert_non_null(name);
    f->files += id != 0;
    f->strange += id == 0;
    f->last = id ? id : f->last;
    f->place = p;
    return f->stop_after == 0 || f->files < f->stop_after;
}

static found walk(queue_place p, size_t stop_after)
{
    found f = { .stop_after = stop_after };
    assert_false(is_fault(queue_tree_scan(root, p, note, &f)));
    return f;
}

static void file_make(uint64_t id)
{
    int fd = queue_tree_create(root, QUEUE_ACTIVE, id);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void folders_are_made_once_and_private(void **state)
{
    struct stat st;
    (void)state;
    assert_false(is_fault(queue_tree_make(root)));
    for (int p = 0; p < QUEUE_PLACES; p++) {
        assert_int_equal(fstatat(root, queue_place_name((queue_place)p), &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
    assert_int_equal(fstatat(root, "deferred/Z", &st, 0), 0);
}

static void a_file_goes_through_all_places(void **state)
{
    const queue_place way[] = { QUEUE_ACTIVE, QUEUE_INCOMING, QUEUE_DEFERRED, QUEUE_HOLD, QUEUE_CORRUPT };
    (void)state;
    file_make(4711);
    for (size_t i = 0; i < COUNT_OF(way); i++) {
        found f = walk(way[i], 0);
        assert_int_equal(f.files, 1);
        assert_int_equal(f.last, 4711);
        assert_int_equal(f.place, way[i]);
        int fd = queue_tree_open(root, way[i], 4711, O_RDWR);
        assert_true(fd >= 0);
        close(fd);
        if (i + 1 < COUNT_OF(way))
            assert_true(queue_tree_move(root, way[i], way[i + 1], 4711));
        else
            assert_true(queue_tree_remove(root, way[i], 4711));
        assert_int_equal(walk(way[i], 0).files, 0);
    }
}

static void an_id_is_created_once(void **state)
{
    (void)state;
    file_make(99);
    assert_int_equal(queue_tree_create(root, QUEUE_ACTIVE, 99), -1);
    assert_int_equal(errno, EEXIST);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    assert_int_equal(queue_tree_open(root, QUEUE_ACTIVE, 5, O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
    assert_false(queue_tree_move(root, QUEUE_ACTIVE, QUEUE_HOLD, 5));
    assert_int_equal(errno, ENOENT);
    assert_false(queue_tree_remove(root, QUEUE_ACTIVE, 5));
    assert_int_equal(errno, ENOENT);
}

static void deferred_is_walked_over_all_branches(void **state)
{
    (void)state;
    for (uint64_t id = 1000; id < 1062; id++) {
        file_make(id);
        assert_true(queue_tree_move(root, QUEUE_ACTIVE, QUEUE_DEFERRED, id));
    }
    assert_int_equal(walk(QUEUE_DEFERRED, 0).files, 62);
    assert_int_equal(walk(QUEUE_DEFERRED, 5).files, 5);
}

static void a_folder_is_made_durable(void **state)
{
    (void)state;
    file_make(4712);
    assert_true(queue_tree_sync(root, QUEUE_ACTIVE, 4712));
    assert_true(queue_tree_sync(root, QUEUE_DEFERRED, 4712)); /* also when it is not there: it left */
    assert_true(queue_tree_remove(root, QUEUE_ACTIVE, 4712));
    assert_false(queue_tree_sync(-1, QUEUE_HOLD, 4712));
    assert_int_equal(errno, EBADF);
}

static void strange_names_have_no_id(void **state)
{
    const char *names[] = { "active/core", "active/12345678901", "active/00000000000", "active/1234567890AB",
                            "active/x y\n" };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        close(openat(root, names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(mkdirat(root, "active/folder", 0700), 0);
    close(openat(root, "active/.hidden", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    found f = walk(QUEUE_ACTIVE, 0);
    assert_int_equal(f.strange, 4); /* the second is an id: digits alone may be one */
    assert_int_equal(f.files, 1);
}

static void a_link_is_not_followed_and_a_fifo_does_not_block(void **state)
{
    char path[40];
    (void)state;
    snprintf(path, sizeof path, "active/%s", queue_id_text(77).text);
    assert_int_equal(symlinkat("/etc/passwd", root, path), 0);
    assert_int_equal(queue_tree_open(root, QUEUE_ACTIVE, 77, O_RDONLY), -1);
    assert_int_equal(errno, ELOOP);
    assert_true(queue_tree_remove(root, QUEUE_ACTIVE, 77));
    assert_int_equal(mkfifoat(root, path, 0600), 0);
    int fd = queue_tree_open(root, QUEUE_ACTIVE, 77, O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
}

static void a_folder_that_is_gone_is_a_fault(void **state)
{
    found f = { 0 };
    (void)state;
    assert_int_equal(unlinkat(root, "hold", AT_REMOVEDIR), 0);
    assert_int_equal(queue_tree_scan(root, QUEUE_HOLD, note, &f).kind, FAULT_TRY_LATER);
    close(openat(root, "hold", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* no folder */
    assert_int_equal(queue_tree_scan(root, QUEUE_HOLD, note, &f).kind, FAULT_TRY_LATER);
}

static void all_folders_are_made_durable(void **state)
{
    (void)state;
    assert_false(is_fault(queue_tree_sync_all(root)));
    assert_int_equal(unlinkat(root, "deferred/B", AT_REMOVEDIR), 0);
    assert_true(is_fault(queue_tree_sync_all(root)));
}

/* Where all of the file system is committed, the folders need not be synced. */
static void btrfs_is_committed_as_a_whole(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(root, "deferred/B", AT_REMOVEDIR), 0);
    magic = BTRFS_SUPER_MAGIC;
    assert_false(is_fault(queue_tree_sync_all(root)));
    assert_int_equal(commits, 1);
    is_failing = true;
    assert_int_equal(queue_tree_sync_all(root).kind, FAULT_TRY_LATER);
}

static void other_file_systems_are_not_committed(void **state)
{
    const long others[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, TMPFS_MAGIC, 0 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        magic = others[i];
        assert_false(is_fault(queue_tree_sync_all(root)));
    }
    assert_int_equal(commits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_made_once_and_private, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_goes_through_all_places, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_is_created_once, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(deferred_is_walked_over_all_branches, setup, teardown),
        cmocka_unit_test_setup_teardown(strange_names_have_no_id, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_is_made_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed_and_a_fifo_does_not_block, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_gone_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(all_folders_are_made_durable, setup, teardown),
        cmocka_unit_test_setup_teardown(btrfs_is_committed_as_a_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(other_file_systems_are_not_committed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
