#include "pickup/pickup.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool drop_name_is_valid(const char *name)
{
    size_t n = strspn(name, "0123456789abcdef");
    return n == DROP_NAME_CHARS && name[n] == '\0';
}

/* A link to somebody else's file, a device, a pipe: none of them is a message. */
static const char *odd(const struct stat *st, uint64_t size_limit)
{
    if (!S_ISREG(st->st_mode))
        return "not a plain file";
    if (st->st_nlink != 1)
        return "it has another name elsewhere";
    if (size_limit && (uint64_t)st->st_size > size_limit + 4 * DROP_ENVELOPE_MAX)
        return "too large";
    return NULL;
}

static void discard_old(const pickup *p, const char *name, const struct stat *st)
{
    if (clock_s() < (uint64_t)st->st_mtime + DROP_UNFINISHED_S)
        return;
    log_event(LOG_WARNING, "drop-discarded", LOG_C("name", name), LOG_NUM("uid", st->st_uid),
              LOG_C("reason", "never finished"));
    unlinkat(p->drop_fd, name, 0);
}

bool parcel_is_strange(pickup *p, const char *name)
{
    return p->strange.n >= STRANGE_MAX || map_put(&p->strange, str_c(name), p) != NULL;
}

void parcel_set_aside(pickup *p, const char *name, uid_t uid, const char *reason)
{
    char aside[DROP_NAME_CHARS + 16];
    snprintf(aside, sizeof aside, "%s.refused", name);
    bool is_done = renameat(p->drop_fd, name, p->drop_fd, aside) == 0;
    if (!is_done) /* a link, a pipe: our confinement lets us rename plain files only, and these are no mail */
        is_done = unlinkat(p->drop_fd, name, 0) == 0;
    if (!is_done && parcel_is_strange(p, name))
        return; /* it stays, and was logged */
    p->refused++;
    log_event(LOG_ERROR, "drop-refused", LOG_C("name", name), LOG_NUM("uid", uid), LOG_C("reason", reason));
}

static fault read_whole(parcel *k)
{
    fault f = queue_read(k->fd, &k->arena, &k->message);
    if (!is_fault(f) && k->message.head.recipient_count == 0)
        f = fault_make(FAULT_BROKEN, "5.3", "it has no recipients");
    if (!is_fault(f) && k->message.head.envelope_bytes > DROP_ENVELOPE_MAX)
        f = fault_make(FAULT_BROKEN, "5.3", "it has too many recipients");
    return is_fault(f) ? f : queue_content_check(k->fd, &k->message.head);
}

/* A file that went away meanwhile is no news; one that cannot be opened (a link, another's rights) will never be. */
static void not_opened(pickup *p, const char *name, int error)
{
    if (error == ENOENT)
        return;
    if (error == ELOOP || error == EACCES || error == EPERM || error == ENXIO)
        parcel_set_aside(p, name, 0, strerror(error));
    else
        log_event(LOG_ERROR, "drop-waits", LOG_C("name", name), LOG_C("reason", strerror(error)));
}

bool parcel_open(pickup *p, const char *name, parcel *out)
{
    struct stat st;
    *out = (parcel){ .fd = openat(p->drop_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) };
    if (out->fd < 0 || fstat(out->fd, &st) != 0) {
        not_opened(p, name, errno);
        fd_close(&out->fd);
        return false;
    }
    const char *why = odd(&st, daemon_config(p->process)->message_size_limit);
    fault f = why ? fault_make(FAULT_BROKEN, "3.0", "%s", why) : read_whole(out);
    if (!is_fault(f)) {
        snprintf(out->name, sizeof out->name, "%s", name);
        out->uid = st.st_uid;
        return true;
    }
    if (f.kind == FAULT_REFUSED) /* no end yet: sendmail still writes it, or was killed */
        discard_old(p, name, &st);
    else if (f.kind == FAULT_TRY_LATER)
        log_event(LOG_ERROR, "drop-waits", LOG_C("name", name), LOG_C("reason", f.text));
    else
        parcel_set_aside(p, name, st.st_uid, f.text);
    parcel_close(out);
    return false;
}

void parcel_close(parcel *k)
{
    fd_close(&k->fd);
    arena_free(&k->arena);
    k->cleanup = NULL;
}
