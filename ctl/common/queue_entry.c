#include "ctl/common/queue_entry.h"

const char *slot_state_text(uint8_t state)
{
    static const char *const names[] = { [SLOT_PENDING] = "pending",
                                         [SLOT_DELIVERED] = "delivered",
                                         [SLOT_DEFERRED] = "deferred",
                                         [SLOT_FAILED] = "failed" };
    return state < COUNT_OF(names) ? names[state] : "unknown";
}

bool slot_is_open(const queue_slot *s)
{
    return s->state == SLOT_PENDING || s->state == SLOT_DEFERRED;
}

void queue_entry_read(int fd, arena *a, queue_entry *e)
{
    e->fd = fd;
    e->fault = queue_read(fd, a, &e->file);
    if (is_fault(e->fault))
        e->file = (queue_message){ 0 };
    if (e->next_try_s == 0)
        e->next_try_s = e->file.schedule.next_try_s;
}
