/* Users without a worker: auth says who they are. The jobs of one wait in order. Runs in: local. */
#include "local/local.h"

static void on_found(finding *f, fault outcome, const pool_user *found)
{
    job *j = (job *)(void *)((char *)f - offsetof(job, finding));
    local *l = j->local;
    if (is_fault(outcome)) {
        job_not_found(j, outcome);
        return;
    }
    pool_user u = *found;
    if (spool_has(daemon_config(l->process), u.mbox))
        u.mbox_group = l->spool_group;
    job_give_found(j, &u);
}

static finder *finder_of(local *l, process *p)
{
    l->finder.process = p;
    l->finder.on_found = on_found;
    return &l->finder;
}

/* Without auth it waits: qmgr has the message, and auth comes back. */
void user_ask(job *j)
{
    finder_ask(finder_of(j->local, j->local->process), &j->finding, j->request.user);
}

void users_auth_opened(peer *p)
{
    finder_auth_opened(finder_of(p->daemon->state, p->daemon), p);
}
