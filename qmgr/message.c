/* A message in memory: little while it waits, its envelope while it is being delivered. Runs in: qmgr. */
#include "base/log.h"
#include "base/memory.h"
#include "os/fd.h"
#include "os/lease.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

message *message_find(const qmgr *q, uint64_t id)
{
    return map_get(&q->messages, ID_KEY(id));
}

message *message_add(qmgr *q, uint64_t id, queue_place place, uint64_t arrived_s)
{
    message *m = memory_get(sizeof *m);
    *m = (message){ .id = id, .place = (uint8_t)place, .arrived_s = arrived_s, .has_file = true };
    map_put(&q->messages, ID_KEY(m->id), m);
    return m;
}

static loaded *loaded_new(void)
{
    loaded *l = memory_get(sizeof *l);
    l->fd = l->write_fd = -1;
    return l;
}

static void loaded_free(loaded *l)
{
    fd_close(&l->fd);
    fd_close(&l->write_fd);
    arena_free(&l->arena);
    free(l);
}

static fault load_from(message *m, int fd)
{
    loaded *l = loaded_new();
    l->fd = fd;
    fault f = fd < 0 ? fault_errno("open the queue file") : queue_read(fd, &l->arena, &l->file);
    if (!is_fault(f) && l->file.head.id != m->id)
        f = fault_make(FAULT_BROKEN, "3.0", "the queue file holds another id than its name");
    if (is_fault(f)) {
        loaded_free(l);
        return f;
    }
    m->arrived_s = l->file.head.arrived_us / 1000000;
    m->tries = l->file.schedule.tries;
    m->loaded = l;
    return NO_FAULT;
}

fault message_load(qmgr *q, message *m)
{
    return m->loaded ? NO_FAULT : load_from(m, queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY));
}

fault message_load_memory(message *m, int fd)
{
    m->is_in_memory = true;
    m->has_file = false;
    return load_from(m, fd);
}

int message_fd(qmgr *q, message *m)
{
    loaded *l = m->loaded;
    if (l->fd < 0)
        l->fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    return l->fd;
}

/* One with one recipient will hardly need it again; a memory file cannot be opened again. */
int message_fd_give(qmgr *q, message *m)
{
    loaded *l = m->loaded;
    int fd = message_fd(q, m);
    if (l->file.head.recipient_count > 1 || m->is_in_memory)
        return fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    l->fd = -1;
    return fd;
}

int message_write_fd(qmgr *q, message *m)
{
    loaded *l = m->loaded;
    if (l->write_fd < 0)
        l->write_fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDWR);
    return l->write_fd;
}

bool message_is_held(qmgr *q, message *m)
{
    int fd = queue_tree_open(q->root_fd, m->place, m->id, O_RDONLY);
    bool is_held = fd >= 0 && lease_is_written(fd);
    fd_close(&fd);
    return is_held;
}

void message_unload(qmgr *q, message *m)
{
    (void)q;
    if (m->loaded)
        loaded_free(m->loaded);
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
    offer_over(q, m->id, NO_FAULT);
    message *named = map_remove(&q->messages, ID_KEY(m->id));
    if (named && named != m) /* of two files with one id, one of which was never finished, the message stays */
        map_put(&q->messages, ID_KEY(m->id), named);
    free(m);
}

/* The file says at least what was delivered, for the next start of a qmgr. */
static void states_keep(qmgr *q, message *m)
{
    const loaded *l = m->loaded;
    for (uint32_t i = 0; l && i < l->file.head.recipient_count; i++)
        if (l->file.slots[i].state != SLOT_PENDING)
            (void)queue_slot_write(message_write_fd(q, m), &l->file.head, i, &l->file.slots[i]);
}

void message_is_kept(qmgr *q, message *m)
{
    m->is_in_memory = false;
    fd_close(&m->loaded->fd);
    states_keep(q, m);
}

void message_remove(qmgr *q, message *m)
{
    if (!m->has_file || spare_keep(q, m) || queue_tree_remove(q->root_fd, m->place, m->id) || errno == ENOENT) {
        if (m->has_file)
            removals_note(q);
        message_forget(q, m);
        return;
    }
    log_event(LOG_ERROR, "not-removed", LOG_C("id", queue_id_text(m->id).text),
              LOG_C("reason", fault_errno("unlink").text));
    states_keep(q, m);
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
    if (m->is_in_memory) { /* who brought it has it still */
        offer_over(q, m->id, fault_make(FAULT_TRY_LATER, "3.0", "%s", why.text));
        message_remove(q, m);
        return;
    }
    if (why.kind == FAULT_TRY_LATER) {
        schedule_at(q, m, 0);
        return;
    }
    if (m->asked == ASKED_DELETE) {
        message_remove(q, m);
        return;
    }
    message_move(q, m, QUEUE_CORRUPT);
    offer_over(q, m->id, fault_make(FAULT_TRY_LATER, "3.0", "%s", why.text));
    message_forget(q, m);
}
