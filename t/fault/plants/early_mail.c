/* A bug for t/fault/powercut to find: local-worker makes a message durable in tmp/, and the rename to new/ not. */
#include <fcntl.h>
#include <unistd.h>

int __real_fsync(int fd);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    int fd = openat(from_fd, from, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? -1 : __real_fsync(fd);
    if (fd >= 0)
        close(fd);
    return result == 0 ? __real_renameat(from_fd, from, to_fd, to) : result;
}
