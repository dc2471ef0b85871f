/* Results of recipients, and what becomes of a message when none is open. Runs in: qmgr. */
#include "base/clock.h"
#include "base/log.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/report.h"
#include "qmgr/qmgr.h"
#include <stdio.h>
#include <unistd.h>

/* A clock that went back makes nothing older than it is. */
static uint64_t age_s(const message *m)
{
    uint64_t now = clock_s();
    return now > m->arrived_s ? now - m->arrived_s : 0;
}

static void log_result(const message *m, const envelope_recipient *r, const char *event, const char *status, str reason)
{
    log_event(LOG_INFO, event, LOG_C("id", queue_id_text(m->id).text), LOG_STR("to", r->address),
              LOG_STR("orig_to", r->original), LOG_STR("relay", r->transport), LOG_C("status", status),
              LOG_NUM("delay_s", age_s(m)), LOG_STR("reason", reason));
}

static bool is_expired(const qmgr *q, const message *m)
{
    const config *c = daemon_config(q->process);
    bool is_null = m->loaded->file.envelope.reverse_path.n == 0;
    uint64_t lifetime = is_null ? c->bounce_queue_lifetime : c->maximal_queue_lifetime;
    return clock_s() >= m->arrived_s + lifetime;
}

static slot_state state_of(const qmgr *q, const message *m, fault outcome)
{
    if (!is_fault(outcome))
        return SLOT_DELIVERED;
    if (outcome.kind == FAULT_REFUSED)
        return SLOT_FAILED;
    return is_expired(q, m) ? SLOT_FAILED : SLOT_DEFERRED;
}

static void count(qmgr *q, slot_state state)
{
    q->delivered += state == SLOT_DELIVERED;
    q->deferred += state == SLOT_DEFERRED;
    q->failed += state == SLOT_FAILED;
}

/* DEFERRED outweighs FAILED, which outweighs DELIVERED: who has several mailboxes is done when all are. */
static bool is_worse(fault a, fault b)
{
    static const int weight[] = {
        [FAULT_NONE] = 0, [FAULT_REFUSED] = 1, [FAULT_TRY_LATER] = 2, [FAULT_BROKEN] = 3, [FAULT_BUG] = 3
    };
    return weight[a.kind] >= weight[b.kind];
}

/* RFC 3463 2: what only waited too long has failed with the class of what passes. */
static const char *status_of(fault outcome, char out[8])
{
    snprintf(out, 8, "%c.%.5s",
             "245"[!is_fault(outcome)              ? 0
                   : outcome.kind == FAULT_REFUSED ? 2
                                                   : 1],
             outcome.status[0] ? outcome.status : "0.0");
    return out;
}

/* What was told of the recipient before stays told; one that was passed on is told of by who has it now. */
static void slot_set(loaded *l, uint32_t index, queue_slot slot)
{
    uint32_t action = slot.state == SLOT_DELIVERED ? l->progress[index].action : 0;
    unsigned told = l->file.slots[index].told | (action == DELIVER_PASSED_ON ? SLOT_TOLD_SUCCESS : 0u);
    if (action >= REPORT_DELIVERED && action <= REPORT_EXPANDED)
        slot.action = (uint8_t)action;
    if (told || slot.action)
        queue_slot_tell(&slot, told);
    l->file.slots[index] = slot;
}

static void recipient_done(qmgr *q, message *m, uint32_t index, fault outcome, slot_state state, const char *status,
                           str reason)
{
    loaded *l = m->loaded;
    count(q, state);
    slot_set(l, index, queue_slot_make(state, clock_s(), status, reason));
    bool is_alone = l->file.head.recipient_count == 1 && state == SLOT_DELIVERED &&
                    !report_wishes_success(&l->file.recipients[index]); /* its file goes at once */
    bool is_written = !is_alone && !m->is_in_memory;
    fault f =
        is_written ? queue_slot_write(message_write_fd(q, m), &l->file.head, index, &l->file.slots[index]) : NO_FAULT;
    if (is_fault(f))
        log_fault(LOG_ERROR, "state-not-written", f);
    if (--l->open > 0)
        return;
    if (outcome.kind == FAULT_BROKEN) {
        q->active_count--;
        m->state = MESSAGE_AT_REST;
        message_damaged(q, m, outcome);
        return;
    }
    finish_round(q, m);
}

void result_part_over(qmgr *q, message *m, uint32_t index, str reason)
{
    progress *of = &m->loaded->progress[index];
    char status[8];
    if (--of->parts > 0)
        return;
    fault worst = of->worst;
    slot_state state = state_of(q, m, worst);
    status_of(worst, status);
    recipient_done(q, m, index, worst, state, status, is_fault(worst) ? str_c(worst.text) : reason);
}

void result_put(qmgr *q, delivery *d, fault outcome, str reason)
{
    static const char *const events[] = {
        [SLOT_DELIVERED] = "delivered", [SLOT_DEFERRED] = "deferred", [SLOT_FAILED] = "failed"
    };
    message *m = d->message;
    progress *of = &m->loaded->progress[d->index];
    slot_state state = state_of(q, m, outcome);
    char status[8];
    log_result(m, &d->to, events[state], status_of(outcome, status), reason);
    if (is_worse(outcome, of->worst))
        of->worst = outcome;
    if (d->action)
        of->action = d->action;
    uint32_t index = d->index;
    deliver_done(q, d);
    result_part_over(q, m, index, reason);
}

static uint64_t back_off(const qmgr *q, const message *m)
{
    const config *c = daemon_config(q->process);
    uint64_t age = age_s(m);
    if (age < c->minimal_backoff_time)
        age = c->minimal_backoff_time;
    return clock_s() + (age < c->maximal_backoff_time ? age : c->maximal_backoff_time);
}

