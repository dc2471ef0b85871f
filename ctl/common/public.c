#include "ctl/common/public.h"
#include "os/fd.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

public_result public_connect(const config *c, const char *name, int *out_fd, fault *out_fault)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int n = snprintf(to.sun_path, sizeof to.sun_path, "%.*s/public/%s", STR_ARG(c->queue_directory), name);
    *out_fd = -1;
    if (n < 0 || (size_t)n >= sizeof to.sun_path) {
        *out_fault = fault_make(FAULT_REFUSED, "3.5", "queue_directory is too long for sockets in it");
        return PUBLIC_FAILED;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && fd_set_nonblock(fd, true)) {
        *out_fd = fd;
        return PUBLIC_CONNECTED;
    }
    bool is_down = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
    *out_fault = fault_errno("connect to %s", to.sun_path);
    fd_close(&fd);
    return is_down ? PUBLIC_NOT_RUNNING : PUBLIC_FAILED;
}
