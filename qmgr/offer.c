/* Messages that are offered before they are durable: when all their recipients have them durably first, the queue's own fsync is
 * left out. Else who offered it makes it durable before anything is said of it that only a durable message may be. So an offer ends
 * in one of three ways: the message is gone (OVER), it is durable (DURABLE), or what its cleanup says is: then one in a file is taken
 * for durable, as a start would that finds it whole; of one in memory finish_round sees what becomes of it. Runs in: qmgr. */
#include "base/memory.h"
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"
#include <stdlib.h>

static offer *offer_of(const qmgr *q, uint64_t id)
{
    return q->offers.n ? map_get(&q->offers, ID_KEY(id)) : NULL;
}

void offer_add(qmgr *q, uint64_t id, peer *holder)
{
    offer *o = memory_get(sizeof *o);
    *o = (offer){ .id = id, .holder = holder };
    map_put(&q->offers, ID_KEY(o->id), o);
}

static bool offer_end(qmgr *q, offer *o)
{
    bool was_parked = o->is_parked;
    map_remove(&q->offers, ID_KEY(o->id));
    free(o);
    return was_parked;
}

void offer_keep_say(peer *holder, uint64_t id)
{
    queue_file keep = { .queue_id = id };
    channel_put(&holder->channel, QUEUE_KEEP, 0, queue_file, &keep);
}

bool offer_park(qmgr *q, const message *m)
{
    offer *o = offer_of(q, m->id);
    if (o == NULL)
        return false;
    o->is_parked = true;
    offer_keep_say(o->holder, m->id);
    return true;
}

bool offer_is_durable(qmgr *q, uint64_t id, const peer *holder)
{
    offer *o = offer_of(q, id);
    if (o == NULL || o->holder != holder)
        return false;
    message *m = message_find(q, id);
    if (m && m->is_in_memory)
        message_is_kept(q, m);
    if (offer_end(q, o) && m)
        finish_round(q, m);
    return true;
}

message *offer_of_holder(const qmgr *q, uint64_t id, const peer *holder)
{
    const offer *o = offer_of(q, id);
    return o && o->holder == holder ? message_find(q, id) : NULL;
}

void offer_is_dropped(qmgr *q, uint64_t id, const peer *holder)
{
    offer *o = offer_of(q, id);
    if (o == NULL || o->holder != holder)
        return;
    message *m = message_find(q, id);
    bool was_parked = offer_end(q, o);
    m->asked = ASKED_DELETE;
    if (was_parked)
        finish_dropped(q, m);
    else
        finish_asked(q, m);
}

/* What was left with the conversation may be under way yet. A file that was left may be on its way into the queue: it stays left. */
void offer_adopt(qmgr *q, uint64_t id, peer *holder)
{
    offer *o = offer_of(q, id);
    const message *m = message_find(q, id);
    if (m == NULL || !m->is_in_memory || is_direct(q, m) || m->asked == ASKED_DELETE)
        return;
    if (o && o->holder->instance == holder->instance)
        o->holder = holder;
    else if (o == NULL && !m->has_file)
        offer_add(q, id, holder);
}

void offer_over(qmgr *q, uint64_t id, fault why)
{
    offer *o = offer_of(q, id);
    if (o == NULL)
        return;
    result_say(o->holder, QUEUE_OVER, id, why);
    offer_end(q, o);
}

/* Nobody was told that it is queued: what has not begun does not begin. */
static void offer_is_left(qmgr *q, message *m)
{
    if (m->state == MESSAGE_READY && !m->has_file)
        m->asked = ASKED_DELETE;
    if (offer_end(q, offer_of(q, m->id)))
        finish_round(q, m);
}

void offer_holder_lost(const peer *p)
{
    qmgr *q = p->daemon->state;
    VEC(uint64_t) ids = { 0 };
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->offers, &cursor, &e))
        if (((const offer *)e.value)->holder == p)
            *vec_add(&ids) = ((const offer *)e.value)->id;
    for (size_t i = 0; i < ids.n; i++) {
        message *m = message_find(q, ids.p[i]);
        if (m && m->is_in_memory)
            offer_is_left(q, m);
        else
            offer_is_durable(q, ids.p[i], p);
    }
    vec_free(&ids);
}
