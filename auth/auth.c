#include "auth/auth.h"
#include "auth/find.h"
#include "auth/login.h"
#include "base/clock.h"
#include "base/log.h"
#include "ipc/talk/auth.h"

static throttle_rules rules_of(const config *c)
{
    return (throttle_rules){ .delay_ms = c->auth_failure_delay * 1000, .delay_max_ms = c->auth_failure_delay_max * 1000,
                             .limit = c->auth_failure_limit, .window_ms = c->auth_failure_window * 1000 };
}

void auth_init(auth *a, process *p, const char *user_file)
{
    const config *c = daemon_config(p);
    *a = (auth){ .process = p, .directory = directory_new(user_file, c), .throttle = throttle_new(rules_of(c), 0),
                 .crypt = { .role = "auth-worker", .depth = DESK_DEPTH }, .pam = { .role = "pam", .depth = 1 },
                 .folder_fd = -1 };
}

void auth_free(auth *a)
{
    while (a->questions)
        question_free(a->questions);
    directory_free(&a->directory);
    throttle_free(&a->throttle);
}

void auth_tell_changed(auth *a, peer *p)
{
    auth_changed m = { .generation = a->directory.generation };
    channel_put(&p->channel, AUTH_CHANGED, 0, auth_changed, &m);
}

void auth_refresh(auth *a, bool at_once)
{
    if (!directory_refresh(&a->directory, clock_monotonic_ms(), at_once))
        return;
    for (peer *p = a->process->peers; p; p = p->next)
        if (strcmp(p->role, "policy") == 0 || strcmp(p->role, "local") == 0 || strcmp(p->role, "pipe") == 0)
            auth_tell_changed(a, p);
}

/* It may have been away while the users changed. */
static void on_reader(peer *p)
{
    auth_tell_changed(p->daemon->state, p);
}

static void failed(question *q)
{
    if (q->kind == ASKS_LOGIN)
        login_failed_for_now(q, "the process that verifies passwords is gone");
    else
        find_failed_for_now(q, "the process that asks the system is gone");
}

static void on_lost(peer *p)
{
    questions_forget(p->daemon->state, p, failed);
}

static void on_clerk(peer *p)
{
    auth *a = p->daemon->state;
    desk_serve(a, &a->crypt);
    desk_serve(a, &a->pam);
}

static const talk_row fronts[] = { { AUTH_LOGIN, 0, 0, login_on_question } };
static const talk_row readers[] = { { AUTH_FIND, 0, 0, find_on_question } };
static const talk_row clerks[] = { { AUTH_CHECKED, 0, 0, login_on_checked } };
static const talk_row system_clerks[] = { { AUTH_CHECKED, 0, 0, login_on_checked }, { AUTH_USER, 0, 0, find_on_user } };

const peer_row auth_peers[] = {
    { .role = "smtpd", .talk = { "smtpd-auth", fronts, COUNT_OF(fronts), NULL }, .on_lost = on_lost },
    { .role = "login", .talk = { "login-auth", fronts, COUNT_OF(fronts), NULL }, .on_lost = on_lost },
    { "policy", { "policy-auth", readers, COUNT_OF(readers), NULL }, on_reader, on_lost },
    { "local", { "local-auth", readers, COUNT_OF(readers), NULL }, on_reader, on_lost },
    { "pipe", { "pipe-auth", readers, COUNT_OF(readers), NULL }, on_reader, on_lost },
    { .role = "imapd", .talk = { "auth-imapd", NULL, 0, NULL } },
    { .role = "pop3d", .talk = { "auth-pop3d", NULL, 0, NULL } },
    { "auth-worker", { "auth-worker", clerks, COUNT_OF(clerks), NULL }, on_clerk, on_lost },
    { "pam", { "auth-pam", system_clerks, COUNT_OF(system_clerks), NULL }, on_clerk, on_lost },
};
const size_t auth_peer_count = COUNT_OF(auth_peers);
