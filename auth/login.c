#include "auth/login.h"
#include "auth/hash.h"
#include "base/clock.h"
#include "base/log.h"
#include "ipc/talk/auth.h"
#include <sys/random.h>

enum { PASSWORD_MAX = 512, TEXT_MAX = 100 };

typedef struct front {
    str name;
    const char *pool; /* who gets the grant; NULL: the login itself is all */
} front;

static const front fronts[] = {
    { STR_ROW("smtp"), NULL },
    { STR_ROW("imap"), "imapd" },
    { STR_ROW("pop3"), "pop3d" },
};

static const front *front_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(fronts); i++)
        if (str_equal(fronts[i].name, name))
            return &fronts[i];
    return NULL;
}

static void answer(question *q, fault_kind outcome, uint64_t token, const char *reason)
{
    auth_answer m = { .outcome = outcome, .token = token, .user = outcome == FAULT_NONE ? q->account.name : STR_NONE,
                      .reason = str_c(reason) };
    if (q->asker)
        channel_put(&q->asker->channel, AUTH_ANSWER, q->ref, auth_answer, &m);
    question_free(q);
}

static void log_outcome(const question *q, const char *event, const char *reason)
{
    log_event(LOG_INFO, event, LOG_STR("session", q->session), LOG_STR("service", q->service),
              LOG_STR("client", q->client), LOG_STR("user", q->name), LOG_C("reason", reason));
}

void login_failed_for_now(question *q, const char *why)
{
    log_event(LOG_WARNING, "login-deferred", LOG_STR("session", q->session), LOG_STR("user", q->name),
              LOG_C("reason", why));
    answer(q, FAULT_TRY_LATER, 0, why);
}

static void on_delay(void *context)
{
    question *q = context;
    answer(q, FAULT_REFUSED, 0, q->refusal);
}

static void refuse_after(question *q, uint64_t delay_ms)
{
    q->clerk = NULL;
    if (delay_ms == 0) {
        on_delay(q);
        return;
    }
    timer_open(&q->delay, q->auth->process->loop, on_delay, q);
    timer_set(&q->delay, delay_ms);
}

static void fail(question *q, const char *reason)
{
    q->auth->failures++;
    q->refusal = q->refusal ? q->refusal : reason;
    log_outcome(q, "login-failed", q->refusal);
    refuse_after(q, throttle_failed(&q->auth->throttle, q->client, clock_monotonic_ms()));
}

/* The pool hears of the grant before the front end hears of the token. */
static bool grant(const question *q, const char *pool, uint64_t *out_token)
{
    peer *p = daemon_peer_instance(q->auth->process, pool, q->pool);
    do {
        if (p == NULL || getrandom(out_token, sizeof *out_token, 0) != sizeof *out_token)
            return false;
    } while (*out_token == 0);
    const account *u = &q->account;
    auth_grant m = { .token = *out_token, .user = u->name, .uid = u->uid, .gid = u->gid, .is_system = u->is_system,
                     .home = u->home, .mail = u->mail };
    if (!channel_put(&p->channel, AUTH_GRANT, 0, auth_grant, &m))
        return false;
    channel_flush(&p->channel);
    return true;
}

static void succeed(question *q)
{
    const char *pool = front_find(q->service)->pool;
    uint64_t token = 0;
    if (pool && !grant(q, pool, &token)) {
        login_failed_for_now(q, "the mail server's process is not there");
        return;
    }
    q->auth->logins++;
    log_outcome(q, "login", "the password is right");
    answer(q, FAULT_NONE, token, "");
}

void login_on_account(question *q, const account *found)
{
    if (!found->is_known) {
        fail(q, "no account that may have mail");
        return;
    }
    q->account = *found;
    succeed(q);
}

/* The system's account is asked for when its password was right. */
static void ask_account(question *q, peer *clerk)
{
    auth_find find = { .user = q->name };
    q->clerk_ref = ++q->auth->last_ref;
    clerk->asked++;
    channel_put(&clerk->channel, AUTH_FIND, q->clerk_ref, auth_find, &find);
}

