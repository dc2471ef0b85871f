#include "ctl/sendmail/drop.h"
#include "base/clock.h"
#include "os/fd.h"
#include "queue/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DROP_MODE = 0640 }; /* the folder's group, which is pickup's, reads it */

static bool name_make(drop *d)
{
    unsigned char random[DROP_RANDOM_BYTES];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(d->name + 2 * i, 3, "%02x", random[i]);
    return true;
}

static int file_make(drop *d)
{
    int fd = openat(d->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, DROP_MODE);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT))
        return fd;
    d->has_name = true;
    return openat(d->folder, d->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, DROP_MODE);
}

fault drop_open(drop *d, const config *c)
{
    arena a = arena_new(0);
    str path = arena_printf(&a, "%.*s/drop", STR_ARG(c->queue_directory));
    *d = (drop){ .fd = -1, .folder = open(path.p, O_PATH | O_DIRECTORY | O_CLOEXEC) };
    fault f =
        d->folder >= 0 ? NO_FAULT : fault_errno("the mail system does not run, and it has no drop folder: %s", path.p);
    if (!is_fault(f) && !name_make(d))
        f = fault_errno("get random bits");
    if (!is_fault(f) && (d->fd = file_make(d)) < 0)
        f = fault_errno("leave a message in %s", path.p);
    /* The mode is the same whatever the caller's umask is. */
    if (!is_fault(f) && (fchmod(d->fd, DROP_MODE) != 0 || lseek(d->fd, QUEUE_CONTENT_START, SEEK_SET) < 0))
        f = fault_errno("prepare a message in %s", path.p);
    if (is_fault(f))
        drop_close(d);
    arena_free(&a);
    return f;
}

static bool name_give(drop *d)
{
    char self[40];
    if (d->has_name)
        return true;
    snprintf(self, sizeof self, "/proc/self/fd/%d", d->fd);
    return linkat(AT_FDCWD, self, d->folder, d->name, AT_SYMLINK_FOLLOW) == 0;
}

static fault records_make(const envelope *e, const recipients *to, uint32_t notify, buf *out)
{
    bool fits = queue_records_envelope(out, e);
    for (size_t i = 0; i < to->rows.n && fits; i++) {
        envelope_recipient r = { .address = to->rows.p[i], .original = to->rows.p[i], .notify = notify };
        fits = queue_records_recipient(out, &r);
    }
    return fits ? NO_FAULT : fault_make(FAULT_REFUSED, "5.3", "the envelope is too large");
}

fault drop_finish(drop *d, const envelope *e, const recipients *to, uint32_t notify, uint64_t bytes, uint32_t checksum)
{
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    fault f = records_make(e, to, notify, &records);
    if (!is_fault(f)) {
        queue_finish_args args = { .arrived_us = clock_us(),
                                   .content_bytes = bytes,
                                   .content_checksum = checksum,
                                   .recipient_count = (uint32_t)to->rows.n,
                                   .records = buf_str(&records) };
        f = queue_finish(d->fd, &args);
    }
    if (!is_fault(f) && !name_give(d))
        f = fault_errno("name the message");
    if (!is_fault(f)) {
        d->has_name = true;
        if (fsync(d->fd) != 0)
            f = fault_errno("make the message durable");
    }
    buf_free(&records);
    if (!is_fault(f))
        d->has_name = false; /* it stays */
    drop_close(d);
    return f;
}

void drop_close(drop *d)
{
    if (d->has_name && d->fd >= 0)
        unlinkat(d->folder, d->name, 0);
    d->has_name = false;
    fd_close(&d->fd);
    fd_close(&d->folder);
}
