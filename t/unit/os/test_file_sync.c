/* Files made durable together: each has its own result, however many they are, and also where the kernel does not wait together. */
#include "os/file_sync.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES = 100 };

static int file_new(void)
{
    char path[] = "/tmp/test-file-sync-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    return fd >= 0 && write(fd, "x", 1) == 1 ? fd : -1;
}

/* Good ones, and among them what has no fsync, what is not open, and what is none. */
static fault each_result(void *context)
{
    file_sync files[FILES];
    int pair[2];
    (void)context;
    NEED(pipe(pair) == 0);
    for (size_t n = 0; n <= FILES; n += n < 4 ? 1 : 32) {
        for (size_t i = 0; i < n; i++) {
            int fd = i % 7 == 3 ? dup(pair[1]) : i % 11 == 5 ? -1 : file_new();
            files[i] = (file_sync){ .fd = fd, .error = -5 };
        }
        file_sync_all(files, n);
        for (size_t i = 0; i < n; i++) {
            NEED(files[i].error == (i % 7 == 3 ? EINVAL : i % 11 == 5 ? EBADF : 0));
            close(files[i].fd);
        }
    }
    return NO_FAULT;
}

/* The call fails with that error from now on. */
static bool call_fails(int call, int error)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rows / sizeof rows[0], rows };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static fault without_setup(void *context)
{
    NEED(call_fails(SYS_io_setup, EAGAIN));
    return each_result(context);
}

static fault without_submit(void *context)
{
    NEED(call_fails(SYS_io_submit, EAGAIN));
    return each_result(context);
}

/* Nothing is called durable of which that is not known. */
static fault without_results(void *context)
{
    file_sync files[3];
    (void)context;
    NEED(call_fails(SYS_io_getevents, EINVAL));
    for (size_t i = 0; i < 3; i++)
        files[i] = (file_sync){ .fd = file_new() };
    file_sync_all(files, 3);
    for (size_t i = 0; i < 3; i++)
        NEED(files[i].error == EIO);
    file_sync_all(files, 3); /* one after the other from now on */
    for (size_t i = 0; i < 3; i++)
        NEED(files[i].error == 0);
    return NO_FAULT;
}

static void each_has_its_own_result(void **state)
{
    (void)state;
    assert_int_equal(run_apart(each_result, NULL, false), 0);
}

static void where_the_kernel_does_not(void **state)
{
    (void)state;
    assert_int_equal(run_apart(without_setup, NULL, false), 0);
    assert_int_equal(run_apart(without_submit, NULL, false), 0);
    assert_int_equal(run_apart(without_results, NULL, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own_result),
        cmocka_unit_test(where_the_kernel_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
