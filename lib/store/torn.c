#include "base/log.h"
#include "store/internal.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_short(const maildir_name *parts, const struct stat *st)
{
    return (uint64_t)st->st_size != parts->stored_bytes;
}

/* The size may be durable before the content is: there are blocks then, but nothing was written to them. */
static bool has_hole(int fd, const struct stat *st)
{
    off_t hole = lseek(fd, 0, SEEK_HOLE);
    return hole >= 0 && hole < st->st_size && lseek(fd, 0, SEEK_SET) == 0;
}

bool torn_set_aside(int dirfd, const char *path, int fd, const struct stat *st)
{
    char aside[MAILDIR_NAME_MAX + 8];
    maildir_name parts;
    const char *name = path + 4;
    bool is_in_new = path[0] == 'n';

    if (!maildir_name_read(str_c(name), &parts) || !parts.is_ours || parts.stored_bytes == SIZE_UNKNOWN)
        return false;
    if (!(is_in_new && is_short(&parts, st)) && !(fd >= 0 && has_hole(fd, st)))
        return false;
    log_event(LOG_WARNING, "torn-delivery", LOG_C("file", name));
    snprintf(aside, sizeof aside, "tmp/%s", name);
    return renameat(dirfd, path, dirfd, aside) == 0;
}
