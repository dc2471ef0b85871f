/* A mailbox that is one file: the locks as Debian asks for them (fcntl, then the dotlock; all let go when one is taken, and tried
 * again), then all that waits is appended and made durable at once. In the spool the dotlock is made by local, as the user may not.
 * Waiting is by timer. Runs in: local-worker. */
#include "base/log.h"
#include "local/worker/worker.h"
#include <time.h>

void spool_open(local_worker *l)
{
    tzset(); /* the zone's file is out of reach later on */
    l->mbox_fault = mbox_open(l->worker->mbox.p, 0, &l->mbox);
    if (is_fault(l->mbox_fault))
        log_fault(LOG_ERROR, "no-mailbox", l->mbox_fault);
}

static letter *letter_take(local_worker *l)
{
    letter *k = l->first;
    l->first = k->next;
    if (l->first == NULL)
        l->last = &l->first;
    return k;
}

/* A fault of the mailbox itself is that of each. */
static void answer_all(local_worker *l, fault f)
{
    while (l->first) {
        letter *k = letter_take(l);
        if (is_fault(f))
            answer_of_mailbox(l, k->ref, k->request.queue_id, f);
        else
            answer(l, k->ref, k->request.queue_id, k->result, "delivered to mailbox");
        letter_free(k);
    }
}

static void locks_leave(local_worker *l)
{
    deliver_lock m = { 0 };
    if (l->rules.flags & DELIVER_ASKS_FOR_LOCK && l->rules.flags & DELIVER_LOCKS_DOT)
        channel_put(&l->worker->pool, DELIVER_UNLOCK, 0, deliver_lock, &m);
    mbox_undot(l->mbox);
    mbox_unlock(l->mbox);
    l->state = SPOOL_AT_REST;
}

static fault sink_write(void *to, str bytes)
{
    return mbox_write(to, bytes);
}

static fault append(local_worker *l, const letter *k)
{
    content_sink to = { sink_write, l->mbox };
    fault f = mbox_begin(l->mbox, k->request.reverse_path);
    if (!is_fault(f))
        f = front_write(&k->request, to, true);
    if (!is_fault(f))
        f = content_write(&k->request, k->fd, to);
    if (!is_fault(f))
        f = mbox_end(l->mbox);
    if (is_fault(f))
        mbox_cancel(l->mbox);
    return f;
}

/* The next worker opens what is there then. */
static void moved(local_worker *l)
{
    l->worker->exit_status = WORKER_EXIT_MOVED;
    loop_stop(l->worker->loop);
}

/* The locks are ours. A mailbox that was removed or replaced is left to the next worker, which finds or makes what is there now. */
static void append_all(local_worker *l)
{
    if (!mbox_is_current(l->mbox)) {
        locks_leave(l);
        moved(l);
        return;
    }
    mbox_limit(l->mbox, l->rules.mailbox_bytes);
    for (letter *k = l->first; k; k = k->next)
        k->result = append(l, k);
    fault f = mbox_sync(l->mbox);
    locks_leave(l);
    answer_all(l, f);
}

static void wait_again(local_worker *l, fault why)
{
    mbox_undot(l->mbox);
    mbox_unlock(l->mbox);
    if (++l->attempts >= l->rules.lock_attempts || l->worker->is_leaving) {
        l->state = SPOOL_AT_REST;
        answer_all(l, why);
        return;
    }
    l->state = SPOOL_WAITING;
    timer_set(&l->again, (uint64_t)l->rules.lock_delay_s * 1000);
}

static void on_dot(local_worker *l, fault f)
{
    if (!is_fault(f)) {
        append_all(l);
        return;
    }
    if (f.kind == FAULT_BROKEN)
        l->attempts = l->rules.lock_attempts; /* waiting would not help */
    f.kind = FAULT_TRY_LATER;
    wait_again(l, f);
}

static void lock_try(void *context)
{
    local_worker *l = context;
    unsigned kinds = l->rules.flags;
    deliver_lock m = { 0 };
    if (l->first == NULL || l->state == SPOOL_ASKED)
        return;
    if ((kinds & DELIVER_LOCKS_FCNTL) && !mbox_lock(l->mbox)) {
        wait_again(l, fault_make(FAULT_TRY_LATER, "2.0", "the mailbox is locked by another program"));
    } else if (!(kinds & DELIVER_LOCKS_DOT)) {
        append_all(l);
    } else if (kinds & DELIVER_ASKS_FOR_LOCK) {
        l->state = SPOOL_ASKED;
        channel_put(&l->worker->pool, DELIVER_LOCK, 0, deliver_lock, &m);
    } else {
        on_dot(l, mbox_dot(l->mbox, l->rules.stale_lock_s));
    }
}

bool spool_on_locked(void *context, channel *ch, received *r)
{
    worker *w = context;
    local_worker *l = w->state;
    deliver_lock m;
    (void)ch;
    if (deliver_lock_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG || l->state != SPOOL_ASKED)
        return false;
    l->state = SPOOL_AT_REST;
    on_dot(l, m.outcome == FAULT_NONE ? NO_FAULT : fault_make((fault_kind)m.outcome, "2.0", "%.*s", STR_ARG(m.reason)));
    return true;
}

void spool_put(local_worker *l, letter *k)
{
    if (l->last == NULL) {
        l->last = &l->first;
        timer_open(&l->again, l->worker->loop, lock_try, l);
    }
    if (l->first == NULL)
        l->attempts = 0;
    *l->last = k;
    l->last = &k->next;
    if (l->mbox == NULL) {
        if (l->mbox_fault.kind != FAULT_REFUSED) /* else it was removed between its making and our start */
            answer_all(l, l->mbox_fault);
        moved(l);
    } else if (l->state == SPOOL_AT_REST) {
        task_put(l->worker->loop, &l->serve, lock_try, l); /* what comes in this round goes together */
    }
}

void spool_leave(local_worker *l)
{
    if (l->state == SPOOL_WAITING)
        lock_try(l);
}
