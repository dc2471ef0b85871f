/* SOURCES:  NEEDS: ctl_common */
/* The sockets of a running suite: somebody listens, nobody does, the path cannot be. */
#include "ctl/common/public.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void it_connects_to_who_listens(void **state)
{
    char folder[] = "/tmp/test-public-XXXXXX", path[60];
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    fault f = NO_FAULT;
    int fd;
    (void)state;
    assert_non_null(mkdtemp(folder));
    config c = { .queue_directory = str_c(folder) };
    assert_int_equal(public_connect(&c, "ctl", &fd, &f), PUBLIC_NOT_RUNNING);
    assert_int_equal(fd, -1);
    snprintf(path, sizeof path, "%s/public", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/ctl", path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(public_connect(&c, "ctl", &fd, &f), PUBLIC_NOT_RUNNING); /* bound, as a killed one leaves it */
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(public_connect(&c, "ctl", &fd, &f), PUBLIC_CONNECTED);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    close(listener);
    unlink(at.sun_path);
    rmdir(path);
    rmdir(folder);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    char folder[200];
    fault f = NO_FAULT;
    int fd;
    (void)state;
    memset(folder, 'x', sizeof folder - 1);
    folder[sizeof folder - 1] = 0;
    config c = { .queue_directory = str_c(folder) };
    assert_int_equal(public_connect(&c, "ctl", &fd, &f), PUBLIC_FAILED);
    assert_int_equal(f.kind, FAULT_REFUSED);
    assert_int_equal(fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_connects_to_who_listens),
                                        cmocka_unit_test(a_path_that_is_too_long_is_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
