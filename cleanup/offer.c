/* A message for mailboxes here is offered to qmgr before it is durable in the queue: its delivery makes it durable in the mailbox, and
 * if that is first, the queue's own fsync is left out. After queue_commit_delay_ms, or when qmgr wants it kept, it is committed like
 * any other. Who brought it hears yes when it is durable, here or there. Runs in: cleanup. */
#include "base/clock.h"
#include "cleanup/cleanup.h"
#include "ipc/talk/queue.h"

enum { OFFER_RECIPIENTS_MAX = 10 /* of more, one or another would be late */ };

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

static void on_due(void *context)
{
    cleanup *c = context;
    uint64_t now = clock_monotonic_ms(), oldest = now, delay = delay_ms(c);
    for (intake *i = c->intakes, *next; i; i = next) {
        next = i->next;
        if (i->state != INTAKE_OFFERED)
            continue;
        if (now - i->offered_ms >= delay)
            intake_commit(i);
        else if (i->offered_ms < oldest)
            oldest = i->offered_ms;
    }
    if (c->offered)
        timer_set(&c->offers_due, delay - (now - oldest));
}

void offer_start(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    queue_file m = { .queue_id = i->file.id };
    if (!c->offers_due.is_open)
        timer_open(&c->offers_due, c->process->loop, on_due, c);
    i->state = INTAKE_OFFERED;
    i->offered_ms = clock_monotonic_ms();
    if (c->offered++ == 0)
        timer_set(&c->offers_due, delay_ms(c));
    intake_log_queued(i);
    channel_put(&i->file.qmgr->channel, QUEUE_OFFER, 0, queue_file, &m);
}

bool offer_on_keep(void *context, channel *ch, received *r)
{
    peer *from = context;
    queue_file m;
    (void)ch;
    if (queue_file_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    intake *i = intake_by_id(from->daemon->state, m.queue_id);
    if (i && i->state == INTAKE_OFFERED && i->file.qmgr == from)
        intake_commit(i);
    return true;
}
