/* Requests of qmgr, handed to the user's worker, and results back. Runs in: local. */
#include "base/log.h"
#include "base/memory.h"
#include "local/local.h"
#include "os/fd.h"
#include <fcntl.h>
#include <stdlib.h>

enum {
    WORKERS_MAX = 4,          /* of a user */
    BUSY = 10,                /* deliveries that wait for one of them, until another one is due */
    WEIGHT_BYTES = 64 * 1024, /* of content count as one delivery more */
};

static void request_keep(job *j, const deliver_request *m)
{
    const config *c = daemon_config(j->local->process);
    arena *a = &j->arena;
    deliver_request *to = &j->request;
    *to = *m;
    to->is_final = m->user.p[0] == '\\';
    to->user = arena_copy(a, str_from(m->user, to->is_final));
    to->reverse_path = arena_copy(a, m->reverse_path);
    to->envelope_id = arena_copy(a, m->envelope_id);
    to->returns = arena_copy(a, m->returns);
    to->orcpt = arena_copy(a, m->orcpt);
    to->forwarders = arena_copy(a, m->forwarders);
    to->recipient = arena_copy(a, m->recipient);
    to->original = arena_copy(a, m->original);
    to->member = STR_NONE;
    to->extension = recipient_extension(to->recipient, to->user, c->recipient_delimiter);
}

static job *job_new(local *l, peer *from, received *r, const deliver_request *m)
{
    job *j = memory_get(sizeof *j);
    *j = (job){ .local = l, .qmgr = from, .qmgr_ref = r->ref, .queue_id = m->queue_id, .fd = received_take(r, 0) };
    request_keep(j, m);
    j->ref = refs_put(&l->jobs, j);
    daemon_session_opened(l->process);
    return j;
}

static size_t weight(const job *j)
{
    return 1 + (size_t)(j->request.content_bytes / WEIGHT_BYTES);
}

static void job_free(job *j)
{
    local *l = j->local;
    finder_forget(&j->finding);
    refs_take(&l->jobs, j->ref);
    if (j->worker)
        j->worker->open -= weight(j);
    forward_free(j->copy);
    fd_close(&j->fd);
    arena_free(&j->arena);
    free(j);
    daemon_session_closed(l->process);
}

void job_end(job *j, fault outcome, uint32_t action, str reason)
{
    deliver_result m = { .queue_id = j->queue_id, .outcome = outcome.kind, .status = str_c(outcome.status),
                         .reason = reason, .is_destination = j->is_of_mailbox, .action = action };
    if (j->qmgr)
        channel_put(&j->qmgr->channel, DELIVER_RESULT, j->qmgr_ref, deliver_result, &m);
    j->local->delivered += !is_fault(outcome);
    j->local->failed += is_fault(outcome);
    job_free(j);
}

void job_fail(job *j, fault f)
{
    job_end(j, f, 0, str_c(f.text));
}

/* A mailbox that is one file may turn out to be another by now: then the next worker gets it, so the descriptor is kept. */
static int fd_of(job *j)
{
    const mailbox *m = j->worker->context;
    int fd = j->fd;
    if (m->is_mbox)
        return fcntl(fd, F_DUPFD_CLOEXEC, 0);
    j->fd = -1;
    return fd;
}

static void job_hand(job *j, pool_worker *w)
{
    j->worker = w;
    w->open += weight(j);
    j->state = JOB_GIVEN;
    int fd = fd_of(j);
    if (fd < 0)
        job_fail(j, fault_errno("hand the message over"));
    else
        channel_put_fds(&w->channel, DELIVER_REQUEST, j->ref, deliver_request, &j->request, &fd, 1);
}

/* Who of the user's workers may have a delivery. */
typedef struct choice {
    pool_worker *ready; /* the first one that is not busy, so that it batches; or the one that a mailbox of one file has */
    pool_worker *least; /* when none is ready: who has the least to do */
    str key;            /* of another one, that writes while some wait for the disk; none: it has as many as it may */
} choice;

/* A colon stands in no user's name. */
static str key_of(job *j, unsigned n)
{
    return n ? arena_printf(&j->arena, "%.*s:%u", STR_ARG(j->request.user), n + 1) : j->request.user;
}

static choice choose(job *j)
{
    choice c = { .key = STR_NONE };
    for (unsigned n = 0; n < WORKERS_MAX; n++) {
        str key = key_of(j, n);
        pool_worker *w = map_get(&j->local->pool.by_user, key);
        if (w && (w->open < BUSY || ((const mailbox *)w->context)->is_mbox)) {
            c.ready = w;
            break;
        }
        if (w == NULL && c.key.p == NULL)
            c.key = key;
        if (w && (c.least == NULL || w->open < c.least->open))
            c.least = w;
    }
    return c;
}

/* For want of another worker nothing is deferred while the user has one. */
void job_give_found(job *j, pool_user *u)
{
    choice c = choose(j);
    pool_worker *w = c.ready;
    fault f = NO_FAULT;
    if (w == NULL && c.key.p) {
        u->key = c.key;
        f = pool_get(&j->local->pool, u, &w);
        if (w)
            worker_meet(w, u);
    }
    if (w == NULL)
        w = c.least;
    if (w)
        job_hand(j, w);
    else
        job_fail(j, f);
}

void job_not_found(job *j, fault why)
{
    choice c = choose(j);
    pool_worker *w = c.ready ? c.ready : c.least;
    if (w && why.kind == FAULT_TRY_LATER)
        job_hand(j, w);
    else
        job_fail(j, why);
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
    choice c = choose(j);
    pool_worker *w = c.ready || c.key.p ? c.ready : c.least;
    if (w)
        job_hand(j, w);
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
