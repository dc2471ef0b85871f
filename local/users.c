/* Users without a worker: auth says who they are. The jobs of one wait in order. Runs in: local. */
#include "base/log.h"
#include "ipc/talk/auth.h"
#include "local/local.h"

static void ask(peer *auth, job *j)
{
    auth_find m = { .user = j->request.user };
    channel_put(&auth->channel, AUTH_FIND, j->ref, auth_find, &m);
}

/* Without auth it waits: qmgr has the message, and auth comes back. */
void user_ask(job *j)
{
    peer *auth = daemon_peer(j->local->process, "auth");
    if (auth)
        ask(auth, j);
}

static fault unknown(const auth_user *m)
{
    if (m->needs_alias)
        return fault_make(FAULT_TRY_LATER, "3.5", "%.*s has no mailbox: add an alias for %.*s to alias_maps",
                          STR_ARG(m->user), STR_ARG(m->user));
    if (m->outcome == FAULT_REFUSED)
        return fault_make(FAULT_REFUSED, "1.1", "unknown user");
    return fault_make(FAULT_TRY_LATER, "3.0", "the user cannot be looked up: %.*s", STR_ARG(m->reason));
}

static bool on_user(void *context, channel *ch, received *r)
{
    peer *from = context;
    auth_user m;
    (void)ch;
    if (auth_user_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    local *l = from->daemon->state;
    job *j = refs_get(&l->jobs, r->ref);
    if (j == NULL || j->state != JOB_ASKING)
        return true; /* asked twice, as auth was replaced meanwhile */
    if (m.outcome != FAULT_NONE) {
        job_fail(j, unknown(&m));
        return true;
    }
    pool_user u = { .user = j->request.user, .uid = m.uid, .gid = m.gid, .is_system = m.is_system, .home = m.home,
                    .mail = m.mail, .mbox = m.mbox };
    if (spool_has(daemon_config(l->process), m.mbox))
        u.mbox_group = l->spool_group;
    job_give(j, &u);
    return true;
}

/* Workers that run keep what they have open; the next one is started by the new word. */
static bool on_changed(void *context, channel *ch, received *r)
{
    auth_changed m;
    (void)context, (void)ch;
    return auth_changed_decode(r->bytes, &m) == PARSE_DONE;
}

static const talk_row rows[] = { { AUTH_USER, 0, 0, on_user }, { AUTH_CHANGED, 0, 0, on_changed } };
const talk auth_talk = { "local-auth", rows, COUNT_OF(rows), NULL };

void users_auth_opened(peer *p)
{
    local *l = p->daemon->state;
    size_t cursor = 0;
    for (job *j; (j = refs_next(&l->jobs, &cursor)) != NULL;)
        if (j->state == JOB_ASKING)
            ask(p, j);
}

/* What it was asked is asked again when the next one is there; none will come to a process that is to leave. */
void users_auth_lost(peer *p)
{
    local *l = p->daemon->state;
    fault f = fault_make(FAULT_TRY_LATER, "3.2", "the user cannot be looked up while the system goes down");
    size_t cursor = 0;
    for (job *j; l->process->is_draining && (j = refs_next(&l->jobs, &cursor)) != NULL;)
        if (j->state == JOB_ASKING)
            job_fail(j, f);
}
