/* A few fresh queue files kept ready, so that no message waits for one. Where messages are committed one after the other, they are
 * prepared: with zeros on the disk before a message comes. Its commit then writes over them, which a journal has no part in, as size,
 * blocks and name stay; else it waits for two transactions, that of its new blocks and that which says they are written. Where they are
 * offered one after the other they need no file, only an id: they stand in memory. Runs in: cleanup. */
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "os/fd.h"
#include "queue/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    IDS_WANTED = 32, /* at the next one qmgr looks again whether there is room on the disk */
    PREPARED_WANTED = 56, /* so that the disk has those of one lot before they are used */
    WRITABLE_WANTED = 8,
    LATELY_MAX = 16,
    LATELY_MANY = 8,
    BLOCK = 4096,
};

static bool are_committed(const cleanup *c)
{
    return c->habit.lately >= LATELY_MANY;
}

static uint32_t prepared_bytes(const cleanup *c)
{
    return (c->habit.bytes + BLOCK - 1) / BLOCK * BLOCK;
}

void blank_close(blank *b)
{
    fd_close(&b->read_write);
    fd_close(&b->write_only);
}

void blank_tell(const blank *b, uint16_t type)
{
    queue_file m = { .queue_id = b->id };
    if (b->qmgr)
        channel_put(&b->qmgr->channel, type, 0, queue_file, &m);
}

bool blank_give(const blank *b, uint16_t type)
{
    queue_file m = { .queue_id = b->id };
    int fd = b->is_in_memory && fd_memory_seal(b->read_write) ? fcntl(b->read_write, F_DUPFD_CLOEXEC, 0) : -1;
    if (b->is_in_memory && fd < 0)
        return false;
    channel_put_fds(&b->qmgr->channel, type, 0, queue_file, &m, &fd, b->is_in_memory);
    return true;
}

/* Of those of a qmgr that is gone its successor finds the files. */
static void blanks_forget(stock *s, const peer *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->p[i].qmgr == p)
            blank_close(&s->p[i]);
        else
            s->p[kept++] = s->p[i];
    }
    s->n = kept;
}

static void blanks_give_back(stock *s)
{
    for (size_t i = 0; i < s->n; i++) {
        blank_tell(&s->p[i], QUEUE_DROP);
        blank_close(&s->p[i]);
    }
    s->n = 0;
}

void stock_learn(const intake *i, uint64_t committed_bytes)
{
    cleanup *c = i->bringer->cleanup;
    commit_habit *h = &c->habit;
    if (!i->is_enclosed)
        return;
    if (committed_bytes == 0 && h->lately > 0 && --h->lately == 0)
        blanks_give_back(&c->stock[FRESH_PLAIN]);
    if (committed_bytes == 0 || committed_bytes > QUEUE_PREPARED_MAX)
        return;
    h->lately += h->lately < LATELY_MAX;
    uint32_t bytes = (uint32_t)committed_bytes;
    h->bytes = bytes > h->bytes ? bytes : h->bytes - (h->bytes - bytes) / LATELY_MAX;
}

bool stock_take(cleanup *c, bool is_writable, blank *out)
{
    stock *s = &c->stock[is_writable ? FRESH_WRITABLE : are_committed(c) ? FRESH_PLAIN : FRESH_ID];
    c->takes_writable = c->takes_writable || is_writable;
    if (s->n == 0)
        return false;
    *out = s->p[0];
    memmove(s->p, s->p + 1, --s->n * sizeof *out);
    if (out->is_in_memory)
        out->read_write = fd_memory("message");
    return true;
}

/* Writable ones are not asked for before the first one is needed. */
static size_t wanted(const cleanup *c, enum fresh_kind kind)
{
    switch (kind) {
    case FRESH_ID: return are_committed(c) ? 0 : IDS_WANTED;
    case FRESH_PLAIN: return are_committed(c) ? PREPARED_WANTED : 0;
    case FRESH_WRITABLE: return c->takes_writable ? WRITABLE_WANTED : 0;
    case FRESH_KINDS: break;
    }
    return 0;
}

