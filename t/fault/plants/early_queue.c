/* A bug for t/fault/powercut to find: cleanup makes the queue file durable before its end mark is written, and not after. */
#include "queue/file.h"

int __real_fsync(int fd);
fault __real_queue_finish(int fd, const queue_finish_args *args);
fault __wrap_queue_finish(int fd, const queue_finish_args *args);

fault __wrap_queue_finish(int fd, const queue_finish_args *args)
{
    if (__real_fsync(fd) != 0)
        return fault_errno("make the message durable");
    return __real_queue_finish(fd, args);
}
