#include "auth/find.h"
#include "auth/login.h"
#include "ipc/talk/auth.h"

static void reply(channel *c, uint32_t ref, const account *u)
{
    auth_user m = { .outcome = u->is_known ? FAULT_NONE : FAULT_REFUSED };
    if (u->is_known) {
        m.user = u->name;
        m.uid = u->uid;
        m.gid = u->gid;
        m.is_system = u->is_system;
        m.home = u->home;
        m.mail = u->mail;
        m.mbox = u->mbox;
    } else {
        m.user = u->name;
        m.needs_alias = u->needs_alias;
        m.reason = STR("no such user");
    }
    channel_put(c, AUTH_USER, ref, auth_user, &m);
}

static void reply_later(channel *c, uint32_t ref, const char *why)
{
    auth_user m = { .outcome = FAULT_TRY_LATER, .reason = str_c(why) };
    channel_put(c, AUTH_USER, ref, auth_user, &m);
}

void find_failed_for_now(question *q, const char *why)
{
    if (q->asker)
        reply_later(&q->asker->channel, q->ref, why);
    question_free(q);
}

static void found_in_file(channel *c, uint32_t ref, const user *u)
{
    arena mem = arena_new(0);
    account found = { .name = u->name,
                      .home = u->home,
                      .mail = directory_mail(u, &mem),
                      .uid = u->uid,
                      .gid = u->gid,
                      .is_known = true };
    reply(c, ref, &found);
    arena_free(&mem);
}

static void ask_system(auth *a, peer *asker, uint32_t ref, str name)
{
    question *q = daemon_peer(a->process, a->pam.role) ? question_new(a, ASKS_USER, asker, ref) : NULL;
    if (q == NULL) {
        reply_later(&asker->channel, ref, "the system's accounts cannot be asked now");
        return;
    }
    q->name = arena_copy(&q->arena, name);
    desk_put(&a->pam, q, false);
    desk_serve(a, &a->pam);
}

bool find_on_question(void *context, channel *c, received *r)
{
    peer *asker = context;
    auth *a = asker->daemon->state;
    auth_find m;
    if (auth_find_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    auth_refresh(a, false);
    const user *u = directory_find(&a->directory, m.user);
    if (u)
        found_in_file(c, r->ref, u);
    else if (!a->directory.is_loaded)
        reply_later(c, r->ref, "the user file cannot be read");
    else if (a->directory.config->system_users && user_name_is_valid(m.user))
        ask_system(a, asker, r->ref, m.user);
    else
        reply(c, r->ref, &(account){ 0 });
    return true;
}

static account account_of(const auth *a, const auth_user *m, arena *mem)
{
    const config *c = a->directory.config;
    bool is_known = m->outcome == FAULT_NONE && m->uid >= c->minimum_uid && m->uid <= c->maximum_uid;
    return (account){ .name = arena_copy(mem, m->user),
                      .home = arena_copy(mem, m->home),
                      .mail = arena_copy(mem, m->mail),
                      .mbox = arena_copy(mem, m->mbox),
                      .uid = m->uid,
                      .gid = m->gid,
                      .is_known = is_known,
                      .is_system = true,
                      .needs_alias = m->needs_alias || (m->outcome == FAULT_NONE && !is_known) };
}

bool find_on_user(void *context, channel *c, received *r)
{
    peer *clerk = context;
    auth *a = clerk->daemon->state;
    auth_user m;
    (void)c;
    question *q = question_by_clerk(a, clerk, r->ref);
    if (auth_user_decode(r->bytes, &m) != PARSE_DONE || q == NULL)
        return false;
    clerk->asked--;
    account found = account_of(a, &m, &q->arena);
    if (m.outcome == FAULT_TRY_LATER && q->kind == ASKS_LOGIN) {
        login_failed_for_now(q, "the system's accounts cannot be asked now");
    } else if (m.outcome == FAULT_TRY_LATER) {
        find_failed_for_now(q, "the system's accounts cannot be asked now");
    } else if (q->kind == ASKS_LOGIN) {
        login_on_account(q, &found);
    } else {
        if (q->asker)
            reply(&q->asker->channel, q->ref, &found);
        question_free(q);
    }
    desk_serve(a, &a->pam);
    return true;
}
