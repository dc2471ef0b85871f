/* SOURCES: master/socket_file.c  NEEDS: base */
/* What stands where a socket is to be: nothing, one without a listener, one with, a file. */
#include "master/socket_file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[40], path[80];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-socket-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static int listen_at(bool is_ours)
{
    int fd = -1;
    fault f = socket_file_listen(path, SOCK_STREAM, is_ours, &fd);
    assert_int_equal(is_fault(f), fd < 0);
    return fd;
}

static void everybody_may_connect(void **state)
{
    struct stat st;
    (void)state;
    int fd = listen_at(false);
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0666);
    close(fd);
}

static void one_that_nobody_listens_on_goes(void **state)
{
    (void)state;
    close(listen_at(false));
    int fd = listen_at(false);
    assert_true(fd >= 0);
    close(fd);
}

static void one_that_is_in_use_stays(void **state)
{
    (void)state;
    int other = listen_at(false);
    assert_int_equal(listen_at(false), -1);
    int fd = listen_at(true); /* in a folder of the suite's own it is what a master left that was killed */
    assert_true(fd >= 0);
    close(fd);
    close(other);
}

static void a_file_stays(void **state)
{
    struct stat st;
    (void)state;
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(listen_at(false), -1);
    assert_int_equal(listen_at(true), -1);
    socket_file_remove(path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void a_path_has_an_end(void **state)
{
    char name[200];
    int fd = -1;
    (void)state;
    for (size_t n = 100; n < 120; n++) {
        memset(name, 'x', sizeof name);
        memcpy(name, folder, strlen(folder));
        name[strlen(folder)] = '/';
        name[n] = '\0';
        fault f = socket_file_listen(name, SOCK_STREAM, false, &fd);
        if (is_fault(f) != (n > 107))
            fail_msg("%zu: %s", n, f.text);
        assert_int_equal(fd >= 0, n <= 107);
        if (fd >= 0)
            close(fd);
        socket_file_remove(name);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everybody_may_connect),    TEST(one_that_nobody_listens_on_goes),
        TEST(one_that_is_in_use_stays), TEST(a_file_stays),
        TEST(a_path_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
