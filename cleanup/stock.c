/* A few fresh queue files kept ready, so that no message waits for one. Where messages are committed one after the other, they are
 * prepared: with zeros on the disk before a message comes. Its commit then writes over them, which a journal has no part in, as size,
 * blocks and name stay; else it waits for two transactions, that of its new blocks and that which says they are written. What is
 * offered needs neither. Runs in: cleanup. */
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "ipc/talk/queue.h"
#include "os/fd.h"
#include "queue/file.h"
#include <stdio.h>
#include <string.h>

enum {
    STOCK_WANTED = 8,
    PREPARED_WANTED = 56, /* so that the disk has those of one lot before they are used */
    LATELY_MAX = 16,
    LATELY_MANY = 8,
    BLOCK = 4096,
};

static uint32_t prepared_bytes(const cleanup *c)
{
    return c->habit.lately < LATELY_MANY ? 0 : (c->habit.bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* The other kind is not asked for before the first one is needed. */
static stock *stock_of(cleanup *c, bool is_writable)
{
    stock *s = is_writable ? &c->writable : &c->plain;
    if (!is_writable)
        s->wanted = prepared_bytes(c) ? PREPARED_WANTED : STOCK_WANTED;
    return s;
}

void stock_learn(cleanup *c, uint64_t committed_bytes)
{
    commit_habit *h = &c->habit;
    if (committed_bytes == 0 && h->lately > 0)
        h->lately--;
    if (committed_bytes == 0 || committed_bytes > QUEUE_PREPARED_MAX)
        return;
    h->lately += h->lately < LATELY_MAX;
    uint32_t bytes = (uint32_t)committed_bytes;
    h->bytes = bytes > h->bytes ? bytes : h->bytes - (h->bytes - bytes) / LATELY_MAX;
}

void blank_close(blank *b)
{
    fd_close(&b->read_write);
    fd_close(&b->write_only);
}

bool stock_take(cleanup *c, bool is_writable, blank *out)
{
    stock *s = stock_of(c, is_writable);
    s->wanted = STOCK_WANTED;
    if (s->blanks.n == 0)
        return false;
    *out = s->blanks.p[0];
    memmove(s->blanks.p, s->blanks.p + 1, --s->blanks.n * sizeof *out);
    return true;
}

void stock_refill(cleanup *c)
{
    peer *q = daemon_peer(c->process, "qmgr");
    if (q == NULL || (c->process->is_draining && c->intake_count == 0))
        return;
    for (int is_writable = 0; is_writable <= 1 && q->asked == 0; is_writable++) {
        stock *s = stock_of(c, is_writable);
        if (s->wanted == 0 || s->blanks.n > s->wanted / 2)
            continue;
        queue_take m = { .count = (uint32_t)(s->wanted - s->blanks.n),
                         .is_writable = (uint32_t)is_writable,
                         .prepared_bytes = is_writable ? 0 : prepared_bytes(c) };
        q->asked = m.count;
        channel_put(&q->channel, QUEUE_TAKE, 0, queue_take, &m);
    }
}

void stock_drop(const blank *b)
{
    queue_file m = { .queue_id = b->id };
    if (b->qmgr)
        channel_put(&b->qmgr->channel, QUEUE_DROP, 0, queue_file, &m);
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
    bool is_writable = r->fd_count > 1;
    *vec_add(&stock_of(c, is_writable)->blanks) = (blank){ .id = m.queue_id,
                                                           .read_write = received_take(r, 0),
                                                           .write_only = is_writable ? received_take(r, 1) : -1,
                                                           .prepared_bytes = m.prepared_bytes,
                                                           .qmgr = from };
    intake_serve(c, NO_FAULT);
    return true;
}

static fault result_fault(const queue_result *m)
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
    { QUEUE_FRESH, 1, 2, on_fresh },
    { QUEUE_FULL, 0, 0, on_full },
    { QUEUE_OUTCOME, 0, 0, direct_on_outcome },
    { QUEUE_OVER, 0, 0, direct_on_over },
    { QUEUE_KEEP, 0, 0, offer_on_keep },
};
const talk qmgr_talk = { "cleanup-qmgr", rows, COUNT_OF(rows), NULL };

void stock_opened(peer *p)
{
    stock_refill(p->daemon->state);
}

static void blanks_drop(stock *s, const peer *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->blanks.n; i++) {
        if (s->blanks.p[i].qmgr == p)
            blank_close(&s->blanks.p[i]);
        else
            s->blanks.p[kept++] = s->blanks.p[i];
    }
    s->blanks.n = kept;
}

/* Its successor leaves alone what we have, and discards it, unfinished, when we let go. */
void stock_lost(peer *p)
{
    cleanup *c = p->daemon->state;
    blanks_drop(&c->plain, p);
    blanks_drop(&c->writable, p);
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
    stock_refill(c); /* of another that is there already */
}
