/* A bug for t/fault/powercut to find: cleanup makes the queue file durable before qmgr renames it, and not after. */
#include "queue/file.h"

int __real_fsync(int fd);
int __wrap_fsync(int fd);
fault __real_queue_finish(int fd, const queue_finish_args *args);
fault __wrap_queue_finish(int fd, const queue_finish_args *args);

fault __wrap_queue_finish(int fd, const queue_finish_args *args)
{
    fault f = __real_queue_finish(fd, args);
    if (!is_fault(f) && __real_fsync(fd) != 0)
        f = fault_errno("make the message durable");
    return f;
}

int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}
