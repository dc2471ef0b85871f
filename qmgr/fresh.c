/* Files that cleanups fill: given out in lots, taken over when made durable. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "ipc/talk/queue.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/file_sync.h"
#include "os/journal.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOT_MAX = 64, HELD_MAX = 8192 /* files of one cleanup: more than it can have open */ };

bool fresh_prepare(process *p)
{
    qmgr *q = p->state;
    q->mixes_names = journal_mixes_names(p->identity.root_fd);
    q->has_journal = journal_is_kept(p->identity.root_fd);
    return true;
}

void fresh_forget(qmgr *q, fresh *f)
{
    map_remove(&q->fresh, ID_KEY(f->id));
    f->holder->asked--;
    free(f);
}

/* Nobody wants it any more. */
static void fresh_remove(qmgr *q, fresh *f)
{
    if (f->has_file)
        queue_tree_remove(q->root_fd, QUEUE_ACTIVE, f->id);
    fresh_forget(q, f);
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

void fresh_hold(fresh *f, peer *holder)
{
    if (f->holder)
        f->holder->asked--;
    f->holder = holder;
    holder->asked++;
}

fresh *fresh_add(qmgr *q, peer *holder, uint64_t id)
{
    fresh *n = memory_get(sizeof *n);
    *n = (fresh){ .id = id };
    fresh_hold(n, holder);
    map_put(&q->fresh, ID_KEY(n->id), n);
    return n;
}

/* The disk has them before a message comes: its commit needs no new blocks then, and waits for no journal. */
static bool zeros_write(int fd, uint32_t bytes)
{
    static const char zeros[QUEUE_PREPARED_MAX];
    if (bytes == 0)
        return true;
    bool is_done = file_pwrite_all(fd, (str){ zeros, bytes }, 0);
    file_sync_begin(fd, 0, 0);
    return is_done;
}

int fresh_open(qmgr *q, uint64_t id)
{
    int fd = spare_take(q, id);
    return fd >= 0 ? fd : queue_tree_create(q->root_fd, QUEUE_ACTIVE, id);
}

/* Who writes the content gets a descriptor that can only write, at the place where content begins. */
static fault file_make(qmgr *q, uint64_t id, int out[2], const queue_take *how)
{
    bool is_writable = how->kind == FRESH_WRITABLE;
    out[0] = fresh_open(q, id);
    out[1] = out[0] >= 0 && is_writable ? queue_tree_open(q->root_fd, QUEUE_ACTIVE, id, O_WRONLY) : -1;
    if (is_writable ? out[1] >= 0 && lseek(out[1], QUEUE_CONTENT_START, SEEK_SET) >= 0
                    : out[0] >= 0 && zeros_write(out[0], how->prepared_bytes))
        return NO_FAULT;
    fault f = fault_errno("make a queue file");
    bool is_made = out[0] >= 0;
    fd_close(&out[0]);
    fd_close(&out[1]);
    if (is_made)
        queue_tree_remove(q->root_fd, QUEUE_ACTIVE, id);
    return f;
}

static fault fresh_give(qmgr *q, peer *to, const queue_take *how)
{
    queue_fresh m = { .prepared_bytes = how->prepared_bytes };
    int fds[2];
    if (to->asked >= HELD_MAX)
        return fault_make(FAULT_TRY_LATER, "3.2", "Too many messages at once");
    fault f = ids_next(q, &m.queue_id);
    if (!is_fault(f) && how->kind != FRESH_ID)
        f = file_make(q, m.queue_id, fds, how);
    if (is_fault(f))
        return f;
    fresh_add(q, to, m.queue_id)->has_file = how->kind != FRESH_ID;
    channel_put_fds(&to->channel, QUEUE_FRESH, 0, queue_fresh, &m, fds, how->kind);
    return NO_FAULT;
}

void result_say(peer *to, uint16_t type, uint64_t id, fault f)
{
    queue_result m = { .queue_id = id, .outcome = f.kind, .status = str_c(f.status), .reason = str_c(f.text) };
    channel_put(&to->channel, type, 0, queue_result, &m);
}

static bool on_take(void *context, channel *c, received *r)
{
    peer *from = context;
    qmgr *q = from->daemon->state;
    queue_take m;
    (void)c;
    if (queue_take_decode(r->bytes, &m) != PARSE_DONE || m.count == 0 || m.count > LOT_MAX || m.kind >= FRESH_KINDS ||
        m.prepared_bytes > QUEUE_PREPARED_MAX)
        return false;
    if (m.kind != FRESH_PLAIN || !q->has_journal)
        m.prepared_bytes = 0;
    fault f = from->daemon->is_draining ? fault_make(FAULT_TRY_LATER, "3.2", "System is going down") : space_check(q);
    for (uint32_t i = 0; i < m.count && !is_fault(f); i++)
        f = fresh_give(q, from, &m);
    if (is_fault(f)) {
        log_fault(LOG_WARNING, "queue-full", f);
        result_say(from, QUEUE_FULL, 0, f);
    }
    return true;
}

/* What a cleanup says of a file: `held` is NULL when it is fresh no more. */
typedef struct word {
    qmgr *q;
    peer *from;
    uint64_t id;
    fresh *held;
} word;

/* False: no frame of a file, or of one that another cleanup holds. */
static bool word_read(peer *from, const received *r, word *out)
{
    qmgr *q = from->daemon->state;
    queue_file m;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    *out = (word){ q, from, m.queue_id, map_get(&q->fresh, ID_KEY(m.queue_id)) };
    return out->held == NULL || out->held->holder == from;
}

/* The same of a file that must be fresh still, or of a memory file instead of one. */
static bool word_of_held(peer *from, const received *r, word *out)
{
    return word_read(from, r, out) && out->held && out->held->has_file == (r->fd_count == 0);
}

/* That it is opened now is worth it, and there are descriptors: any number of messages may wait. */
static bool is_soon(const qmgr *q)
{
    return q->active_count < daemon_config(q->process)->qmgr_message_active_limit;
}

/* Ours from now on. `memory`: the file that it stands in; -1: in its own, under its name. */
static void take_over(qmgr *q, fresh *f, int memory)
{
    message *m = message_add(q, f->id, QUEUE_ACTIVE, clock_s());
    fresh_forget(q, f);
    q->accepted++;
    fault why = memory >= 0 ? message_load_memory(m, memory) : is_soon(q) ? message_load(q, m) : NO_FAULT;
    if (is_fault(why))
        message_damaged(q, m, why);
    else
        schedule_ready(q, m);
}

/* Its envelope says what it is: a start discards it. A failure leaves nothing. */
static bool on_direct(void *context, channel *c, received *r)
{
    word w;
    (void)c;
    if (!word_of_held(context, r, &w))
        return false;
    fault why = direct_add(w.q, w.id, w.from);
    if (!is_fault(why)) {
        take_over(w.q, w.held, r->fd_count ? received_take(r, 0) : -1);
        return true;
    }
    fresh_remove(w.q, w.held);
    result_say(w.from, QUEUE_OVER, w.id, why);
    return true;
}

static bool on_offer(void *context, channel *c, received *r)
{
    word w;
    (void)c;
    if (!word_of_held(context, r, &w))
        return false;
    if (!w.held->has_file && !is_soon(w.q)) {
        offer_keep_say(w.from, w.id); /* it stays fresh */
        return true;
    }
    offer_add(w.q, w.id, w.from);
    take_over(w.q, w.held, r->fd_count ? received_take(r, 0) : -1);
    return true;
}

static bool on_durable(void *context, channel *c, received *r)
{
    word w;
    (void)c;
    if (!word_read(context, r, &w) || (w.held && !w.held->has_file))
        return false;
    const message *m = message_find(w.q, w.id);
    if (m && !m->has_file)
        return false;
    if (w.held)
        take_over(w.q, w.held, -1);
    else
        offer_is_durable(w.q, w.id, w.from); /* or it is delivered and gone already */
    return true;
}

static bool on_drop(void *context, channel *c, received *r)
{
    word w;
    (void)c;
    if (!word_read(context, r, &w))
        return false;
    if (w.held) {
        fresh_remove(w.q, w.held);
        return true;
    }
    direct_forget(w.q, w.id, w.from); /* or its result is on its way already */
    offer_is_dropped(w.q, w.id, w.from);
    return true;
}

/* Nobody reads it before an admin does. */
static bool on_held(void *context, channel *c, received *r)
{
    word w;
    (void)c;
    if (!word_of_held(context, r, &w))
        return false;
    message *m = message_add(w.q, w.id, QUEUE_ACTIVE, clock_s());
    fresh_forget(w.q, w.held);
    w.q->accepted++;
    if (message_move(w.q, m, QUEUE_HOLD))
        log_event(LOG_INFO, "held", LOG_C("id", queue_id_text(m->id).text));
    else
        schedule_ready(w.q, m); /* its envelope says so, too */
    return true;
}

static const talk_row rows[] = {
    { QUEUE_TAKE, 0, 0, on_take },
    { QUEUE_DURABLE, 0, 0, on_durable },
    { QUEUE_HELD, 0, 0, on_held },
    { QUEUE_DIRECT, 0, 1, on_direct },
    { QUEUE_OFFER, 0, 1, on_offer },
    { QUEUE_DROP, 0, 0, on_drop },
    { QUEUE_NAME, 0, 0, memory_on_name },
    { QUEUE_UNNAMED, 0, 0, memory_on_unnamed },
};
const talk cleanup_talk = { "cleanup-qmgr", rows, COUNT_OF(rows), NULL };

/* It may have answered 250 already, its word to us lost with it: what is whole is delivered, as if a start had found it. */
static void orphan_settle(qmgr *q, fresh *f)
{
    if (!f->has_file) {
        fresh_forget(q, f);
        return;
    }
    message *m = message_add(q, f->id, QUEUE_ACTIVE, clock_s());
    fresh_forget(q, f);
    m->is_found = true;
    schedule_ready(q, m);
}

static void settle_all(qmgr *q, const peer *holder)
{
    VEC(fresh *) found = { 0 };
    map_entry e;
    size_t cursor = 0;
    while (map_next(&q->fresh, &cursor, &e)) {
        fresh *f = e.value;
        if (holder == NULL || f->holder == holder)
            *vec_add(&found) = f;
    }
    for (size_t i = 0; i < found.n; i++)
        orphan_settle(q, found.p[i]);
    vec_free(&found);
}

void fresh_holder_lost(peer *p)
{
    settle_all(p->daemon->state, p);
    direct_holder_lost(p);
    offer_holder_lost(p);
}
