/* What policy knows of users: names that auth said exist or do not, until auth says that the users changed. Runs in: policy. */
#include "base/memory.h"
#include "db/source.h"
#include "ipc/talk/auth.h"
#include "policy/policy.h"
#include <stdlib.h>

enum { AUTH_PATIENCE_MS = 5000 }; /* less than smtpd has with us */
enum { KNOWN_MAX = 200000 }; /* a guesser must not fill the memory: then all is forgotten */

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

void users_ask(policy *p, str name)
{
    arena a = arena_new(0);
    str folded = key_fold(name, &a);
    peer *auth = daemon_peer(p->process, "auth");
    if (auth == NULL)
        timer_set(&p->patience, AUTH_PATIENCE_MS);
    if (auth && map_get(&p->asked, folded) == NULL) {
        auth_find m = { .user = folded };
        uint32_t *ref = memory_get(sizeof *ref);
        *ref = ++p->next_ref;
        map_put(&p->asked, folded, ref);
        channel_put(&auth->channel, AUTH_FIND, *ref, auth_find, &m);
    }
    arena_free(&a);
}

/* The name that was asked under this number. */
static bool asked_take(policy *p, uint32_t ref, arena *mem, str *out)
{
    map_entry e;
    size_t cursor = 0;
    while (map_next(&p->asked, &cursor, &e)) {
        if (*(uint32_t *)e.value != ref)
            continue;
        *out = arena_copy(mem, e.key);
        free(map_remove(&p->asked, *out));
        return true;
    }
    return false;
}

static bool on_user(void *context, channel *ch, received *r)
{
    peer *from = context;
    policy *p = from->daemon->state;
    auth_user m;
    arena a = arena_new(0);
    str asked;
    (void)ch;
    if (auth_user_decode(r->bytes, &m) != PARSE_DONE || !asked_take(p, r->ref, &a, &asked)) {
        arena_free(&a);
        return false;
    }
    user_result result = m.outcome == FAULT_NONE ? USER_FOUND : m.outcome == FAULT_REFUSED ? USER_ABSENT : USER_FAILED;
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
    map_entry e;
    size_t cursor = 0;
    while (map_next(&p->asked, &cursor, &e))
        free(e.value);
    map_free(&p->asked);
    forget_all(p);
    questions_resume(p, STR_NONE);
}

static void on_patience(void *context)
{
    policy *p = context;
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
    p->is_auth_missed = false;
    timer_stop(&p->patience);
    questions_resume(p, STR_NONE);
}
