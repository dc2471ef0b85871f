/* A message for mailboxes here is offered to qmgr before it is durable in the queue: its delivery makes it durable in the mailbox, and
 * if that is first, the queue's own fsync is left out; a small one has no file at all then. After queue_commit_delay_ms, or when qmgr
 * wants it kept, it is committed like any other. Who brought it hears yes when it is durable, here or there. Runs in: cleanup. */
#include "base/clock.h"
#include "cleanup/cleanup.h"

enum {
    OFFER_RECIPIENTS_MAX = 10, /* of more, one or another would be late */
    OCTETS_PER_MS = 10000,
    MORE_MAX_MS = 1000,
};

static uint64_t delay_ms(const cleanup *c)
{
    return daemon_config(c->process)->queue_commit_delay_ms;
}

bool offer_is_worth(const intake *i)
{
    return delay_ms(i->bringer->cleanup) && !i->goes_elsewhere &&
           i->recipient_count <= OFFER_RECIPIENTS_MAX && !(i->envelope.flags & ENVELOPE_HOLD);
}

void offer_end(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    if (i->state == INTAKE_OFFERED && --c->offered == 0)
        timer_stop(&c->offers_due);
}

static void wake_at(cleanup *c, uint64_t due_ms, uint64_t now_ms)
{
    c->next_due_ms = due_ms;
    timer_set(&c->offers_due, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void on_due(void *context)
{
    cleanup *c = context;
    uint64_t now = clock_monotonic_ms(), next = UINT64_MAX;
    for (intake *i = c->intakes; i; i = i->next) {
        if (i->state == INTAKE_OFFERED && i->due_ms <= now)
            commit_put(i);
        else if (i->state == INTAKE_OFFERED && i->due_ms < next)
            next = i->due_ms;
    }
    c->next_due_ms = next;
    if (next != UINT64_MAX)
        wake_at(c, next, now);
}

/* What is large takes longer, wherever it is made durable. */
static uint64_t patience_ms(const intake *i)
{
    uint64_t more = i->content_bytes / OCTETS_PER_MS;
    return delay_ms(i->bringer->cleanup) + (more < MORE_MAX_MS ? more : MORE_MAX_MS);
}

void offer_go_on(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    i->state = INTAKE_OFFERED;
    i->due_ms = UINT64_MAX;
    if (c->offered++ == 0)
        c->next_due_ms = UINT64_MAX;
}

void offer_start(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    uint64_t now = clock_monotonic_ms();
    if (!c->offers_due.is_open)
        timer_open(&c->offers_due, c->process->loop, on_due, c);
    i->state = INTAKE_OFFERED;
    i->due_ms = now + patience_ms(i);
    if (c->offered++ == 0 || i->due_ms < c->next_due_ms)
        wake_at(c, i->due_ms, now);
    intake_log_queued(i);
    if (!blank_give(&i->file, QUEUE_OFFER))
        commit_put(i);
}

bool offer_on_keep(void *context, channel *ch, received *r)
{
    intake *i;
    (void)ch;
    if (!intake_read(context, r, &i))
        return false;
    if (i)
        i->must_be_kept = true;
    if (i && i->state == INTAKE_OFFERED)
        commit_put(i);
    return true;
}
