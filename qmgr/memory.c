/* Files for what cleanups have in memory: a message that was offered, or was to be, and must be kept after all. Also of an earlier qmgr,
 * or of an earlier conversation: whether that delivered it nobody knows then, and twice is better than refused and delivered.
 * Runs in: qmgr. */
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"
#include <stdlib.h>

/* What the file is for; both NULL: the message is gone, and OVER is on its way; or a file of that name is there already. */
typedef struct wish {
    fresh *fresh;
    message *offered;
} wish;

/* False: nothing of this cleanup's, or it has a file. */
static bool wish_find(qmgr *q, peer *from, const queue_name_ask *m, wish *out)
{
    if (m->is_orphan)
        offer_adopt(q, m->queue_id, from);
    *out = (wish){ map_get(&q->fresh, ID_KEY(m->queue_id)),
                   offer_is_of(q, m->queue_id, from) ? message_find(q, m->queue_id) : NULL };
    if (m->is_orphan && ids_is_free(q, m->queue_id))
        out->fresh = fresh_add(q, from, m->queue_id);
    if (out->fresh && (out->fresh->holder != from || out->fresh->has_file))
        return false;
    return out->offered == NULL || !out->offered->has_file;
}

bool memory_on_unnamed(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_file m;
    (void)c;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    fresh *f = map_get(&q->fresh, ID_KEY(m.queue_id));
    message *offered = offer_is_of(q, m.queue_id, from) ? message_find(q, m.queue_id) : NULL;
    bool *has_file = offered && offered->is_in_memory ? &offered->has_file : f && f->holder == from ? &f->has_file : NULL;
    if (has_file && *has_file)
        queue_tree_remove(q->root_fd, QUEUE_ACTIVE, m.queue_id);
    if (has_file)
        *has_file = false;
    return true; /* or it is delivered and gone already */
}

bool memory_on_name(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_name_ask m;
    wish w;
    if (queue_name_ask_decode(r->bytes, &m) != PARSE_DONE || !wish_find(q, from, &m, &w))
        return false;
    bool is_gone = w.fresh == NULL && w.offered == NULL;
    if (is_gone && m.is_orphan)
        result_say(from, QUEUE_UNNAMED, m.queue_id, fault_make(FAULT_TRY_LATER, "3.0", "Queue manager restarted"));
    if (is_gone)
        return true;
    int fd = fresh_open(q, m.queue_id);
    if (fd < 0) {
        result_say(from, QUEUE_UNNAMED, m.queue_id, fault_errno("make a queue file"));
        return true;
    }
    *(w.fresh ? &w.fresh->has_file : &w.offered->has_file) = true;
    queue_file named = { .queue_id = m.queue_id };
    channel_put_fds(c, QUEUE_NAMED, 0, queue_file, &named, &fd, 1);
    return true;
}
