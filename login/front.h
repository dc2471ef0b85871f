/* The state of a login process: its sessions, its certificate, and who waits for which answer. Runs in: login. */
#pragma once
#include "base/map.h"
#include "daemon/daemon.h"
#include "daemon/session_id.h"
#include "tls/context.h"

typedef struct session session;
typedef struct sleeper sleeper;

typedef struct front {
    process *process;
    tls_context *tls;     /* NULL: there is no certificate, and no TLS */
    session *sessions;
    sleeper *sleepers;
    map asked;            /* number of a question → session that waits for its answer */
    map handed;           /* token → TLS session whose worker has not spoken yet */
    session_ids ids;
    uint32_t last_ref;
    uint64_t pumped_bytes; /* for status */
} front;

extern const peer_row front_peers[];
extern const size_t front_peer_count;

void front_load_tls(front *f); /* what master handed over last; a bad one is logged and the one before stays */