bool login_on_checked(void *context, channel *c, received *r)
{
    peer *clerk = context;
    auth *a = clerk->daemon->state;
    auth_checked m;
    (void)c;
    question *q = question_by_clerk(a, clerk, r->ref);
    if (auth_checked_decode(r->bytes, &m) != PARSE_DONE || q == NULL || q->kind != ASKS_LOGIN)
        return false;
    clerk->asked--;
    if (m.outcome == FAULT_TRY_LATER)
        login_failed_for_now(q, "the password cannot be verified now");
    else if (m.outcome != FAULT_NONE || !q->may_succeed)
        fail(q, "wrong password");
    else if (!q->account.is_known)
        ask_account(q, clerk);
    else
        succeed(q);
    desk_serve(a, &a->crypt);
    desk_serve(a, &a->pam);
    return true;
}

static void account_set(question *q, const user *u)
{
    arena *mem = &q->arena;
    q->account = (account){ .name = arena_copy(mem, u->name), .home = arena_copy(mem, u->home),
                            .mail = directory_mail(u, mem), .uid = u->uid, .gid = u->gid, .is_known = true };
}

static bool acts_as_himself(const auth *a, const auth_login *m, const user *u)
{
    return m->authorization.n == 0 || str_equal(m->authorization, m->user) ||
           (u && directory_find(&a->directory, m->authorization) == u);
}

static const char *flaw_of(const auth *a, const auth_login *m, const user *u, bool asks_pam)
{
    str password = m->password.hidden;
    if (u == NULL && !asks_pam)
        return "no such user";
    if (u && !hash_is_set(u->password))
        return "the user has no password or is locked";
    if (!acts_as_himself(a, m, u))
        return "may not act as another user";
    if (password.n == 0 || password.n > PASSWORD_MAX || str_has(password, 0))
        return "a password that nobody can have";
    return NULL;
}

/* Whoever it is, known or not: the same way, and the same work. */
static void verify(question *q, const auth_login *m)
{
    auth *a = q->auth;
    const user *u = directory_find(&a->directory, m->user);
    bool asks_pam = u == NULL && a->directory.config->system_users && user_name_is_valid(m->user);
    desk *d = asks_pam ? &a->pam : &a->crypt;
    q->refusal = flaw_of(a, m, u, asks_pam);
    q->may_succeed = q->refusal == NULL;
    if (daemon_peer(a->process, d->role) == NULL) {
        login_failed_for_now(q, "no process to verify passwords");
        return;
    }
    if (u)
        account_set(q, u);
    str stored = u && hash_is_set(u->password) ? u->password : directory_dummy(&a->directory);
    secret password = { str_upto(m->password.hidden, PASSWORD_MAX) };
    question_set_password(q, password, asks_pam ? STR_NONE : stored);
    desk_put(d, q, throttle_is_suspect(&a->throttle, q->client, clock_monotonic_ms()));
    desk_serve(a, d);
}

bool login_on_question(void *context, channel *c, received *r)
{
    peer *asker = context;
    auth *a = asker->daemon->state;
    auth_login m;
    if (auth_login_decode(r->bytes, &m) != PARSE_DONE || front_find(m.service) == NULL)
        return false;
    question *q = question_new(a, ASKS_LOGIN, asker, r->ref);
    if (q == NULL) {
        auth_answer busy = { .outcome = FAULT_TRY_LATER, .reason = STR("too many logins at a time") };
        return channel_put(c, AUTH_ANSWER, r->ref, auth_answer, &busy);
    }
    q->service = arena_copy(&q->arena, m.service);
    q->client = arena_copy(&q->arena, str_upto(m.client_address, TEXT_MAX));
    q->session = arena_copy(&q->arena, str_upto(m.session, TEXT_MAX));
    q->name = arena_copy(&q->arena, str_upto(m.user, USER_NAME_MAX));
    q->pool = m.pool;
    auth_refresh(a, false);
    if (throttle_is_refused(&a->throttle, q->client, clock_monotonic_ms())) {
        q->refusal = "too many failed logins from this client";
        log_outcome(q, "login-refused", q->refusal);
        refuse_after(q, a->throttle.rules.delay_max_ms);
    } else {
        verify(q, &m);
    }
    secret_wipe((char *)(uintptr_t)r->bytes.p, r->bytes.n); /* the channel's buffer, and writable */
    return true;
}
