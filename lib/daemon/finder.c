#include "daemon/finder.h"
#include "ipc/talk/auth.h"

static void ask(peer *auth, const finding *f)
{
    auth_find m = { .user = f->user };
    channel_put(&auth->channel, AUTH_FIND, f->ref, auth_find, &m);
}

void finder_ask(finder *d, finding *f, str user)
{
    peer *auth = daemon_peer(d->process, "auth");
    *f = (finding){ .finder = d, .user = user };
    f->ref = refs_put(&d->findings, f);
    if (auth)
        ask(auth, f);
}

void finder_forget(finding *f)
{
    if (f->finder)
        refs_take(&f->finder->findings, f->ref);
    f->finder = NULL;
}

static void found(finding *f, fault outcome, const pool_user *u)
{
    finder *d = f->finder;
    finder_forget(f);
    d->on_found(f, outcome, u);
}

static fault outcome_of(const auth_user *m)
{
    str reason = str_upto(m->reason, 150), name = str_upto(m->user, 60);
    if (m->needs_alias)
        return fault_make(FAULT_TRY_LATER, "3.5", "%.*s has no mailbox: add an alias for %.*s to alias_maps", STR_ARG(name),
                          STR_ARG(name));
    if (m->outcome == FAULT_REFUSED)
        return fault_make(FAULT_REFUSED, "1.1", "unknown user");
    if (m->outcome != FAULT_NONE)
        return fault_make(FAULT_TRY_LATER, "3.0", "the user cannot be looked up: %.*s", STR_ARG(reason));
    return NO_FAULT;
}

/* One that finds nothing was asked twice, as auth was replaced meanwhile. */
static bool on_user(void *context, channel *ch, received *r)
{
    peer *auth = context;
    finder *d = auth->context;
    auth_user m;
    (void)ch;
    if (auth_user_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    finding *f = refs_get(&d->findings, r->ref);
    if (f == NULL)
        return true;
    pool_user u = { .user = f->user, .uid = m.uid, .gid = m.gid, .is_system = m.is_system, .home = m.home, .mail = m.mail,
                    .mbox = m.mbox };
    found(f, outcome_of(&m), &u);
    return true;
}

/* Workers that run keep what they have; the next one is started by the new word. */
static bool on_changed(void *context, channel *ch, received *r)
{
    auth_changed m;
    (void)context, (void)ch;
    return auth_changed_decode(r->bytes, &m) == PARSE_DONE;
}

static const talk_row rows[] = { { AUTH_USER, 0, 0, on_user }, { AUTH_CHANGED, 0, 0, on_changed } };
const talk finder_talk = { "auth", rows, COUNT_OF(rows), NULL };

void finder_auth_opened(finder *d, peer *auth)
{
    size_t cursor = 0;
    auth->context = d;
    for (finding *f; (f = refs_next(&d->findings, &cursor)) != NULL;)
        ask(auth, f);
}

/* None will come to a process that is to leave. */
void finder_auth_lost(peer *auth)
{
    finder *d = auth->context;
    size_t cursor = 0;
    for (finding *f; d->process->is_draining && (f = refs_next(&d->findings, &cursor)) != NULL;)
        found(f, fault_make(FAULT_TRY_LATER, "3.2", "the user cannot be looked up while the system goes down"), NULL);
}
