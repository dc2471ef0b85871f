/* In the place of libc's fstatfs and syncfs: all lies on the file system that a test says, and its commits are counted. */
#pragma once
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>
#include <unistd.h>

static long magic;       /* of the file system; 0: none is known */
static unsigned commits; /* of the whole of it */
static bool is_failing;

int fstatfs(int fd, struct statfs *out)
{
    *out = (struct statfs){ .f_type = magic };
    errno = EBADF;
    return fd < 0 || magic == 0 ? -1 : 0;
}

int syncfs(int fd)
{
    (void)fd;
    commits++;
    errno = EIO;
    return is_failing ? -1 : 0;
}
