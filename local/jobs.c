/* Requests of qmgr, handed to the user's worker, and results back. Runs in: local. */
#include "base/log.h"
#include "base/memory.h"
#include "local/local.h"
#include "os/fd.h"
#include <stdlib.h>

static job *job_new(local *l, peer *from, received *r, const deliver_request *m)
{
    job *j = memory_get(sizeof *j);
    arena *a = &j->arena;
    *j = (job){ .local = l, .qmgr = from, .qmgr_ref = r->ref, .queue_id = m->queue_id, .fd = received_take(r, 0), .request = *m };
    j->request.reverse_path = arena_copy(a, m->reverse_path);
    j->request.recipient = arena_copy(a, m->recipient);
    j->request.original = arena_copy(a, m->original);
    j->request.user = arena_copy(a, m->user);
    j->ref = refs_put(&l->jobs, j);
    daemon_session_opened(l->process);
    return j;
}

static void job_free(job *j)
{
    local *l = j->local;
    refs_take(&l->jobs, j->ref);
    if (j->worker)
        j->worker->open--;
    fd_close(&j->fd);
    arena_free(&j->arena);
    free(j);
    daemon_session_closed(l->process);
}

void job_end(job *j, fault outcome, str reason)
{
    deliver_result m = { .queue_id = j->queue_id, .outcome = outcome.kind, .status = str_c(outcome.status),
                         .reason = reason };
    if (j->qmgr)
        channel_put(&j->qmgr->channel, DELIVER_RESULT, j->qmgr_ref, deliver_result, &m);
    j->local->delivered += !is_fault(outcome);
    j->local->failed += is_fault(outcome);
    job_free(j);
}

static void job_fail(job *j, fault f)
{
    job_end(j, f, str_c(f.text));
}

void job_give(job *j, const pool_user *u)
{
    fault f = pool_get(&j->local->pool, u, &j->worker);
    if (is_fault(f)) {
        j->worker = NULL;
        job_fail(j, f);
        return;
    }
    int fd = j->fd;
    j->fd = -1;
    j->worker->open++;
    channel_put_fds(&j->worker->channel, DELIVER_REQUEST, j->ref, deliver_request, &j->request, &fd, 1);
}

static bool on_request(void *context, channel *ch, received *r)
{
    peer *from = context;
    local *l = from->daemon->state;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.user.n == 0)
        return false;
    job *j = job_new(l, from, r, &m);
    pool_worker *w = map_get(&l->pool.by_user, m.user);
    if (w)
        job_give(j, &(pool_user){ .user = j->request.user });
    else
        user_ask(j);
    return true;
}

static const talk_row rows[] = { { DELIVER_REQUEST, 1, 1, on_request } };
const talk qmgr_talk = { "qmgr-local", rows, COUNT_OF(rows), NULL };

/* The next qmgr hands them out again: what a worker has already may be delivered twice, never lost. */
void jobs_qmgr_lost(peer *p)
{
    local *l = p->daemon->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&l->jobs, &cursor)) != NULL;)
        if (j->qmgr == p)
            j->qmgr = NULL;
}

static bool on_result(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    local *l = w->pool->process->state;
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    job *j = refs_get(&l->jobs, r->ref);
    if (j == NULL || j->worker != w || j->queue_id != m.queue_id)
        return false;
    fault f = fault_make((fault_kind)m.outcome, "", "%.*s", STR_ARG(m.reason));
    str status = str_upto(m.status, sizeof f.status - 1);
    memcpy(f.status, status.p ? status.p : "", status.n);
    f.status[status.n] = '\0';
    job_end(j, f, m.reason);
    return true;
}

const talk_row worker_rows[] = { { DELIVER_RESULT, 0, 0, on_result } };
const size_t worker_row_count = COUNT_OF(worker_rows);

void jobs_worker_lost(pool_worker *w)
{
    local *l = w->pool->process->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&l->jobs, &cursor)) != NULL;)
        if (j->worker == w)
            job_fail(j, w->had_no_folder ? fault_make(FAULT_TRY_LATER, "2.0", "the mail folder cannot be opened")
                                         : fault_make(FAULT_TRY_LATER, "3.0", "the delivery worker ended"));
}
