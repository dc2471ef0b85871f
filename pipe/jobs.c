/* Requests of qmgr, handed to the worker of whoever acts, and results back. Runs in: pipe. */
#include "base/memory.h"
#include "os/fd.h"
#include "pipe/pipe.h"
#include <stdlib.h>

static void request_keep(arena *a, const deliver_request *m, deliver_request *out)
{
    *out = *m;
    str *texts[] = { &out->reverse_path, &out->envelope_id, &out->returns,        &out->orcpt, &out->forwarders,
                     &out->recipient,    &out->original,    &out->user,           &out->member, &out->extension,
                     &out->client_name,  &out->helo,        &out->client_address, &out->protocol, &out->login };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_copy(a, *texts[i]);
}

static job *job_new(carrier *c, peer *from, received *r, const deliver_request *m)
{
    job *j = memory_get(sizeof *j);
    *j = (job){ .carrier = c, .qmgr = from, .qmgr_ref = r->ref, .queue_id = m->queue_id, .fd = received_take(r, 0) };
    request_keep(&j->arena, m, &j->request);
    j->ref = refs_put(&c->jobs, j);
    daemon_session_opened(c->process);
    return j;
}

static void job_free(job *j)
{
    carrier *c = j->carrier;
    finder_forget(&j->finding);
    forward_free(j->copy);
    refs_take(&c->jobs, j->ref);
    if (j->worker)
        j->worker->open--;
    fd_close(&j->fd);
    arena_free(&j->arena);
    free(j);
    daemon_session_closed(c->process);
}

void job_end(job *j, fault outcome, uint32_t action, str reason)
{
    deliver_result m = { .queue_id = j->queue_id, .outcome = outcome.kind, .status = str_c(outcome.status), .reason = reason,
                         .is_destination = j->is_of_file, .action = action };
    if (j->qmgr)
        channel_put(&j->qmgr->channel, DELIVER_RESULT, j->qmgr_ref, deliver_result, &m);
    j->carrier->delivered += !is_fault(outcome);
    j->carrier->failed += is_fault(outcome);
    job_free(j);
}

static void job_fail(job *j, fault f)
{
    job_end(j, f, 0, str_c(f.text));
}

void job_give(job *j, const pool_user *u)
{
    fault f = pool_get(&j->carrier->pool, u, &j->worker);
    if (is_fault(f)) {
        j->worker = NULL;
        job_fail(j, f);
        return;
    }
    if (j->worker->context == NULL)
        worker_meet(j->worker);
    int fd = j->fd;
    j->fd = -1;
    j->worker->open++;
    channel_put_fds(&j->worker->channel, DELIVER_REQUEST, j->ref, deliver_request, &j->request, &fd, 1);
}

static void account_give(job *j)
{
    const account *a = account_find(j->carrier, j->request.user);
    if (a == NULL) {
        job_fail(j, fault_make(FAULT_TRY_LATER, "3.5", "%.*s owns no table of alias_maps and is not default_privs",
                               STR_ARG(str_upto(j->request.user, 60))));
        return;
    }
    job_give(j, &(pool_user){ .user = a->key, .uid = a->uid, .gid = a->gid, .is_system = true, .home = a->home });
}

void jobs_user_found(finding *f, fault outcome, const pool_user *u)
{
    job *j = (job *)(void *)((char *)f - offsetof(job, finding));
    if (is_fault(outcome))
        job_fail(j, outcome);
    else if (!u->is_system && j->carrier->process->identity.is_privileged)
        job_fail(j, fault_make(FAULT_REFUSED, "7.0", "%.*s has no account of the system that could act", STR_ARG(u->user)));
    else
        job_give(j, u);
}

static bool is_member(str s)
{
    return s.n > 1 && (s.p[0] == '|' || s.p[0] == '/' || str_starts_nocase(s, STR(":include:/")));
}

static bool on_request(void *context, channel *ch, received *r)
{
    peer *from = context;
    carrier *c = from->daemon->state;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.user.n == 0)
        return false;
    job *j = job_new(c, from, r, &m);
    if (!is_member(j->request.member))
        job_fail(j, fault_make(FAULT_REFUSED, "3.5", "neither a command, nor a file, nor a list"));
    else if (m.user.p[0] == '#')
        account_give(j);
    else if (map_get(&c->pool.by_user, m.user))
        job_give(j, &(pool_user){ .user = j->request.user });
    else
        finder_ask(&c->finder, &j->finding, j->request.user);
    return true;
}

static const talk_row rows[] = { { DELIVER_REQUEST, 1, 1, on_request } };
const talk qmgr_talk = { "qmgr-pipe", rows, COUNT_OF(rows), NULL };

/* The next qmgr hands them out again: what a worker has already may be delivered twice, never lost. */
void jobs_qmgr_lost(peer *p)
{
    carrier *c = p->daemon->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&c->jobs, &cursor)) != NULL;)
        if (j->qmgr == p)
            j->qmgr = NULL;
}
