/* Requests of qmgr: a report with its rows, answered when it is durable. Runs in: bounce. */
#include "base/log.h"
#include "base/memory.h"
#include "bounce/bounce.h"
#include "os/fd.h"
#include "queue/id.h"
#include <stdlib.h>

enum { JOB_BYTES_MAX = 64 * 1024 * 1024, JOBS_MAX = 1000 };

job *job_new(bounce *b)
{
    job *j = memory_get(sizeof *j);
    *j = (job){ .bounce = b, .arena = arena_new(JOB_BYTES_MAX), .fd = -1 };
    j->ref = refs_put(&b->jobs, j);
    daemon_session_opened(b->process);
    return j;
}

static void report_open(job *j, peer *from, received *r, const report_begin *m)
{
    arena *a = &j->arena;
    j->qmgr = from;
    j->qmgr_ref = r->ref;
    j->fd = received_take(r, 0);
    j->begin = *m;
    j->begin.reverse_path = arena_copy(a, m->reverse_path);
    j->begin.sender = arena_copy(a, m->sender);
    j->begin.envelope_id = arena_copy(a, m->envelope_id);
    j->begin.returns = arena_copy(a, m->returns);
    j->begin.client = arena_copy(a, m->client);
    j->rows = ARENA_ARRAY(a, report_recipient, m->recipient_count);
}

void job_free(job *j)
{
    bounce *b = j->bounce;
    refs_take(&b->jobs, j->ref);
    fd_close(&j->fd);
    arena_free(&j->arena);
    free(j);
    daemon_session_closed(b->process);
}

void job_end(job *j, fault outcome)
{
    report_done m = {
        .queue_id = j->begin.queue_id, .outcome = outcome.kind, .report_id = j->report_id, .reason = str_c(outcome.text)
    };
    if (is_fault(outcome))
        log_event(LOG_WARNING, "not-reported", LOG_C("id", queue_id_text(j->begin.queue_id).text),
                  LOG_STR("to", j->begin.reverse_path), LOG_C("reason", outcome.text));
    if (j->qmgr)
        channel_put(&j->qmgr->channel, REPORT_DONE, j->qmgr_ref, report_done, &m);
    job_free(j);
}

static job *job_find(const bounce *b, const peer *from, uint32_t ref)
{
    size_t cursor = 0;
    for (job *j; (j = refs_next(&b->jobs, &cursor)) != NULL;)
        if (j->qmgr == from && j->qmgr_ref == ref)
            return j;
    return NULL;
}

static bool on_begin(void *context, channel *ch, received *r)
{
    peer *from = context;
    bounce *b = from->daemon->state;
    report_begin m;
    (void)ch;
    if (report_begin_decode(r->bytes, &m) != PARSE_DONE || m.recipient_count == 0 ||
        m.recipient_count > REPORT_RECIPIENTS_MAX || job_find(b, from, r->ref) || b->process->sessions >= JOBS_MAX)
        return false;
    report_open(job_new(b), from, r, &m);
    return true;
}

/* The kind that its first row has is the kind of all. */
static bool kind_take(job *j, uint32_t action)
{
    static const report_kind kinds[] = {
        [REPORT_FAILED] = REPORT_OF_FAILURE,    [REPORT_DELAYED] = REPORT_OF_DELAY,
        [REPORT_DELIVERED] = REPORT_OF_SUCCESS, [REPORT_RELAYED] = REPORT_OF_SUCCESS,
        [REPORT_EXPANDED] = REPORT_OF_SUCCESS,
    };
    if (action < REPORT_FAILED || action > REPORT_EXPANDED)
        return false;
    if (j->row_count == 0)
        j->kind = kinds[action];
    return kinds[action] == j->kind;
}

static void row_keep(job *j, const report_recipient *m)
{
    arena *a = &j->arena;
    j->rows[j->row_count++] = (report_recipient){ .action = m->action,
                                                  .address = arena_copy(a, m->address),
                                                  .original = arena_copy(a, m->original),
                                                  .orcpt = arena_copy(a, m->orcpt),
                                                  .status = arena_copy(a, m->status),
                                                  .reason = arena_copy(a, m->reason),
                                                  .remote = arena_copy(a, m->remote),
                                                  .when_s = m->when_s };
}

static bool on_recipient(void *context, channel *ch, received *r)
{
    peer *from = context;
    job *j = job_find(from->daemon->state, from, r->ref);
    report_recipient m;
    (void)ch;
    if (report_recipient_decode(r->bytes, &m) != PARSE_DONE || j == NULL || j->row_count == j->begin.recipient_count ||
        !kind_take(j, m.action))
        return false;
    row_keep(j, &m);
    if (j->row_count == j->begin.recipient_count)
        bring_start(j);
    return true;
}

static const talk_row rows[] = { { REPORT_BEGIN, 1, 1, on_begin }, { REPORT_RECIPIENT, 0, 0, on_recipient } };
const talk qmgr_talk = { "qmgr-bounce", rows, COUNT_OF(rows), NULL };

/* The next qmgr asks again: what is on its way may come twice, never not at all. One whose rows are not all there ends here. */
void jobs_qmgr_lost(peer *p)
{
    bounce *b = p->daemon->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&b->jobs, &cursor)) != NULL;) {
        if (j->qmgr != p)
            continue;
        j->qmgr = NULL;
        if (j->row_count < j->begin.recipient_count)
            job_end(j, fault_make(FAULT_TRY_LATER, "3.0", "the queue manager is gone"));
    }
}
