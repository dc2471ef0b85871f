/* Files of messages that are gone, emptied and kept open: a new message gets one instead of a new file, which saves the file system
 * an unlink and a create. Whoever had a descriptor of the old message may have kept it, and would see the new one, or write into it:
 * only a file that nobody else has open is used again. Runs in: qmgr. */
#include "os/fd.h"
#include "os/lease.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <unistd.h>

enum {
    SPARES_MAX = 64,
    SPARES_AGING = 8, /* those that came last: who was told of the end closes its descriptor soon */
};

bool spare_keep(qmgr *q, message *m)
{
    bool is_full = q->spares.n >= SPARES_MAX || q->mixes_names;
    bool is_written = m->is_in_memory; /* its cleanup may be copying into it */
    if (m->place != QUEUE_ACTIVE || m->is_found || is_written || is_full || q->process->is_draining)
        return false;
    int fd = m->loaded && m->loaded->write_fd >= 0 ? m->loaded->write_fd
                                                   : queue_tree_open(q->root_fd, QUEUE_ACTIVE, m->id, O_RDWR);
    if (m->loaded)
        m->loaded->write_fd = -1;
    if (fd < 0 || ftruncate(fd, 0) != 0) {
        fd_close(&fd);
        return false;
    }
    *vec_add(&q->spares) = (spare){ .id = m->id, .fd = fd };
    return true;
}

static spare oldest(qmgr *q)
{
    spare s = q->spares.p[0];
    memmove(q->spares.p, q->spares.p + 1, --q->spares.n * sizeof s);
    return s;
}

int spare_take(qmgr *q, uint64_t id)
{
    while (q->spares.n > SPARES_AGING) {
        spare s = oldest(q);
        if (lease_is_alone(s.fd) && queue_tree_rename(q->root_fd, QUEUE_ACTIVE, s.id, id))
            return s.fd;
        queue_tree_remove(q->root_fd, QUEUE_ACTIVE, s.id);
        fd_close(&s.fd);
    }
    return -1;
}

void spares_remove(process *p)
{
    qmgr *q = p->state;
    while (q->spares.n) {
        spare s = oldest(q);
        queue_tree_remove(q->root_fd, QUEUE_ACTIVE, s.id);
        fd_close(&s.fd);
    }
    vec_free(&q->spares);
}
