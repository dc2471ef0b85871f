/* policy's state: rules of each service, open questions, and what it knows of users. Runs in: policy, which sees addresses and
 * tables, never content or passwords. A reload starts it anew, so there is one generation of rules. */
#pragma once
#include "base/map.h"
#include "base/refs.h"
#include "daemon/daemon.h"
#include "policy/engine/policy.h"

typedef struct policy policy;

typedef struct question {
    policy *policy;
    peer *asker;
    uint32_t ref;
    arena arena;
    policy_facts facts;
    str session;
    const policy_rules *rules;
    str waiting_for; /* a user's name, while auth is asked */
    struct question *next;
} question;

struct policy {
    process *process;
    table_context tables_context, aliases_context;
    table_pool tables, aliases;
    policy_world world;
    map rules; /* by service key; "" is main.cf alone */
    question *waiting;
    map users;           /* folded name → known_user */
    map asked;           /* names that auth is being asked for → user_ask */
    refs asks;           /* the same, by number */
    timer patience;      /* while auth is away: a reload or a crash restarts it */
    bool is_patient;     /* the timer runs */
    bool is_auth_missed; /* it did not come back in time */
    uint64_t answered;
};

/* rules.c */
bool rules_prepare(process *p); /* compiles, opens tables, names the folders that Landlock leaves open */

/* users.c */
extern const talk auth_talk;
user_find users_lookup; /* the engine's question; says USER_WAIT until auth has answered */
void users_ask(policy *p, str name);
void users_auth_lost(peer *p);
void users_auth_opened(peer *p);
void users_start(policy *p);

/* ask.c */
extern const talk ask_talk;
void question_decide(question *q);
void questions_resume(policy *p, str name); /* those that waited for this user */
void ask_lost(peer *p);
