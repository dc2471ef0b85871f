/* Folders that a command changed, made durable together before it is answered. Runs in: qmgr, whose loop waits for the disk that
 * long: a few folders, and only when an admin asks. */
#include "qmgr/touched.h"
#include "os/journal.h"

static uint64_t *slot_of(touched *t, queue_place p, uint64_t id)
{
    return &t->ids[p][p == QUEUE_DEFERRED ? id % QUEUE_BRANCHES : 0];
}

void touched_add(touched *t, queue_place p, uint64_t id)
{
    *slot_of(t, p, id) = id;
}

static bool touched_any(const touched *t)
{
    bool is_any = false;
    for (int p = 0; p < QUEUE_PLACES; p++)
        for (size_t i = 0; i < QUEUE_BRANCHES; i++)
            is_any = is_any || t->ids[p][i];
    return is_any;
}

fault touched_sync(const touched *t, int queue_fd, bool mixes_names)
{
    fault f = NO_FAULT;
    if (mixes_names)
        return touched_any(t) ? journal_commit(queue_fd) : NO_FAULT;
    for (int p = 0; p < QUEUE_PLACES; p++)
        for (size_t i = 0; i < QUEUE_BRANCHES && !is_fault(f); i++)
            if (t->ids[p][i] && !queue_tree_sync(queue_fd, (queue_place)p, t->ids[p][i]))
                f = fault_errno("make the change durable");
    return f;
}
