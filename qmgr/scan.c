/* What earlier runs left: unfinished files go, active ones are tried first, deferred ones when their time comes. The names are all
 * that is read before mail flows; the times of deferred ones are read beside it. Runs in: qmgr, at start. */
#include "base/log.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { LEARN_PER_ROUND = 200 };

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

static void found(qmgr *q, queue_place p, uint64_t id)
{
    message *m = message_add(q, id, p, 0);
    m->is_found = true;
    if (p == QUEUE_ACTIVE)
        schedule_ready(q, m);
    else if (p == QUEUE_DEFERRED)
        *vec_add(&q->learning.ids) = id;
}

static bool each(void *context, queue_place p, uint64_t id, const char *name)
{
    scan *s = context;
    qmgr *q = s->q;
    s->found[p]++;
    if (id == 0) {
        log_event(LOG_WARNING, "strange-name", LOG_C("folder", queue_place_name(p)), LOG_C("name", name));
        s->strange++;
        return true;
    }
    if (id >= q->id_next)
        q->id_next = id + 1;
    if (p == QUEUE_INCOMING)
        discard(s, p, id, "never acknowledged");
    else if (p != QUEUE_CORRUPT)
        found(q, p, id);
    return true;
}

/* One whose head cannot be read is tried at once: then it shows what is wrong with it. */
static void learn_one(qmgr *q, message *m)
{
    queue_schedule when = { 0 };
    int fd = queue_tree_open(q->root_fd, QUEUE_DEFERRED, m->id, O_RDONLY);
    fault f = fd >= 0 ? queue_times_read(fd, &m->arrived_s, &when) : NO_FAULT;
    if (fd >= 0)
        close(fd);
    m->tries = is_fault(f) || when.tries == 0 ? 1 : when.tries;
    schedule_at(q, m, when.next_try_s ? when.next_try_s : 1);
}

static void learn(void *context)
{
    qmgr *q = context;
    learning *l = &q->learning;
    for (unsigned n = 0; n < LEARN_PER_ROUND && l->at < l->ids.n; n++) {
        message *m = message_find(q, l->ids.p[l->at++]);
        if (m && m->place == QUEUE_DEFERRED && m->state == MESSAGE_AT_REST && !m->is_lent)
            learn_one(q, m);
    }
    if (l->at < l->ids.n) {
        task_put(q->process->loop, &l->task, learn, q);
        return;
    }
    log_event(LOG_INFO, "queue-known", LOG_NUM("deferred", l->ids.n));
    vec_free(&l->ids);
    l->at = 0;
}

/* A qmgr whose master was killed ends by itself within drain_timeout: until then this one waits. master gives a start a minute. */
fault scan_own(const qmgr *q)
{
    if (flock(q->root_fd, LOCK_EX | LOCK_NB) == 0)
        return NO_FAULT;
    log_event(LOG_WARNING, "waits-for-queue", LOG_C("reason", "the qmgr of an earlier master still has it"));
    log_flush();
    while (flock(q->root_fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return fault_errno("own the queue");
    return NO_FAULT;
}

fault scan_all(qmgr *q)
{
    scan s = { .q = q };
    fault f = NO_FAULT;
    schedule_soon(q);
    task_put(q->process->loop, &q->learning.task, learn, q);
    for (int p = 0; p < QUEUE_PLACES && !is_fault(f); p++)
        f = queue_tree_scan(q->root_fd, (queue_place)p, each, &s);
    log_event(LOG_INFO, "queue-scanned", LOG_NUM("active", s.found[QUEUE_ACTIVE]),
              LOG_NUM("deferred", s.found[QUEUE_DEFERRED]), LOG_NUM("hold", s.found[QUEUE_HOLD]),
              LOG_NUM("corrupt", s.found[QUEUE_CORRUPT]), LOG_NUM("discarded", s.discarded),
              LOG_NUM("strange", s.strange));
    return f;
}
