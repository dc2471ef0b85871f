/* Sealed memory files cannot change; exactly the named descriptors stay. */
#include "os/fd.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

static void a_sealed_file_cannot_change(void **state)
{
    int fd;
    str got;
    (void)state;
    assert_false(is_fault(fd_seal("test", STR("content"), &fd)));
    assert_true(fd_is_sealed(fd));
    assert_true(pwrite(fd, "x", 1, 0) < 0);
    assert_true(ftruncate(fd, 0) < 0);
    assert_true(ftruncate(fd, 100) < 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(is_fault(fd_map_sealed(fd, 7, &got)));
    assert_true(str_equal(got, STR("content")));
    fd_unmap(&got);
    assert_int_equal(fd_map_sealed(fd, 6, &got).kind, FAULT_BROKEN);
    fd_close(&fd);
    assert_int_equal(fd, -1);
}

static void an_empty_one_maps_to_nothing(void **state)
{
    int fd;
    str got;
    (void)state;
    assert_false(is_fault(fd_seal("test", STR(""), &fd)));
    assert_false(is_fault(fd_map_sealed(fd, 0, &got)));
    assert_int_equal(got.n, 0);
    fd_close(&fd);
}

static void one_is_filled_and_then_sealed(void **state)
{
    char got[4];
    int fd = fd_memory("test");
    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "abc", 3, 1), 3);
    assert_false(fd_is_sealed(fd));
    assert_true(fd_memory_seal(fd));
    assert_true(fd_is_sealed(fd));
    assert_true(pwrite(fd, "x", 1, 0) < 0);
    assert_int_equal(pread(fd, got, 4, 0), 4);
    assert_memory_equal(got, "\0abc", 4);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    fd_close(&fd);
}

static void an_open_one_is_refused(void **state)
{
    int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING), pair[2];
    str got;
    (void)state;
    assert_int_equal(fd_map_sealed(fd, 100, &got).kind, FAULT_BROKEN);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK), 0);
    assert_false(fd_is_sealed(fd));
    fd_close(&fd);
    assert_int_equal(pipe(pair), 0);
    assert_false(fd_is_sealed(pair[0]));
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void flags_are_set_and_cleared(void **state)
{
    int pair[2];
    (void)state;
    assert_int_equal(pipe(pair), 0);
    assert_true(fd_set_nonblock(pair[0], true) && (fcntl(pair[0], F_GETFL) & O_NONBLOCK));
    assert_true(fd_set_nonblock(pair[0], false) && !(fcntl(pair[0], F_GETFL) & O_NONBLOCK));
    assert_true(fd_set_cloexec(pair[0], true) && fcntl(pair[0], F_GETFD) == FD_CLOEXEC);
    assert_true(fd_set_cloexec(pair[0], false) && fcntl(pair[0], F_GETFD) == 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static fault only_the_named_stay(void *context)
{
    int fds[8], kept[] = { 0, -1, 0 };
    (void)context;
    for (int i = 0; i < 8; i++)
        NEED((fds[i] = dup(2)) >= 0);
    kept[0] = fds[6];
    kept[2] = fds[2];
    NEED(fd_close_others(kept, 3));
    for (int i = 0; i < 8; i++)
        NEED((fcntl(fds[i], F_GETFD) >= 0) == (i == 2 || i == 6));
    NEED(fcntl(0, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0);
    NEED(fd_close_others(NULL, 0));
    NEED(fcntl(fds[2], F_GETFD) < 0);
    return NO_FAULT;
}

static void others_are_closed(void **state)
{
    (void)state;
    assert_int_equal(run_apart(only_the_named_stay, NULL, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_file_cannot_change), cmocka_unit_test(an_empty_one_maps_to_nothing),
        cmocka_unit_test(an_open_one_is_refused),      cmocka_unit_test(flags_are_set_and_cleared),
        cmocka_unit_test(others_are_closed),           cmocka_unit_test(one_is_filled_and_then_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