void finish_asked(qmgr *q, message *m)
{
    if (m->state == MESSAGE_ACTIVE || m->state == MESSAGE_READY)
        return; /* when its round is over, or its turn comes */
    uint8_t what = m->asked;
    m->asked = ASKED_NOTHING;
    schedule_never(q, m);
    if (is_direct(q, m)) {
        direct_finish(q, m);
    } else if (what == ASKED_DELETE) {
        log_event(LOG_INFO, "deleted", LOG_C("id", queue_id_text(m->id).text));
        message_remove(q, m);
    } else if (message_move(q, m, QUEUE_HOLD)) {
        log_event(LOG_INFO, "held", LOG_C("id", queue_id_text(m->id).text));
        message_unload(q, m);
    } else {
        message_unload(q, m);
        schedule_at(q, m, 0); /* it stays where it was, and is not forgotten */
    }
}

typedef struct tally {
    uint32_t failed, deferred;
} tally;

static tally tally_of(const loaded *l)
{
    tally t = { 0 };
    for (uint32_t i = 0; i < l->file.head.recipient_count; i++) {
        t.failed += l->file.slots[i].state == SLOT_FAILED;
        t.deferred += l->file.slots[i].state == SLOT_DEFERRED || l->file.slots[i].state == SLOT_PENDING;
    }
    return t;
}

static void defer(qmgr *q, message *m)
{
    m->tries++;
    m->next_try_s = back_off(q, m);
    fault f = queue_schedule_write(message_write_fd(q, m), m->next_try_s, m->tries);
    if (is_fault(f))
        log_fault(LOG_ERROR, "schedule-not-written", f);
    message_move(q, m, QUEUE_DEFERRED);
    message_unload(q, m);
    schedule_at(q, m, m->next_try_s);
}

/* What failed of a message whose failures are told to nobody. */
static void dropped_log(const qmgr *q, const message *m)
{
    const queue_message *file = &m->loaded->file;
    for (uint32_t i = 0; i < file->head.recipient_count && report_is_double(q, m); i++)
        if (file->slots[i].state == SLOT_FAILED)
            log_event(LOG_WARNING, "double-bounce-dropped", LOG_C("id", queue_id_text(m->id).text),
                      LOG_STR("to", file->recipients[i].address), LOG_C("reason", file->slots[i].reason),
                      LOG_C("why", "a copy for a postmaster is reported to nobody"));
}

/* A report that can never be made: an admin sees the message instead. */
static void hold_unreported(qmgr *q, message *m)
{
    log_event(LOG_ERROR, "held", LOG_C("id", queue_id_text(m->id).text), LOG_C("reason", m->loaded->report_fault.text));
    if (message_move(q, m, QUEUE_HOLD))
        message_unload(q, m);
    else
        defer(q, m);
}

static void settle(qmgr *q, message *m, tally t)
{
    bool is_final = m->loaded->report_fault.kind != FAULT_NONE && m->loaded->report_fault.kind != FAULT_TRY_LATER;
    bool is_missing = report_is_missing(q, m);
    m->is_unreported = is_missing;
    q->has_unreported = q->has_unreported || m->is_unreported;
    if (t.deferred || (is_missing && !is_final)) {
        defer(q, m);
    } else if (is_missing) {
        hold_unreported(q, m);
    } else {
        if (t.failed)
            dropped_log(q, m);
        log_event(LOG_INFO, "removed", LOG_C("id", queue_id_text(m->id).text));
        message_remove(q, m);
    }
}

/* Nothing is left to do or to say: of one that was offered, not even in the queue. */
static bool is_delivered(const qmgr *q, const message *m)
{
    tally t = tally_of(m->loaded);
    return t.failed == 0 && t.deferred == 0 && !report_is_missing(q, m);
}

void finish_dropped(qmgr *q, message *m)
{
    q->active_count--;
    m->state = MESSAGE_AT_REST;
    finish_asked(q, m);
    schedule_soon(q);
}

/* One in memory whose cleanup does not speak of it any more. It may have made its file durable, and said so to the client: that is as
 * if a start had found it. Without a file nobody was told anything. */
static void finish_left(qmgr *q, message *m)
{
    q->active_count--;
    m->state = MESSAGE_AT_REST;
    if (m->has_file) {
        m->is_in_memory = false;
        m->is_found = true;
        message_unload(q, m);
        schedule_ready(q, m);
    } else {
        message_remove(q, m);
    }
    schedule_soon(q);
}

/* Called again when a report was made, until all are. */
void finish_round(qmgr *q, message *m)
{
    bool is_offered = (q->offers.n || m->is_in_memory) && !is_direct(q, m);
    if (is_offered && !is_delivered(q, m)) {
        if (offer_park(q, m))
            return;
        if (m->is_in_memory && m->asked != ASKED_DELETE) {
            finish_left(q, m);
            return;
        }
    }
    if (!is_direct(q, m) && m->asked != ASKED_DELETE && report_start(q, m))
        return;
    tally t = tally_of(m->loaded);
    q->active_count--;
    m->state = MESSAGE_AT_REST;
    if (m->asked == ASKED_HOLD && t.deferred == 0 && t.failed == 0)
        m->asked = ASKED_NOTHING; /* nothing is left to hold */
    if (is_direct(q, m))
        direct_finish(q, m);
    else if (m->asked)
        finish_asked(q, m);
    else
        settle(q, m, t);
    schedule_soon(q); /* there is room for another */
}
