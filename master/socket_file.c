#include "master/socket_file.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_BACKLOG = 1024 };

void socket_file_remove(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
}

/* A file that is no socket is never in use as one: it is not ours to remove. */
static bool is_in_use(const struct sockaddr_un *to, int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers = fd >= 0 && (connect(fd, (const struct sockaddr *)to, sizeof *to) == 0 || errno != ECONNREFUSED);
    if (fd >= 0)
        close(fd);
    return answers;
}

fault socket_file_listen(const char *path, int type, bool is_ours, int *out_fd)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    *out_fd = -1;
    int n = snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    if (n < 0 || (size_t)n >= sizeof to.sun_path)
        return fault_make(FAULT_REFUSED, "3.5", "%s is too long for a socket: at most %zu octets", path,
                          sizeof to.sun_path - 1);
    *out_fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (is_ours || !is_in_use(&to, type))
        socket_file_remove(path);
    if (*out_fd >= 0 && bind(*out_fd, (struct sockaddr *)&to, sizeof to) == 0 && chmod(to.sun_path, 0666) == 0 &&
        listen(*out_fd, SOCKET_BACKLOG) == 0)
        return NO_FAULT;
    fault f = fault_errno("listen on %s", path);
    if (*out_fd >= 0)
        close(*out_fd);
    *out_fd = -1;
    return f;
}
