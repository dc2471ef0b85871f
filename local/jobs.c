/* Requests of qmgr, handed to the user's worker, and results back. Runs in: local. */
#include "base/log.h"
#include "base/memory.h"
#include "local/local.h"
#include "os/fd.h"
#include <stdlib.h>

job *job_by_ref(local *l, uint32_t ref)
{
    return ref < l->jobs.n ? l->jobs.p[ref] : NULL;
}

job *job_new(local *l, peer *from, const received *r, const deliver_request *m)
{
    job *j = memory_get(sizeof *j);
    arena *a = &j->arena;
    *j = (job){ .local = l, .qmgr = from, .qmgr_ref = r->ref, .queue_id = m->queue_id, .fd = r->fds[0], .request = *m };
    j->request.reverse_path = arena_copy(a, m->reverse_path);
    j->request.recipient = arena_copy(a, m->recipient);
    j->request.original = arena_copy(a, m->original);
    j->request.user = arena_copy(a, m->user);
    if (l->free_refs.n) {
        j->ref = l->free_refs.p[--l->free_refs.n];
        l->jobs.p[j->ref] = j;
    } else {
        j->ref = (uint32_t)l->jobs.n;
        *vec_add(&l->jobs) = j;
    }
    daemon_session_opened(l->process);
    return j;
}

static void job_free(job *j)
{
    local *l = j->local;
    l->jobs.p[j->ref] = NULL;
    *vec_add(&l->free_refs) = j->ref;
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
    r->fds[0] = -1;
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
    for (size_t i = 0; i < l->jobs.n; i++)
        if (l->jobs.p[i] && l->jobs.p[i]->qmgr == p)
            l->jobs.p[i]->qmgr = NULL;
}

static bool on_result(void *context, channel *ch, received *r)
{
    pool_worker *w = context;
    local *l = w->pool->process->state;
    deliver_result m;
    (void)ch;
    if (deliver_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG)
        return false;
    job *j = job_by_ref(l, r->ref);
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
    for (size_t i = 0; i < l->jobs.n; i++)
        if (l->jobs.p[i] && l->jobs.p[i]->worker == w)
            job_fail(l->jobs.p[i], fault_make(FAULT_TRY_LATER, "3.0", "the delivery worker ended"));
}
