/* What earlier runs left: unfinished files go, deferred ones wait for their time, active ones go first. Runs in: qmgr, at start. */
#include "base/log.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct scan {
    qmgr *q;
    size_t found[QUEUE_PLACES], strange, discarded;
} scan;

static void discard(scan *s, queue_place p, uint64_t id, const char *why)
{
    log_event(LOG_INFO, "discarded", LOG_C("id", queue_id_text(id).text), LOG_C("from", queue_place_name(p)),
              LOG_C("reason", why));
    queue_tree_remove(s->q->root_fd, p, id);
    s->discarded++;
}

/* Only the end mark and the times are looked at here; the rest is checked when the message is loaded. */
static bool peek(scan *s, queue_place p, uint64_t id, queue_message *out)
{
    int fd = queue_tree_open(s->q->root_fd, p, id, O_RDONLY);
    if (fd < 0)
        return false;
    arena a = arena_new(0);
    fault f = queue_read(fd, &a, out);
    close(fd);
    arena_free(&a);
    if (f.kind == FAULT_REFUSED && p == QUEUE_ACTIVE)
        discard(s, p, id, f.text);
    else if (is_fault(f) && f.kind != FAULT_TRY_LATER) {
        log_event(LOG_ERROR, "queue-file-damaged", LOG_C("id", queue_id_text(id).text), LOG_C("reason", f.text));
        queue_tree_move(s->q->root_fd, p, QUEUE_CORRUPT, id);
    }
    return !is_fault(f);
}

static bool each(void *context, queue_place p, uint64_t id, const char *name)
{
    scan *s = context;
    qmgr *q = s->q;
    queue_message file;
    s->found[p]++;
    if (id == 0) {
        log_event(LOG_WARNING, "strange-name", LOG_C("folder", queue_place_name(p)), LOG_C("name", name));
        s->strange++;
        return true;
    }
    if (id >= q->id_next)
        q->id_next = id + 1;
    if (p == QUEUE_INCOMING) {
        discard(s, p, id, "never acknowledged");
        return true;
    }
    if (p == QUEUE_CORRUPT || !peek(s, p, id, &file))
        return true;
    message *m = message_add(q, id, p, file.head.arrived_us / 1000000);
    m->tries = file.schedule.tries;
    if (p == QUEUE_ACTIVE)
        schedule_ready(q, m);
    else if (p == QUEUE_DEFERRED)
        schedule_at(q, m, file.schedule.next_try_s ? file.schedule.next_try_s : 1);
    return true;
}

fault scan_all(qmgr *q)
{
    scan s = { .q = q };
    fault f = NO_FAULT;
    schedule_soon(q);
    for (int p = 0; p < QUEUE_PLACES && !is_fault(f); p++)
        f = queue_tree_scan(q->root_fd, (queue_place)p, each, &s);
    log_event(LOG_INFO, "queue-scanned", LOG_NUM("active", s.found[QUEUE_ACTIVE]),
              LOG_NUM("deferred", s.found[QUEUE_DEFERRED]), LOG_NUM("hold", s.found[QUEUE_HOLD]),
              LOG_NUM("corrupt", s.found[QUEUE_CORRUPT]), LOG_NUM("discarded", s.discarded),
              LOG_NUM("strange", s.strange));
    return f;
}
