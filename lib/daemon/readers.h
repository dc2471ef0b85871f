/* What imapd and pop3d have in common: auth's grants, login's tokens, and the user's worker to which a connection goes. Runs in:
 * imapd, pop3d, which never read a byte of a client. */
#pragma once
#include "daemon/pool.h"

typedef struct readers_program {
    const contract *contract;
    const char *worker; /* role of its workers */
    unsigned worker_calls;
    uint64_t (*idle_s)(const config *c);
} readers_program;

int readers_run(const readers_program *p);
