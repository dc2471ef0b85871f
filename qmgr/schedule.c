/* When a message is tried: at once, when there is room, or at its time. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "qmgr/qmgr.h"
#include <assert.h>

static void heap_put(qmgr *q, size_t at, message *m)
{
    q->waiting.p[at] = m;
    m->heap_at = at;
}

static void sift_up(qmgr *q, size_t at)
{
    message *m = q->waiting.p[at];
    while (at > 0 && q->waiting.p[(at - 1) / 2]->next_try_s > m->next_try_s) {
        heap_put(q, at, q->waiting.p[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(q, at, m);
}

static void sift_down(qmgr *q, size_t at)
{
    message *m = q->waiting.p[at];
    for (;;) {
        size_t least = at * 2 + 1;
        if (least >= q->waiting.n)
            break;
        if (least + 1 < q->waiting.n && q->waiting.p[least + 1]->next_try_s < q->waiting.p[least]->next_try_s)
            least++;
        if (q->waiting.p[least]->next_try_s >= m->next_try_s)
            break;
        heap_put(q, at, q->waiting.p[least]);
        at = least;
    }
    heap_put(q, at, m);
}

static void heap_remove(qmgr *q, const message *m)
{
    size_t at = m->heap_at;
    message *last = q->waiting.p[--q->waiting.n];
    if (last == m)
        return;
    heap_put(q, at, last);
    sift_up(q, at);
    sift_down(q, last->heap_at);
}

static void ready_remove(readies *r, const message *m)
{
    message **at = &r->first;
    while (*at && *at != m)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    *at = m->next;
    if (m->next == NULL)
        r->last = at;
}

void schedule_never(qmgr *q, message *m)
{
    if (m->state == MESSAGE_ACTIVE)
        return;
    if (m->state == MESSAGE_WAITING)
        heap_remove(q, m);
    for (int i = 0; m->state == MESSAGE_READY && i < 2; i++) /* what it says of tries may have changed since */
        ready_remove(&q->ready[i], m);
    m->state = MESSAGE_AT_REST;
}

void schedule_ready(qmgr *q, message *m)
{
    if (m->state == MESSAGE_READY || m->state == MESSAGE_ACTIVE)
        return;
    schedule_never(q, m);
    readies *r = &q->ready[m->tries > 0];
    m->state = MESSAGE_READY;
    m->next = NULL;
    *r->last = m;
    r->last = &m->next;
    schedule_soon(q);
}

/* When the clock went back, no time is further than the longest back-off either. What is cut to the same time keeps the heap. */
static void clock_look(qmgr *q)
{
    uint64_t now = clock_s(), latest = now + daemon_config(q->process)->maximal_backoff_time;
    for (size_t i = 0; now < q->seen_s && i < q->waiting.n; i++)
        if (q->waiting.p[i]->next_try_s > latest)
            q->waiting.p[i]->next_try_s = latest;
    q->seen_s = now;
}

static void wake_set(qmgr *q)
{
    clock_look(q);
    if (q->waiting.n == 0)
        return;
    uint64_t first = q->waiting.p[0]->next_try_s, now = clock_s();
    uint64_t wait = first > now ? first - now : 0;
    /* A clock that was set is noticed within a minute. */
    timer_set(&q->wake, wait > 60 ? 60000 : wait * 1000);
}

void schedule_at(qmgr *q, message *m, uint64_t next_try_s)
{
    const config *c = daemon_config(q->process);
    uint64_t latest = clock_s() + c->maximal_backoff_time;
    if (next_try_s == 0)
        next_try_s = clock_s() + c->minimal_backoff_time;
    m->next_try_s = next_try_s < latest ? next_try_s : latest; /* also after the clock jumped back */
    m->is_flushed = false;                                     /* that try is over */
    schedule_never(q, m);
    assert(m->state == MESSAGE_AT_REST);
    *vec_add(&q->waiting) = m;
    m->state = MESSAGE_WAITING;
    m->heap_at = q->waiting.n - 1;
    sift_up(q, m->heap_at);
    wake_set(q);
}

static void on_wake(void *context)
{
    qmgr *q = context;
    uint64_t now = clock_s();
    while (q->waiting.n && q->waiting.p[0]->next_try_s <= now)
        schedule_ready(q, q->waiting.p[0]);
    destinations_sweep(q);
    wake_set(q);
}

/* New mail and mail that failed before in turn, so that neither waits for all of the other. */
static message *ready_take(qmgr *q)
{
    readies *r = &q->ready[q->is_retry_next];
    if (r->first == NULL)
        r = &q->ready[!q->is_retry_next];
    message *m = r->first;
    if (m == NULL)
        return NULL;
    q->is_retry_next = r == &q->ready[0];
    r->first = m->next;
    if (r->first == NULL)
        r->last = &r->first;
    m->next = NULL;
    return m;
}

/* One that a start found and that was never finished, or that came by LMTP, was never acknowledged. */
static bool is_unacknowledged(const message *m, fault why)
{
    if (!m->is_found || m->place != QUEUE_ACTIVE)
        return false;
    return is_fault(why) ? why.kind == FAULT_REFUSED : m->loaded->file.envelope.flags & ENVELOPE_DIRECT;
}

static void discard(qmgr *q, message *m, fault why)
{
    /* Of what was never finished nobody knows the id: files that a cleanup had in stock as it ended are most of it. */
    log_event(is_fault(why) ? LOG_DEBUG : LOG_INFO, "discarded", LOG_C("id", queue_id_text(m->id).text),
              LOG_C("reason", is_fault(why) ? why.text : "who brought it by LMTP has it still"));
    message_remove(q, m);
}

static void start(qmgr *q, message *m)
{
    if (m->is_found && m->place == QUEUE_ACTIVE && message_is_held(q, m)) {
        schedule_at(q, m, clock_s() + 1); /* of a cleanup that an earlier qmgr gave it to */
        return;
    }
    fault f = message_load(q, m);
    if (is_unacknowledged(m, f)) {
        discard(q, m, f);
        return;
    }
    if (!is_fault(f) && !message_move(q, m, QUEUE_ACTIVE))
        f = fault_errno("move to active");
    if (is_fault(f)) {
        message_unload(q, m);
        message_damaged(q, m, f);
        return;
    }
    m->is_found = false;
    m->state = MESSAGE_ACTIVE;
    q->active_count++;
    deliver_start(q, m);
}

static void run(void *context)
{
    qmgr *q = context;
    uint64_t limit = daemon_config(q->process)->qmgr_message_active_limit;
    for (message *m; q->active_count < limit && (m = ready_take(q)) != NULL;) {
        m->state = MESSAGE_AT_REST;
        bool is_kept_first = m->is_in_memory && m->asked == ASKED_HOLD; /* by its round, which does nothing else */
        if (m->asked && !is_kept_first)
            finish_asked(q, m);
        else
            start(q, m);
    }
    deliver_some(q);
}

void schedule_open(qmgr *q)
{
    for (int i = 0; i < 2; i++)
        q->ready[i].last = &q->ready[i].first;
    q->known.last = &q->known.first;
    timer_open(&q->wake, q->process->loop, on_wake, q);
}

void schedule_soon(qmgr *q)
{
    task_put(q->process->loop, &q->schedule, run, q);
}
