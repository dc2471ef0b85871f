/* Files for what cleanups have in memory: a message that was offered, or was to be, and must be kept after all. Also of an earlier qmgr,
 * or of an earlier conversation: whether that delivered it nobody knows then, and twice is better than refused and delivered.
 * Runs in: qmgr. */
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"

/* Where it is noted whether it has a file. NULL: nothing of this cleanup's, or the message is gone, and OVER is on its way. */
static bool *file_of(const qmgr *q, const peer *from, uint64_t id)
{
    message *m = offer_of_holder(q, id, from);
    if (m && m->is_in_memory)
        return &m->has_file;
    fresh *f = map_get(&q->fresh, ID_KEY(id));
    return f && f->holder == from ? &f->has_file : NULL;
}

/* It may be delivered and gone already. */
static void file_remove(qmgr *q, const peer *from, uint64_t id)
{
    bool *has_file = file_of(q, from, id);
    if (has_file == NULL || !*has_file)
        return;
    queue_tree_remove(q->root_fd, QUEUE_ACTIVE, id);
    *has_file = false;
}

bool memory_on_unnamed(void *context, channel *c, received *r)
{
    peer *from = context;
    queue_file m;
    (void)c;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    file_remove(from->daemon->state, from, m.queue_id);
    return true;
}

/* The file that an earlier qmgr made for it, its word of that lost with the conversation: a start found it, never finished. One that
 * is whole is another message, and one that is open to be written is another cleanup's: they stay, whoever asks. */
static void unfinished_remove(qmgr *q, uint64_t id)
{
    message *m = message_find(q, id);
    if (m == NULL || !m->is_found || m->is_lent || m->place != QUEUE_ACTIVE || message_is_held(q, m))
        return;
    fault f = message_load(q, m);
    message_unload(q, m);
    if (f.kind == FAULT_REFUSED) {
        schedule_never(q, m);
        message_remove(q, m);
    }
}

/* Who asks anew has no file: one that it was given is lost with the conversation. */
static void adopt(qmgr *q, peer *from, uint64_t id)
{
    fresh *f = map_get(&q->fresh, ID_KEY(id));
    offer_adopt(q, id, from);
    unfinished_remove(q, id);
    if (f && f->holder->instance == from->instance)
        fresh_hold(f, from);
    else if (ids_is_free(q, id))
        fresh_add(q, from, id);
    file_remove(q, from, id);
}

bool memory_on_name(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_name_ask m;
    if (queue_name_ask_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    if (m.is_orphan)
        adopt(q, from, m.queue_id);
    bool *has_file = file_of(q, from, m.queue_id);
    if (has_file == NULL && m.is_orphan)
        result_say(from, QUEUE_UNNAMED, m.queue_id, fault_make(FAULT_TRY_LATER, "3.0", "Queue manager restarted"));
    if (has_file == NULL || *has_file)
        return has_file == NULL;
    int fd = fresh_open(q, m.queue_id);
    if (fd < 0) {
        result_say(from, QUEUE_UNNAMED, m.queue_id, fault_errno("make a queue file"));
        return true;
    }
    *has_file = true;
    queue_file named = { .queue_id = m.queue_id };
    channel_put_fds(c, QUEUE_NAMED, 0, queue_file, &named, &fd, 1);
    return true;
}
