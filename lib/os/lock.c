#include "os/lock.h"
#include "base/buf.h"
#include "base/num.h"
#include "os/fd.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { HOLDER_MAX = 256 };

static bool lock_try(int fd)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* "123 postrider master\n"; an OFD lock has no process id of its own, so the file says it. */
static pid_t holder_read(int fd, char *who, size_t who_size)
{
    char bytes[HOLDER_MAX];
    size_t n = 0;
    str number, rest;
    uint64_t pid;

    if (!file_pread_all(fd, bytes, sizeof bytes, 0, &n))
        n = 0;
    rest = str_upto((str){ bytes, n }, str_find((str){ bytes, n }, '\n'));
    if (!str_cut(&rest, ' ', &number) || !num_parse(number, 1, INT32_MAX, &pid))
        return 0;
    snprintf(who, who_size, "%.*s", STR_ARG(rest));
    return (pid_t)pid;
}

static fault holder_fault(int fd, const char *path)
{
    char who[HOLDER_MAX];
    pid_t pid = holder_read(fd, who, sizeof who);

    if (pid == 0)
        return fault_make(FAULT_TRY_LATER, "3.0", "%s is held by another process", path);
    return fault_make(FAULT_TRY_LATER, "3.0", "%s is held by process %d (%s)", path, (int)pid, who);
}

static bool holder_write(int fd, const char *who)
{
    buf line = buf_new(HOLDER_MAX);

    bool done = buf_printf(&line, "%d %s\n", (int)getpid(), who) && ftruncate(fd, 0) == 0 &&
                file_pwrite_all(fd, buf_str(&line), 0);
    buf_free(&line);
    return done;
}

fault lock_take(int dir, const char *path, mode_t mode, const char *who, int *out_fd)
{
    int fd = openat(dir, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
    fault f = NO_FAULT;

    *out_fd = -1;
    if (fd < 0)
        return fault_errno("cannot open the lock %s", path);
    if (!lock_try(fd))
        f = errno == EAGAIN || errno == EACCES ? holder_fault(fd, path) : fault_errno("cannot lock %s", path);
    else if (!holder_write(fd, who))
        f = fault_errno("cannot write %s", path);
    if (is_fault(f))
        fd_close(&fd);
    *out_fd = fd;
    return f;
}

pid_t lock_holder(int dir, const char *path)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char who[HOLDER_MAX];
    pid_t pid = 0;

    if (fd < 0)
        return 0;
    if (fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK)
        pid = holder_read(fd, who, sizeof who);
    fd_close(&fd);
    return pid;
}
