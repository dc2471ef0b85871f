/* Who a user is, asked of auth: names in, ids and folders out, one question each. A question waits while auth is away, and is
 * asked again of the next one. Runs in: processes that start workers as users. A finding is embedded in what waits for it. */
#pragma once
#include "base/refs.h"
#include "daemon/pool.h"

typedef struct finder finder;

typedef struct finding { /* zeroed: nothing is asked */
    finder *finder;
    uint32_t ref;
    str user; /* the owner's */
} finding;

/* Once a question. FAULT_NONE: `u` is who it is, during the call; FAULT_REFUSED: there is none; FAULT_TRY_LATER. */
typedef void finder_found(finding *f, fault outcome, const pool_user *u);

struct finder {
    process *process;
    finder_found *on_found;
    refs findings;
};

void finder_ask(finder *d, finding *f, str user);
void finder_forget(finding *f); /* no answer will come; fine when none was due */

/* For the row of peers "auth": { "auth", finder_talk, OPENED, finder_auth_lost }, where OPENED is the program's and calls
 * finder_auth_opened with its finder. */
extern const talk finder_talk;
void finder_auth_opened(finder *d, peer *auth);
void finder_auth_lost(peer *auth);
