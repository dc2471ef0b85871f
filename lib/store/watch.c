#include "os/fd.h"
#include "store/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WATCHED = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW };

/* inotify takes a path only, and in a chroot there is no /proc to name a descriptor by. */
static bool watches_add(mailbox *m)
{
    static const char *const names[] = { "new", "cur" };
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool done = fchdir(m->box.dirfd) == 0;

    for (size_t i = 0; i < COUNT_OF(names) && done; i++) {
        m->watches[i] = inotify_add_watch(m->box.s->inotify_fd, names[i], WATCHED);
        done = m->watches[i] >= 0;
    }
    if (here >= 0 && fchdir(here) != 0)
        done = false;
    fd_close(&here);
    return done;
}

/* Views of one mailbox share the kernel's watch. */
static bool is_shared(const mailbox *m, int watch)
{
    for (const mailbox *other = m->box.s->mailboxes; other; other = other->next)
        if (other != m && (other->watches[0] == watch || other->watches[1] == watch))
            return true;
    return false;
}

static void watches_remove(mailbox *m)
{
    for (size_t i = 0; i < COUNT_OF(m->watches); i++) {
        if (m->watches[i] >= 0 && !is_shared(m, m->watches[i]))
            inotify_rm_watch(m->box.s->inotify_fd, m->watches[i]);
        m->watches[i] = -1;
    }
}

bool mailbox_watch(mailbox *m, bool is_on)
{
    store *s = m->box.s;

    if (!is_on || m->has_watch) {
        if (!is_on)
            watches_remove(m);
        m->has_watch = is_on;
        return true;
    }
    if (s->inotify_fd < 0)
        s->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    m->has_watch = s->inotify_fd >= 0 && watches_add(m);
    if (!m->has_watch)
        watches_remove(m);
    m->is_touched = true; /* what happened before the watch stood */
    return m->has_watch;
}

int store_watch_fd(store *s)
{
    return s->inotify_fd;
}

static void touch(store *s, const struct inotify_event *e)
{
    for (mailbox *m = s->mailboxes; m; m = m->next)
        if (e->mask & IN_Q_OVERFLOW || m->watches[0] == e->wd || m->watches[1] == e->wd)
            m->is_touched = true;
}

void store_watch_read(store *s)
{
    _Alignas(struct inotify_event) char bytes[4096];
    ssize_t n;

    while (s->inotify_fd >= 0 && (n = read(s->inotify_fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(bytes + at);
            touch(s, e);
            at += (ssize_t)(sizeof *e + e->len);
        }
}

bool mailbox_is_touched(mailbox *m)
{
    bool is_touched = m->is_touched;
    m->is_touched = false;
    return is_touched;
}
