#include "ctl/queue/again.h"
#include "base/map.h"

enum { SEEN_DELIVERED = 1, SEEN_AGAIN = 2 };
static char seen_marks[3];

static str said(const envelope_recipient *r)
{
    return r->original.n ? r->original : r->address;
}

/* Delivered, or failed and its sender knows. */
static bool is_over(const queue_slot *s)
{
    return s->state == SLOT_DELIVERED || (s->state == SLOT_FAILED && (s->told & SLOT_TOLD_FAILURE));
}

/* Originals of which something was delivered: expanding those again would deliver it twice. */
static uint32_t delivered_find(const queue_message *m, map *seen)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        if (is_over(&m->slots[i]))
            map_put(seen, said(&m->recipients[i]), &seen_marks[SEEN_DELIVERED]);
        else
            open++;
    }
    return open;
}

bool again_change(void *context, queue_message *m, arena *a)
{
    map seen = { 0 };
    uint32_t kept = 0;
    (void)context, (void)a;
    if (delivered_find(m, &seen) == 0) {
        map_free(&seen);
        return false;
    }
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        envelope_recipient r = m->recipients[i];
        queue_slot slot = m->slots[i];
        const char *mark = map_get(&seen, said(&r));
        if (!is_over(&slot)) {
            if (mark == &seen_marks[SEEN_AGAIN])
                continue; /* its siblings come of the same address again */
            if (mark == NULL) {
                map_put(&seen, said(&r), &seen_marks[SEEN_AGAIN]);
                r.address = said(&r);
            }
            r.transport = r.nexthop = r.sender = STR_NONE;
            slot = (queue_slot){ 0 };
        }
        m->recipients[kept] = r;
        m->slots[kept++] = slot;
    }
    m->head.recipient_count = kept;
    m->schedule = (queue_schedule){ 0 };
    m->envelope.flags &= ~(uint32_t)ENVELOPE_HOLD;
    map_free(&seen);
    return true;
}
