/* Files that cleanups fill: given out in lots, committed by rename, taken over when made durable. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOT_MAX = 64, HELD_MAX = 8192 /* files of one cleanup: more than it can have open */, ORPHAN_MS = 1000 };

static void fresh_free(qmgr *q, fresh *f)
{
    map_remove(&q->fresh, ID_KEY(f->id));
    if (f->holder)
        f->holder->asked--;
    if (f->state != FRESH_GIVEN)
        daemon_session_closed(q->process);
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

/* Room for one more message of the largest size, as queue_minfree says. */
static fault space_check(qmgr *q)
{
    const config *c = daemon_config(q->process);
    uint64_t wanted = c->queue_minfree ? c->queue_minfree : c->message_size_limit + c->message_size_limit / 2;
    struct statvfs fs;
    if (fstatvfs(q->root_fd, &fs) != 0)
        return fault_errno("look at the queue's file system");
    if ((uint64_t)fs.f_bavail * fs.f_frsize < wanted)
        return fault_make(FAULT_TRY_LATER, "3.1", "Insufficient system storage");
    return NO_FAULT;
}

static fault fresh_make(qmgr *q, peer *holder, fresh **out)
{
    uint64_t id;
    if (holder->asked >= HELD_MAX)
        return fault_make(FAULT_TRY_LATER, "3.2", "Too many messages at once");
    fault f = ids_next(q, &id);
    if (is_fault(f))
        return f;
    int fd = queue_tree_create(q->root_fd, id);
    if (fd < 0)
        return fault_errno("create a queue file");
    fresh *n = memory_get(sizeof *n);
    *n = (fresh){ .id = id, .fd = fd, .holder = holder };
    holder->asked++;
    map_put(&q->fresh, ID_KEY(n->id), n);
    *out = n;
    return NO_FAULT;
}

/* smtpd gets a descriptor that can only write, at the place where content begins. */
static fault fresh_give(qmgr *q, peer *to)
{
    fresh *n;
    fault f = fresh_make(q, to, &n);
    if (is_fault(f))
        return f;
    int fds[2] = { fcntl(n->fd, F_DUPFD_CLOEXEC, 0), queue_tree_open(q->root_fd, QUEUE_INCOMING, n->id, O_WRONLY) };
    if (fds[0] < 0 || fds[1] < 0 || lseek(fds[1], QUEUE_CONTENT_START, SEEK_SET) < 0) {
        f = fault_errno("open a queue file");
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        queue_tree_remove(q->root_fd, QUEUE_INCOMING, n->id);
        fresh_free(q, n);
        return f;
    }
    queue_file m = { .queue_id = n->id };
    channel_put_fds(&to->channel, QUEUE_FRESH, 0, queue_file, &m, fds, 2);
    return NO_FAULT;
}

static void result_say(channel *c, uint16_t type, uint64_t id, fault f)
{
    queue_result m = { .queue_id = id, .outcome = f.kind, .status = str_c(f.status), .reason = str_c(f.text) };
    channel_put(c, type, 0, queue_result, &m);
}

static bool on_take(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_take m;
    if (queue_take_decode(r->bytes, &m) != PARSE_DONE || m.count == 0 || m.count > LOT_MAX)
        return false;
    fault f = from->daemon->is_draining ? fault_make(FAULT_TRY_LATER, "3.2", "System is going down") : space_check(q);
    for (uint32_t i = 0; i < m.count && !is_fault(f); i++)
        f = fresh_give(q, from);
    if (is_fault(f)) {
        log_fault(LOG_WARNING, "queue-full", f);
        result_say(c, QUEUE_FULL, 0, f);
    }
    return true;
}

/* The file that a cleanup names must be one that it holds, in that state. */
static fresh *fresh_named(peer *from, str bytes, fresh_state wanted)
{
    qmgr *q = from->daemon->state;
    queue_file m;
    if (queue_file_decode(bytes, &m) != PARSE_DONE)
        return NULL;
    fresh *f = map_get(&q->fresh, ID_KEY(m.queue_id));
    return f && f->holder == from && f->state == wanted ? f : NULL;
}

/* What is renamed and not said to be durable keeps a qmgr that leaves. */
static void commit_begun(qmgr *q, fresh *f)
{
    f->state = FRESH_COMMITTED;
    daemon_session_opened(q->process);
}

static bool on_commit(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    fresh *f = fresh_named(from, r->bytes, FRESH_GIVEN);
    if (f == NULL)
        return false;
    fault result = NO_FAULT;
    if (queue_tree_move(q->root_fd, QUEUE_INCOMING, QUEUE_ACTIVE, f->id))
        commit_begun(q, f);
    else
        result = fault_errno("rename a queue file");
    result_say(c, QUEUE_COMMITTED, f->id, result);
    return true;
}

/* Ours from now on. Its descriptor is of use only when it is delivered soon: so many messages may wait. */
static void take_over(qmgr *q, fresh *f)
{
    message *m = message_add(q, f->id, f->state == FRESH_GIVEN ? QUEUE_INCOMING : QUEUE_ACTIVE, clock_s());
    bool is_soon = q->active_count < daemon_config(q->process)->qmgr_message_active_limit;
    int fd = f->fd;
    f->fd = is_soon ? -1 : fd;
    fresh_free(q, f);
    q->accepted++;
    fault why = is_soon ? message_load(q, m, fd) : NO_FAULT;
    if (is_fault(why) && is_direct(q, m)) {
        direct_fail(q, m, why);
    } else if (why.kind == FAULT_REFUSED) { /* its cleanup emptied it: it was refused, and its word to drop it is lost */
        log_event(LOG_INFO, "discarded", LOG_C("id", queue_id_text(m->id).text), LOG_C("reason", why.text));
        message_remove(q, m);
    } else if (is_fault(why)) {
        message_damaged(q, m, why);
    } else {
        schedule_ready(q, m);
    }
}

/* It stays where it is: a start discards it there. A failure leaves nothing. */
static bool on_direct(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    fresh *f = fresh_named(from, r->bytes, FRESH_GIVEN);
    (void)c;
    if (f == NULL)
        return false;
    uint64_t id = f->id;
    fault why = direct_add(q, id, from);
    if (!is_fault(why)) {
        take_over(q, f);
        return true;
    }
    queue_tree_remove(q->root_fd, QUEUE_INCOMING, id);
    fresh_free(q, f);
    direct_refuse(from, id, why);
    return true;
}

static bool on_durable(void *context, channel *c, received *r)
{
    peer *from = context;
    fresh *f = fresh_named(from, r->bytes, FRESH_COMMITTED);
    (void)c;
    if (f == NULL)
        return false;
    take_over(from->daemon->state, f);
    return true;
}

static bool on_drop(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_file m;
    (void)c;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    fresh *f = map_get(&q->fresh, ID_KEY(m.queue_id));
    if (f == NULL) {
        direct_forget(q, m.queue_id, from); /* or its result is on its way already */
        return true;
    }
    if (f->holder != from)
        return false;
    queue_tree_remove(q->root_fd, f->state == FRESH_GIVEN ? QUEUE_INCOMING : QUEUE_ACTIVE, f->id);
    fresh_free(q, f);
    return true;
}

static const talk_row rows[] = {
    { QUEUE_TAKE, 0, 0, on_take },
    { QUEUE_COMMIT, 0, 0, on_commit },
    { QUEUE_DURABLE, 0, 0, on_durable },
    { QUEUE_DIRECT, 0, 0, on_direct },
    { QUEUE_DROP, 0, 0, on_drop },
};
const talk cleanup_talk = { "cleanup-qmgr", rows, COUNT_OF(rows), NULL };

typedef VEC(fresh *) fresh_list;

/* Those of a holder; NULL: orphans. */
static fresh_list fresh_of(const qmgr *q, const peer *holder)
{
    fresh_list found = { 0 };
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->fresh, &cursor, &e)) {
        fresh *f = e.value;
        if (f->holder == holder)
            *vec_add(&found) = f;
    }
    return found;
}

