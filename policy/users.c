/* What policy knows of users: names that auth said exist or do not, until auth says that the users changed. Runs in: policy. */
#include "base/memory.h"
#include "db/source.h"
#include "ipc/talk/auth.h"
#include "policy/policy.h"
#include <stdlib.h>

enum { AUTH_PATIENCE_MS = 5000 }; /* less than smtpd has with us */
enum { KNOWN_MAX = 200000 };      /* a guesser must not fill the memory: then all is forgotten */

typedef struct known_user {
    user_result result;
    size_t n;
    char name[];
} known_user;

static void forget_all(policy *p)
{
    map_entry e;
    size_t cursor = 0;
    while (map_next(&p->users, &cursor, &e))
        free(e.value);
    map_free(&p->users);
}

static void remember(policy *p, str asked, user_result result, str name)
{
    if (p->users.n >= KNOWN_MAX)
        forget_all(p);
    known_user *k = memory_get(sizeof *k + name.n);
    *k = (known_user){ .result = result, .n = name.n };
    if (name.n)
        memcpy(k->name, name.p, name.n);
    free(map_put(&p->users, asked, k));
}

user_result users_lookup(void *context, str name, arena *mem, str *out_name, fault *out_fault)
{
    policy *p = context;
    const known_user *k = map_get(&p->users, key_fold(name, mem));
    if (k == NULL && (p->process == NULL || p->is_auth_missed)) {
        *out_fault = fault_make(FAULT_TRY_LATER, "3.0", "the user file cannot be looked at now");
        return USER_FAILED;
    }
    if (k == NULL)
        return USER_WAIT;
    if (k->result == USER_FOUND && out_name)
        *out_name = arena_copy(mem, (str){ k->name, k->n });
    if (k->result == USER_FAILED)
        *out_fault = fault_make(FAULT_TRY_LATER, "3.0", "the user file cannot be looked at now");
    return k->result;
}

typedef struct user_ask { /* a name that auth is being asked for */
    uint32_t ref;
    peer *auth;
    str name; /* folded */
} user_ask;

static void ask_free(policy *p, user_ask *a)
{
    refs_take(&p->asks, a->ref);
    map_remove(&p->asked, a->name);
    free((char *)(uintptr_t)a->name.p);
    free(a);
}

static void ask(policy *p, peer *auth, str folded)
{
    char *name = memory_get(folded.n + 1);
    user_ask *a = memory_get(sizeof *a);
    memcpy(name, folded.p, folded.n);
    *a = (user_ask){ .auth = auth, .name = { name, folded.n } };
    a->ref = refs_put(&p->asks, a);
    map_put(&p->asked, a->name, a);
    auth_find m = { .user = a->name };
    channel_put(&auth->channel, AUTH_FIND, a->ref, auth_find, &m);
}

/* Without auth the question waits a while, and no longer for those that come behind it. */
void users_ask(policy *p, str name)
{
    arena a = arena_new(0);
    str folded = key_fold(name, &a);
    peer *auth = daemon_peer(p->process, "auth");
    if (auth && map_get(&p->asked, folded) == NULL)
        ask(p, auth, folded);
    if (auth == NULL && !p->is_patient) {
        p->is_patient = true;
        timer_set(&p->patience, AUTH_PATIENCE_MS);
    }
    arena_free(&a);
}

static bool on_user(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy *p = from->daemon->state;
    auth_user m;
    (void)ch;
    if (auth_user_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    user_ask *found = refs_get(&p->asks, r->ref);
    if (found == NULL || found->auth != from)
        return true;
    arena a = arena_new(0);
    str asked = arena_copy(&a, found->name);
    ask_free(p, found);
    user_result result = m.outcome == FAULT_NONE      ? USER_FOUND
                         : m.outcome != FAULT_REFUSED ? USER_FAILED
                         : m.needs_alias              ? USER_NEEDS_ALIAS
                                                      : USER_ABSENT;
    remember(p, asked, result, m.user);
    questions_resume(p, asked);
    if (result == USER_FAILED)
        free(map_remove(&p->users, asked)); /* the next one asks again */
    arena_free(&a);
    return true;
}

static bool on_changed(void *context, channel *ch, received *r)
{
    peer *from = context;
    auth_changed m;
    (void)ch;
    if (auth_changed_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    forget_all(from->daemon->state);
    return true;
}

static const talk_row rows[] = { { AUTH_USER, 0, 0, on_user }, { AUTH_CHANGED, 0, 0, on_changed } };
const talk auth_talk = { "policy-auth", rows, COUNT_OF(rows), NULL };

/* Whoever waits decides again: by another auth, or, when none comes soon, that it cannot be told now. */
void users_auth_lost(peer *lost)
{
    policy *p = lost->daemon->state;
    size_t cursor = 0;
    for (user_ask *a; (a = refs_next(&p->asks, &cursor)) != NULL;)
        if (a->auth == lost)
            ask_free(p, a);
    forget_all(p);
    questions_resume(p, STR_NONE);
}

static void on_patience(void *context)
{
    policy *p = context;
    p->is_patient = false;
    p->is_auth_missed = daemon_peer(p->process, "auth") == NULL;
    questions_resume(p, STR_NONE);
}

void users_start(policy *p)
{
    timer_open(&p->patience, p->process->loop, on_patience, p);
}

/* What waited for an auth to ask is decided again, and asks. */
void users_auth_opened(peer *auth)
{
    policy *p = auth->daemon->state;
    p->is_auth_missed = p->is_patient = false;
    timer_stop(&p->patience);
    questions_resume(p, STR_NONE);
}
