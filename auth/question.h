/* One question to auth that is not answered yet: a login or a search for a user. It waits for a desk, then for the
 * desk's answer, and a failed login then for its delay. Runs in: auth. The list in `auth` owns it; question_free ends
 * it. */
#pragma once
#include "auth/auth.h"
#include "base/secret.h"

typedef enum question_kind { ASKS_LOGIN, ASKS_USER } question_kind;

/* Who logs in, or was searched for. Views into the question's arena. */
typedef struct account {
    str name, home, mail, mbox;
    uint32_t uid, gid;
    bool is_known, is_system;
    bool needs_alias; /* not known, as it is an account of the system itself */
} account;

struct question {
    auth *auth;
    question *next, **at;      /* in auth's list */
    question *next_waiting;
    question_kind kind;
    arena arena;
    peer *asker;               /* NULL: gone; nobody waits for the answer */
    uint32_t ref;              /* the asker's */
    str service, client, session, name;
    uint32_t pool;
    str password, stored;      /* wiped when they went to the desk */
    bool may_succeed;          /* false: verified for the time that it takes only */
    const char *refusal;       /* why not, for the log */
    account account;
    peer *clerk;               /* who verifies; NULL: nobody yet */
    uint32_t clerk_ref;
    timer delay;
};

question *question_new(auth *a, question_kind kind, peer *asker, uint32_t ref); /* NULL: too many are open */
void question_free(question *q);
question *question_by_clerk(const auth *a, const peer *clerk, uint32_t ref);
void question_set_password(question *q, secret password, str stored);

void desk_put(desk *d, question *q, bool is_suspect);
void desk_serve(auth *a, desk *d); /* gives out what waits to who is free */

/* The peer of any kind is gone: its questions have no asker, or get `failed`. */
void questions_forget(auth *a, const peer *p, void (*failed)(question *q));