/* Its cleanup may have said yes, the word to us lost with the conversation: the message is kept, even if the disk does not take
 * it now. If it said no, it has emptied the file. */
static void on_orphans(void *context)
{
    qmgr *q = context;
    fresh_list orphans = fresh_of(q, NULL);
    for (size_t i = 0; i < orphans.n; i++) {
        if (fsync(orphans.p[i]->fd) != 0)
            log_fault(LOG_ERROR, "not-durable", fault_errno("sync a queue file"));
        take_over(q, orphans.p[i]);
    }
    vec_free(&orphans);
}

/* A cleanup that lives, and lost only this conversation, has its say about what was committed first. */
static void orphan(qmgr *q, fresh *f)
{
    if (f->state == FRESH_GIVEN) {
        queue_tree_remove(q->root_fd, QUEUE_INCOMING, f->id);
        fresh_free(q, f);
        return;
    }
    f->state = FRESH_ORPHAN;
    f->holder->asked--;
    f->holder = NULL;
    if (!q->orphans.is_open)
        timer_open(&q->orphans, q->process->loop, on_orphans, q);
    timer_set(&q->orphans, ORPHAN_MS);
}

void fresh_holder_lost(peer *p)
{
    qmgr *q = p->daemon->state;
    fresh_list held = fresh_of(q, p);
    for (size_t i = 0; i < held.n; i++)
        orphan(q, held.p[i]);
    vec_free(&held);
    direct_holder_lost(p);
}
