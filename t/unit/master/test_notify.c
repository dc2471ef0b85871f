/* SOURCES: master/notify.c  NEEDS: daemon */
/* The datagrams of sd_notify. */
#include "master/master.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

static int manager_bind(const char *path, bool is_abstract)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(a.sun_path, path, strlen(path));
    if (is_abstract)
        a.sun_path[0] = '\0';
    assert_int_equal(
        bind(fd, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

static const char *told(int fd)
{
    static char text[200];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void tells_the_manager(void **state)
{
    char path[60];
    (void)state;
    for (int is_abstract = 0; is_abstract < 2; is_abstract++) {
        snprintf(path, sizeof path, "%s/test-notify-%d", is_abstract ? "@" : "/tmp", getpid());
        int fd = manager_bind(path, is_abstract);
        notify("READY=1");
        assert_string_equal(told(fd), "READY=1");
        notify_reloading();
        assert_int_equal(strncmp(told(fd), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
        close(fd);
        unlink(path);
    }
}

static void nobody_is_told_where_nobody_listens(void **state)
{
    char path[200];
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    notify("READY=1");
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    const char *const odd[] = { "", "/", "relative", "/nowhere/at/all", path };
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        setenv("NOTIFY_SOCKET", odd[i], 1);
        notify("READY=1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_manager),
        cmocka_unit_test(nobody_is_told_where_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
