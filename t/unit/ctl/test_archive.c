/* SOURCES: ctl/queue/archive.c  NEEDS: queue */
/* An export comes back as it was written; cut anywhere, or with any octet of its headers or manifest changed, it is refused. */
#include "ctl/queue/archive.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const struct given {
    queue_place place;
    uint64_t id;
    size_t bytes;
} files[] = {
    { QUEUE_DEFERRED, 4711, 0 }, { QUEUE_HOLD, 4712, 512 }, { QUEUE_ACTIVE, 1, 513 }, { QUEUE_HOLD, 99, 70000 }
};

static char content[70000];

static int file_of(size_t bytes)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    memset(content, 'x', sizeof content);
    assert_true(file_pwrite_all(fd, (str){ content, bytes }, 0));
    return fd;
}

static int export_make(size_t count)
{
    int fd = memfd_create("export", MFD_CLOEXEC);
    archive_writer w;
    assert_false(is_fault(archive_begin(&w, fd, STR("mx.example.test"), 1234567890)));
    for (size_t i = 0; i < count; i++) {
        int file = file_of(files[i].bytes);
        assert_false(is_fault(archive_put(&w, files[i].place, files[i].id, file)));
        close(file);
    }
    assert_false(is_fault(archive_end(&w)));
    archive_free(&w);
    return fd;
}

static size_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (size_t)st.st_size;
}

static void it_comes_back(void **state)
{
    (void)state;
    for (size_t count = 0; count <= COUNT_OF(files); count++) {
        int fd = export_make(count);
        archive a;
        assert_false(is_fault(archive_open(&a, fd)));
        assert_int_equal(a.members.n, count);
        assert_true(str_equal(a.host, STR("mx.example.test")));
        assert_int_equal(a.made_s, 1234567890);
        for (size_t i = 0; i < count; i++) {
            int to = memfd_create("copy", MFD_CLOEXEC);
            assert_int_equal(a.members.p[i].place, files[i].place);
            assert_int_equal(a.members.p[i].id, files[i].id);
            assert_false(is_fault(archive_copy(fd, &a.members.p[i], to)));
            assert_int_equal(size_of(to), files[i].bytes);
            close(to);
        }
        archive_close(&a);
        close(fd);
    }
}

static void cut_anywhere_it_is_refused(void **state)
{
    int fd = export_make(3);
    size_t whole = size_of(fd) - 2 * ARCHIVE_BLOCK; /* the two empty blocks at the end are for other readers */
    (void)state;
    archive a;
    assert_int_equal(ftruncate(fd, (off_t)whole), 0);
    fault f = archive_open(&a, fd);
    archive_close(&a);
    assert_false(is_fault(f));
    for (size_t n = whole; n-- > 0;) {
        if (n > whole - ARCHIVE_BLOCK) /* zeros behind the manifest */
            continue;
        assert_int_equal(ftruncate(fd, (off_t)n), 0);
        f = archive_open(&a, fd);
        archive_close(&a);
        assert_int_equal(f.kind, FAULT_BROKEN);
    }
    close(fd);
}

/* Two files, the second of 512 octets: header, header, content, header of the manifest, manifest. */
static void any_octet_counts(void **state)
{
    int fd = export_make(2), to = memfd_create("copy", MFD_CLOEXEC);
    size_t whole = size_of(fd) - 2 * ARCHIVE_BLOCK;
    (void)state;
    for (size_t at = 0; at < whole; at++) {
        char was, now;
        archive a;
        assert_int_equal(pread(fd, &was, 1, (off_t)at), 1);
        now = (char)(was ^ 4);
        assert_int_equal(pwrite(fd, &now, 1, (off_t)at), 1);
        fault f = archive_open(&a, fd);
        for (size_t i = 0; i < a.members.n && !is_fault(f); i++)
            f = archive_copy(fd, &a.members.p[i], to);
        bool is_blank = at % ARCHIVE_BLOCK == 155 && was == ' ';                /* behind a header's sum */
        bool is_harmless = is_blank || (was == '\0' && at > 4 * ARCHIVE_BLOCK); /* behind the manifest */
        bool is_host = !is_fault(f) && !str_equal(a.host, STR("mx.example.test"));
        bool is_time = !is_fault(f) && a.made_s != 1234567890;
        if (!is_fault(f) && !is_harmless && !is_host && !is_time)
            fail_msg("octet %zu", at);
        archive_close(&a);
        assert_int_equal(pwrite(fd, &was, 1, (off_t)at), 1);
    }
    close(fd);
    close(to);
}

static void what_is_no_export_is_refused(void **state)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), empty = memfd_create("empty", MFD_CLOEXEC);
    archive a;
    (void)state;
    assert_int_equal(archive_open(&a, null).kind, FAULT_REFUSED);
    archive_close(&a);
    assert_int_equal(archive_open(&a, empty).kind, FAULT_BROKEN);
    archive_close(&a);
    close(null);
    close(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(cut_anywhere_it_is_refused),
        cmocka_unit_test(any_octet_counts),
        cmocka_unit_test(what_is_no_export_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
