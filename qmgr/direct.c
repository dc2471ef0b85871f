/* Messages by LMTP: who brought one keeps it until each recipient's result is said. So it is tried once, told, and gone: no later
 * try, no report, no place in hold. Runs in: qmgr. */
#include "base/memory.h"
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"
#include <stdlib.h>

static direct *direct_of(const qmgr *q, uint64_t id)
{
    return q->directs.n ? map_get(&q->directs, ID_KEY(id)) : NULL;
}

bool is_direct(const qmgr *q, const message *m)
{
    return direct_of(q, m->id) != NULL;
}

fault direct_add(qmgr *q, uint64_t id, peer *holder)
{
    if (q->process->is_draining)
        return fault_make(FAULT_TRY_LATER, "3.2", "System is going down");
    if (q->active_count >= daemon_config(q->process)->qmgr_message_active_limit)
        return fault_make(FAULT_TRY_LATER, "3.2", "Too many messages at once");
    direct *d = memory_get(sizeof *d);
    *d = (direct){ .id = id, .holder = holder };
    map_put(&q->directs, ID_KEY(d->id), d);
    return NO_FAULT;
}

void direct_forget(qmgr *q, uint64_t id, const peer *holder)
{
    direct *d = direct_of(q, id);
    if (d == NULL || d->holder != holder)
        return;
    d->holder = NULL;
    message *m = message_find(q, id);
    if (m && m->state == MESSAGE_READY)
        m->asked = ASKED_DELETE; /* what has not begun does not begin: it will come again */
}

void direct_holder_lost(const peer *p)
{
    qmgr *q = p->daemon->state;
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->directs, &cursor, &e))
        direct_forget(q, ((const direct *)e.value)->id, p);
}

/* What a slot says, as whoever asked sees it: past the queue's lifetime, too, it may try again. */
static fault_kind outcome_of(const loaded *l, uint32_t index)
{
    switch ((slot_state)l->file.slots[index].state) {
    case SLOT_DELIVERED: return FAULT_NONE;
    case SLOT_FAILED: return l->progress[index].worst.kind == FAULT_REFUSED ? FAULT_REFUSED : FAULT_TRY_LATER;
    case SLOT_DEFERRED:
    case SLOT_PENDING: break;
    }
    return FAULT_TRY_LATER;
}

static void outcomes_say(const message *m, peer *holder)
{
    const loaded *l = m->loaded;
    for (uint32_t i = 0; i < l->file.head.recipient_count; i++) {
        const queue_slot *s = &l->file.slots[i];
        str status = str_c(s->status), reason = str_c(s->reason);
        queue_outcome o = { .queue_id = m->id,
                            .index = i,
                            .outcome = outcome_of(l, i),
                            .status = status.n ? str_from(status, 2) : STR("3.0"),
                            .reason = reason.n ? reason : STR("Not tried now") };
        channel_put(&holder->channel, QUEUE_OUTCOME, 0, queue_outcome, &o);
    }
}

/* `all`: the result of every recipient; none: each has one of its own. */
static void end(qmgr *q, message *m, fault all)
{
    direct *d = map_remove(&q->directs, ID_KEY(m->id));
    if (d->holder && !is_fault(all))
        outcomes_say(m, d->holder);
    message_remove(q, m); /* before the last word: what was answered is nowhere here */
    if (d->holder) {
        result_say(d->holder, QUEUE_OVER, d->id, all);
        channel_flush(&d->holder->channel); /* now: we may be about to leave */
    }
    free(d);
}

void direct_fail(qmgr *q, message *m, fault why)
{
    if (why.kind != FAULT_TRY_LATER)
        why = fault_make(FAULT_TRY_LATER, "3.0", "%s", why.text); /* of our file, not of the message */
    end(q, m, why);
}

void direct_finish(qmgr *q, message *m)
{
    bool has_results = m->loaded && m->loaded->progress;
    end(q, m, has_results ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.2", "Not tried now"));
}