void stock_refill(cleanup *c)
{
    peer *q = daemon_peer(c->process, "qmgr");
    if (q == NULL || (c->process->is_draining && c->intake_count == 0))
        return;
    for (enum fresh_kind kind = 0; kind < FRESH_KINDS && q->asked == 0; kind++) {
        size_t there = c->stock[kind].n, least = wanted(c, kind);
        if (there > least / 2 || there >= least)
            continue;
        queue_take m = { .count = (uint32_t)(least - there),
                         .kind = kind,
                         .prepared_bytes = kind == FRESH_PLAIN ? prepared_bytes(c) : 0 };
        q->asked = m.count;
        channel_put(&q->channel, QUEUE_TAKE, 0, queue_take, &m);
    }
}

static bool on_fresh(void *context, channel *ch, received *r)
{
    peer *from = context;
    cleanup *c = from->daemon->state;
    queue_fresh m;
    (void)ch;
    if (queue_fresh_decode(r->bytes, &m) != PARSE_DONE || from->asked == 0)
        return false;
    from->asked--;
    *vec_add(&c->stock[r->fd_count]) = (blank){ .id = m.queue_id,
                                                .read_write = r->fd_count > 0 ? received_take(r, 0) : -1,
                                                .write_only = r->fd_count > 1 ? received_take(r, 1) : -1,
                                                .prepared_bytes = m.prepared_bytes,
                                                .is_in_memory = r->fd_count == 0,
                                                .qmgr = from };
    intake_serve(c, NO_FAULT);
    return true;
}

fault result_fault(const queue_result *m)
{
    char status[8];
    snprintf(status, sizeof status, "%.*s", STR_ARG(m->status));
    return fault_make((fault_kind)m->outcome, status, "%.*s", STR_ARG(m->reason));
}

/* Who comes next asks again; asking at once would be told the same at once. */
static bool on_full(void *context, channel *ch, received *r)
{
    peer *from = context;
    queue_result m;
    (void)ch;
    if (queue_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG || m.outcome == FAULT_NONE)
        return false;
    fault full = result_fault(&m);
    memcpy(full.status, "3.1", 4);
    from->asked = 0;
    intake_serve(from->daemon->state, full);
    return true;
}

static const talk_row rows[] = {
    { QUEUE_FRESH, 0, FRESH_KINDS - 1, on_fresh },
    { QUEUE_FULL, 0, 0, on_full },
    { QUEUE_OUTCOME, 0, 0, direct_on_outcome },
    { QUEUE_OVER, 0, 0, direct_on_over },
    { QUEUE_KEEP, 0, 0, offer_on_keep },
    { QUEUE_NAMED, 1, 1, commit_on_named },
    { QUEUE_UNNAMED, 0, 0, commit_on_unnamed },
};
const talk qmgr_talk = { "cleanup-qmgr", rows, COUNT_OF(rows), NULL };

void stock_opened(peer *p)
{
    commit_adopt(p->daemon->state);
    stock_refill(p->daemon->state);
}

/* Its successor leaves alone what we have, and discards it, unfinished, when we let go. */
void stock_lost(peer *p)
{
    cleanup *c = p->daemon->state;
    for (enum fresh_kind kind = 0; kind < FRESH_KINDS; kind++)
        blanks_forget(&c->stock[kind], p);
    for (intake *i = c->intakes, *next; i; i = next) {
        next = i->next;
        if (i->file.qmgr != p)
            continue;
        i->file.qmgr = NULL;
        if (i->state == INTAKE_DIRECT)
            intake_end(i, fault_make(FAULT_TRY_LATER, "3.0", "Queue manager restarted"));
        else if (i->state == INTAKE_OFFERED)
            commit_put(i);
    }
    commit_adopt(c); /* by another that is there already */
    stock_refill(c);
}
