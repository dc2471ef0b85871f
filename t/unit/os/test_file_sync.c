/* Files made durable together: each has its own result, however many they are, and also where the kernel does not wait together. */
#include "os/file_sync.h"
#include "t/unit/os/os_test.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
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
static void files_open(file_sync *files, size_t n, int without_sync)
{
    for (size_t i = 0; i < n; i++) {
        int fd = i % 7 == 3 ? dup(without_sync) : i % 11 == 5 ? -1 : file_new();
        files[i] = (file_sync){ .fd = fd, .is_data = i % 2, .owner = &files[i], .error = -5 };
    }
}

static fault files_expect(const file_sync *files, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        NEED(files[i].error == (i % 7 == 3 ? EINVAL : i % 11 == 5 ? EBADF : 0));
        close(files[i].fd);
    }
    return NO_FAULT;
}

static fault each_result(void *context)
{
    file_sync files[FILES];
    int pair[2];
    fault f = NO_FAULT;
    (void)context;
    NEED(pipe(pair) == 0);
    for (size_t n = 0; n <= FILES && !is_fault(f); n += n < 4 ? 1 : 32) {
        files_open(files, n, pair[1]);
        file_sync_all(files, n);
        f = files_expect(files, n);
    }
    return f;
}

/* What is no file is refused when it is started, and those behind it wait: they are started by a call of their own. */
static fault each_result_of_the_background(void *context)
{
    enum { MORE = 3 * FILES };
    static file_sync files[MORE], some[16];
    int pair[2];
    size_t at = 0, got, most = 0, in_flight = 0, landed = 0;
    (void)context;
    NEED(pipe(pair) == 0);
    NEED(file_sync_take(some, 16, true) == 0);
    files_open(files, MORE, pair[1]);
    while (landed < MORE) {
        size_t started = file_sync_start(files + at, MORE - at);
        at += started;
        in_flight += started;
        most = in_flight > most ? in_flight : most;
        if (in_flight == 0) {
            file_sync_all(files + at++, 1);
            landed++;
            continue;
        }
        NEED((got = file_sync_take(some, 16, true)) > 0);
        for (size_t i = 0; i < got; i++)
            ((file_sync *)some[i].owner)->error = some[i].error;
        in_flight -= got;
        landed += got;
    }
    NEED(most > 1 && file_sync_take(some, 16, true) == 0);
    return files_expect(files, MORE);
}

static fault they_are_announced(void *context)
{
    file_sync file = { .fd = file_new(), .owner = &file }, result;
    (void)context;
    NEED(file_sync_ready_fd() == -1);
    NEED(file_sync_start(&file, 1) == 1);
    struct pollfd p = { .fd = file_sync_ready_fd(), .events = POLLIN };
    NEED(poll(&p, 1, 10000) == 1);
    NEED(file_sync_take(&result, 1, false) == 1 && result.owner == &file && result.error == 0);
    NEED(poll(&p, 1, 0) == 0);
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

static fault background_without_setup(void *context)
{
    file_sync file = { .fd = file_new() };
    (void)context;
    NEED(call_fails(SYS_io_setup, EAGAIN));
    NEED(file_sync_start(&file, 1) == 0);
    return NO_FAULT;
}

static fault background_without_submit(void *context)
{
    file_sync file = { .fd = file_new() };
    (void)context;
    NEED(call_fails(SYS_io_submit, EAGAIN));
    NEED(file_sync_start(&file, 1) == 0 && file_sync_take(&file, 1, true) == 0);
    return NO_FAULT;
}

static fault background_without_results(void *context)
{
    file_sync files[20], some[16];
    (void)context;
    NEED(call_fails(SYS_io_getevents, EINVAL));
    for (size_t i = 0; i < 20; i++)
        files[i] = (file_sync){ .fd = file_new(), .owner = &files[i], .error = -5 };
    NEED(file_sync_start(files, 20) == 20);
    for (size_t left = 20, got; left; left -= got) {
        NEED((got = file_sync_take(some, 16, false)) == (left < 16 ? left : 16));
        for (size_t i = 0; i < got; i++)
            ((file_sync *)some[i].owner)->error = some[i].error;
    }
    for (size_t i = 0; i < 20; i++)
        NEED(files[i].error == EIO);
    NEED(file_sync_start(files, 20) == 0); /* from now on */
    return NO_FAULT;
}

static void each_has_its_own_result(void **state)
{
    (void)state;
    assert_int_equal(run_apart(each_result, NULL, false), 0);
}

static void each_has_its_own_result_in_the_background(void **state)
{
    (void)state;
    assert_int_equal(run_apart(each_result_of_the_background, NULL, false), 0);
    assert_int_equal(run_apart(they_are_announced, NULL, false), 0);
}

static void where_the_kernel_does_not(void **state)
{
    (void)state;
    assert_int_equal(run_apart(background_without_setup, NULL, false), 0);
    assert_int_equal(run_apart(background_without_submit, NULL, false), 0);
    assert_int_equal(run_apart(background_without_results, NULL, false), 0);
    assert_int_equal(run_apart(without_setup, NULL, false), 0);
    assert_int_equal(run_apart(without_submit, NULL, false), 0);
    assert_int_equal(run_apart(without_results, NULL, false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own_result),
        cmocka_unit_test(each_has_its_own_result_in_the_background),
        cmocka_unit_test(where_the_kernel_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
