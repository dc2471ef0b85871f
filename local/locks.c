#include "base/clock.h"
#include "base/log.h"
#include "local/local.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lock_make(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Whoever made it did not live to remove it. */
static bool lock_is_stale(const char *path, uint64_t stale_s)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && clock_s() > (uint64_t)st.st_mtime + stale_s;
}

fault dotlock_take(mailbox *m, uint64_t stale_s)
{
    bool is_made = lock_make(m->lock.p);
    if (!is_made && errno == EEXIST && lock_is_stale(m->lock.p, stale_s)) {
        log_event(LOG_WARNING, "stale-lock", LOG_STR("file", m->lock));
        is_made = unlink(m->lock.p) == 0 && lock_make(m->lock.p);
    }
    m->has_lock = is_made;
    if (is_made)
        return NO_FAULT;
    return errno == EEXIST ? fault_make(FAULT_TRY_LATER, "2.0", "the mailbox is locked by another program")
                           : fault_make(FAULT_BROKEN, "2.0", "the dotlock of the mailbox cannot be made: %s", strerror(errno));
}

void dotlock_give(mailbox *m)
{
    if (m->has_lock && unlink(m->lock.p) != 0 && errno != ENOENT)
        log_fault(LOG_ERROR, "lock-stays", fault_errno("remove %s", m->lock.p));
    m->has_lock = false;
}

gid_t spool_group(const config *c)
{
    struct stat st;
    bool is_used = c->system_users && c->home_mailbox.n == 0;
    return is_used && stat(c->mail_spool_directory.p, &st) == 0 && (st.st_mode & S_IWGRP) ? st.st_gid : 0;
}

bool spool_has(const config *c, str path)
{
    str below = str_from(path, c->mail_spool_directory.n);
    return str_starts(path, c->mail_spool_directory) && below.n > 1 && below.p[0] == '/' && !str_has(str_from(below, 1), '/');
}
