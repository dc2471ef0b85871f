/* Whole reads and writes, replacement with mode, and that nothing beneath a folder leads out of it. */
#include "os/file.h"
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static char folder[] = "/tmp/os-file-XXXXXX";
static int dir = -1;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int make(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0;
}

static int unmake(void **state)
{
    (void)state;
    fd_close(&dir);
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static size_t entry_count(void)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void replaces_whole_with_mode(void **state)
{
    buf got = buf_new(100);
    struct stat st;
    (void)state;
    assert_false(is_fault(file_replace(dir, "table", STR("old"), (file_owner){ .mode = 0644 })));
    assert_false(is_fault(file_replace(dir, "table", STR("new content"), (file_owner){ .mode = 0640 })));
    assert_false(is_fault(file_read(dir, "table", &got)));
    assert_true(str_equal(buf_str(&got), STR("new content")));
    assert_int_equal(fstatat(dir, "table", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(entry_count(), 1); /* no temporary name is left */
    buf_free(&got);
}

static void a_failed_replacement_leaves_nothing(void **state)
{
    size_t before = entry_count();
    (void)state;
    assert_int_equal(mkdirat(dir, "busy", 0700), 0);
    assert_true(is_fault(file_replace(dir, "busy", STR("x"), (file_owner){ .mode = 0600 })));
    assert_int_equal(unlinkat(dir, "busy", AT_REMOVEDIR), 0);
    assert_true(is_fault(file_replace(dir, "missing/x", STR("x"), (file_owner){ .mode = 0600 })));
    assert_int_equal(entry_count(), before);
}

static void reads_up_to_the_maximum(void **state)
{
    (void)state;
    assert_false(is_fault(file_replace(dir, "ten", STR("0123456789"), (file_owner){ .mode = 0600 })));
    for (size_t max = 0; max < 15; max++) {
        buf got = buf_new(max);
        fault f = file_read(dir, "ten", &got);
        assert_int_equal(f.kind, max < 10 ? FAULT_REFUSED : FAULT_NONE);
        assert_true(max < 10 || str_equal(buf_str(&got), STR("0123456789")));
        buf_free(&got);
    }
}

static void reads_files_larger_than_one_step(void **state)
{
    enum { BYTES = 200000 };
    char *bytes = malloc(BYTES);
    buf got = buf_new(BYTES);
    (void)state;
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (char)(i * 7);
    assert_false(is_fault(file_replace(dir, "large", (str){ bytes, BYTES }, (file_owner){ .mode = 0600 })));
    assert_false(is_fault(file_read(dir, "large", &got)));
    assert_true(str_equal(buf_str(&got), (str){ bytes, BYTES }));
    buf_free(&got);
    free(bytes);
}

static void a_fifo_is_refused_at_once(void **state)
{
    buf got = buf_new(10);
    (void)state;
    assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
    assert_int_equal(file_read(dir, "fifo", &got).kind, FAULT_REFUSED);
    assert_int_equal(file_read(dir, "nothing", &got).kind, FAULT_TRY_LATER);
    buf_free(&got);
}

static void positions_are_kept_apart(void **state)
{
    char bytes[8] = { 0 };
    size_t got;
    int fd = openat(dir, "positions", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    (void)state;
    assert_true(file_write_all(fd, STR("abcdef")));
    assert_true(file_pwrite_all(fd, STR("XY"), 2));
    assert_true(file_pread_all(fd, bytes, sizeof bytes, 1, &got));
    assert_int_equal(got, 5);
    assert_memory_equal(bytes, "bXYef", 5);
    fd_close(&fd);
}

static void a_copy_is_whole(void **state)
{
    enum { LARGE = 3 * 64 * 1024 + 5, EXACT = 2 * 64 * 1024 };
    static const size_t sizes[] = { 0, 1, EXACT, LARGE };
    static char bytes[LARGE], got[LARGE + 1];
    size_t n;
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (size_t k = 0; k < COUNT_OF(sizes); k++) {
        int from = fd_memory("from"), to = fd_memory("to");
        assert_true(file_pwrite_all(from, (str){ bytes, sizes[k] }, 0));
        assert_true(file_copy(from, to));
        assert_true(file_pread_all(to, got, sizeof got, 0, &n));
        assert_int_equal(n, sizes[k]);
        assert_memory_equal(got, bytes, n);
        fd_close(&from);
        fd_close(&to);
    }
    int from = fd_memory("from"), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(file_pwrite_all(from, STR("x"), 0));
    assert_false(file_copy(from, full));
    assert_int_equal(errno, ENOSPC);
    assert_false(file_copy(-1, from));
    fd_close(&from);
    fd_close(&full);
}

typedef struct path_row {
    const char *path;
    int flags;
    bool opens;
} path_row;

static const path_row path_rows[] = {
    { "inside/file", O_RDONLY, true },
    { "inside//file", O_RDONLY, true },
    { "inside", O_RDONLY | O_DIRECTORY, true },
    { "inside/new", O_RDWR | O_CREAT, true },
    { "../outside", O_RDONLY, false },
    { "inside/../inside/../../x", O_RDONLY, false },
    { "/etc/passwd", O_RDONLY, false },
    { "link-out", O_RDONLY, false },
    { "link-out", O_PATH, false },
    { "folder-out/passwd", O_RDONLY, false },
    { "link-in", O_RDONLY, false },
    { "inside/link-up/inside/file", O_RDONLY, false },
    { "inside/missing", O_RDONLY, false },
    { "", O_RDONLY, false },
};

static fault nothing_leads_out(void *context)
{
    (void)context;
    for (size_t i = 0; i < COUNT_OF(path_rows); i++) {
        int fd = file_open_beneath(dir, path_rows[i].path, path_rows[i].flags, 0600);
        if ((fd >= 0) != path_rows[i].opens)
            return fault_make(FAULT_BUG, "3.0", "row %zu: \"%s\" gives %d", i, path_rows[i].path, fd);
        NEED(fd < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC));
        fd_close(&fd);
    }
    return NO_FAULT;
}

static fault nothing_leads_out_without_openat2(void *context)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { COUNT_OF(code), code };
    NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
    return nothing_leads_out(context);
}

static void paths_stay_beneath(void **state)
{
    (void)state;
    assert_false(is_fault(file_make_folders(dir, "inside", (file_owner){ .mode = 0755 })));
    assert_false(is_fault(file_replace(dir, "inside/file", STR("x"), (file_owner){ .mode = 0600 })));
    assert_int_equal(symlinkat("/etc/passwd", dir, "link-out"), 0);
    assert_int_equal(symlinkat("/etc", dir, "folder-out"), 0);
    assert_int_equal(symlinkat("inside/file", dir, "link-in"), 0);
    assert_int_equal(symlinkat("..", dir, "inside/link-up"), 0);
    assert_int_equal(run_apart(nothing_leads_out, NULL, false), 0);
    assert_int_equal(run_apart(nothing_leads_out_without_openat2, NULL, false), 0);
}

static void folders_are_made_on_the_way(void **state)
{
    struct stat st;
    (void)state;
    for (int again = 0; again < 2; again++)
        assert_false(is_fault(file_make_folders(dir, "a/b//c/", (file_owner){ .mode = 01733 })));
    assert_int_equal(fstatat(dir, "a/b/c", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 01733);
    assert_true(is_fault(file_make_folders(dir, "ten/x", (file_owner){ .mode = 0700 })));
    assert_true(is_fault(file_make_folders(dir, "ten", (file_owner){ .mode = 0700 })));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_whole_with_mode),  cmocka_unit_test(a_failed_replacement_leaves_nothing),
        cmocka_unit_test(reads_up_to_the_maximum),   cmocka_unit_test(reads_files_larger_than_one_step),
        cmocka_unit_test(a_fifo_is_refused_at_once), cmocka_unit_test(positions_are_kept_apart),
        cmocka_unit_test(paths_stay_beneath),        cmocka_unit_test(folders_are_made_on_the_way),
        cmocka_unit_test(a_copy_is_whole),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
