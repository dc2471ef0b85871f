/* A message that its bringer keeps until each recipient's result is said (LMTP): qmgr delivers it at once, so it needs no
 * fsync. Runs in: cleanup. */
#include "cleanup/cleanup.h"

bool is_direct(const intake *i)
{
    return i->envelope.flags & ENVELOPE_DIRECT;
}

/* The same mailbox may be brought twice: the file has it once, and its result is everybody's. */
void direct_place(intake *i, uint32_t brought, uint32_t final)
{
    if (is_direct(i))
        *vec_add(&i->places) = (intake_place){ .brought = brought, .final = final };
}

void direct_resolved(intake *i, size_t index, uint32_t final)
{
    if (index < i->numbers.n)
        direct_place(i, i->numbers.p[index], final);
}

/* What is held, and what goes to others than it was brought for, is ours to keep: it is queued like any other message. */
void direct_decide(intake *i)
{
    if ((i->envelope.flags & ENVELOPE_HOLD) || i->brought.n != i->numbers.n || i->places.n == 0)
        i->envelope.flags &= ~(uint32_t)ENVELOPE_DIRECT;
}

void direct_start(intake *i)
{
    i->state = INTAKE_DIRECT;
    intake_log_queued(i);
    if (!blank_give(&i->file, QUEUE_DIRECT))
        intake_end(i, fault_errno("hand the message over"));
}

/* Else its bringer went away, and our word to drop it is on its way; or it is being committed. */
static bool is_waiting(const intake *i)
{
    return i && (i->state == INTAKE_DIRECT || i->state == INTAKE_OFFERED || i->state == INTAKE_NAMING);
}

bool direct_on_outcome(void *context, channel *ch, received *r)
{
    queue_outcome m;
    (void)ch;
    if (queue_outcome_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    const intake *i = intake_of_qmgr(context, m.queue_id);
    for (size_t k = 0; is_waiting(i) && k < i->places.n; k++) {
        cleanup_result said = {
            .index = i->places.p[k].brought, .outcome = m.outcome, .status = m.status, .reason = m.reason
        };
        if (i->places.p[k].final == m.index)
            channel_put(i->bringer->channel, CLEANUP_RESULT, i->ref, cleanup_result, &said);
    }
    return true;
}

bool direct_on_over(void *context, channel *ch, received *r)
{
    queue_result m;
    (void)ch;
    if (queue_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    intake *i = intake_of_qmgr(context, m.queue_id);
    if (i && i->state == INTAKE_COMMITTING)
        i->is_delivered = i->was_offered && m.outcome == FAULT_NONE;
    if (!is_waiting(i))
        return true;
    if (m.outcome == FAULT_NONE && i->state != INTAKE_DIRECT)
        stock_learn(i, 0);
    i->file.qmgr = NULL; /* the file is gone: there is nothing to drop */
    intake_end(i, fault_make((fault_kind)m.outcome, m.outcome ? "3.0" : "", "%.*s", STR_ARG(m.reason)));
    return true;
}
