/* A message in memory: little while it waits, its envelope while it is being delivered. Runs in: qmgr. */
#include "base/log.h"
#include "base/memory.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

message *message_find(qmgr *q, uint64_t id)
{
    return map_get(&q->messages, ID_KEY(id));
}

message *message_add(qmgr *q, uint64_t id, queue_place place, uint64_t arrived_s)
{
    message *m = memory_get(sizeof *m);
    *m = (message){ .id = id, .place = (uint8_t)place, .arrived_s = arrived_s };
    map_put(&q->messages, ID_KEY(m->id), m);
    return m;
}

fault message_load(qmgr *q, message *m, int fd)
{
    if (m->loaded)
        return NO_FAULT;
    if (fd < 0)
        fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDWR);
    if (fd < 0)
        return fault_errno("open the queue file");
    loaded *l = memory_get(sizeof *l);
    l->fd = fd;
    fault f = queue_read(fd, &l->arena, &l->file);
    if (!is_fault(f) && l->file.head.id != m->id)
        f = fault_make(FAULT_BROKEN, "3.0", "the queue file holds another id than its name");
    if (is_fault(f)) {
        close(fd);
        arena_free(&l->arena);
        free(l);
        return f;
    }
    m->arrived_s = l->file.head.arrived_us / 1000000;
    m->tries = l->file.schedule.tries;
    m->loaded = l;
    return NO_FAULT;
}

void message_unload(qmgr *q, message *m)
{
    (void)q;
    if (m->loaded == NULL)
        return;
    close(m->loaded->fd);
    arena_free(&m->loaded->arena);
    free(m->loaded);
    m->loaded = NULL;
}

bool message_move(qmgr *q, message *m, queue_place to)
{
    if (m->place == to)
        return true;
    if (!queue_tree_move(q->root_fd, m->place, to, m->id)) {
        log_event(LOG_ERROR, "not-moved", LOG_C("id", queue_id_text(m->id).text), LOG_C("to", queue_place_name(to)),
                  LOG_C("reason", fault_errno("rename").text));
        return false;
    }
    m->place = (uint8_t)to;
    return true;
}

void message_forget(qmgr *q, message *m)
{
    schedule_never(q, m);
    message_unload(q, m);
    map_remove(&q->messages, ID_KEY(m->id));
    free(m);
}

/* A file that stays says at least what was delivered, for the next start of a qmgr. */
static void states_keep(const message *m)
{
    const loaded *l = m->loaded;
    for (uint32_t i = 0; l && i < l->file.head.recipient_count; i++)
        (void)queue_slot_write(l->fd, &l->file.head, i, &l->file.slots[i]);
}

void message_remove(qmgr *q, message *m)
{
    if (queue_tree_remove(q->root_fd, m->place, m->id) || errno == ENOENT) {
        message_forget(q, m);
        return;
    }
    log_event(LOG_ERROR, "not-removed", LOG_C("id", queue_id_text(m->id).text),
              LOG_C("reason", fault_errno("unlink").text));
    states_keep(m);
    message_unload(q, m);
    m->asked = ASKED_DELETE;
    schedule_at(q, m, 0);
}

/* Never away: an admin may still read what is left of it. A disk that fails is no damage of the file: it is tried again. */
void message_damaged(qmgr *q, message *m, fault why)
{
    log_event(LOG_ERROR, why.kind == FAULT_TRY_LATER ? "queue-file-unreadable" : "queue-file-damaged",
              LOG_C("id", queue_id_text(m->id).text), LOG_C("reason", why.text));
    if (is_direct(q, m)) {
        direct_fail(q, m, why);
        return;
    }
    if (why.kind == FAULT_TRY_LATER) {
        schedule_at(q, m, 0);
        return;
    }
    message_move(q, m, QUEUE_CORRUPT);
    message_forget(q, m);
}
