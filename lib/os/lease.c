#include "os/lease.h"
#include <errno.h>
#include <fcntl.h>

static bool lease_try(int fd, int kind)
{
    if (fcntl(fd, F_SETLEASE, kind) != 0)
        return false;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return true;
}

bool lease_is_alone(int fd)
{
    return lease_try(fd, F_WRLCK);
}

bool lease_is_written(int fd)
{
    return !lease_try(fd, F_RDLCK) && errno == EAGAIN;
}
