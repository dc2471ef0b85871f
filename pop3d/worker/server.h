/* The user's maildrop and who has it: one session at a time (RFC 1939 8). While nobody asks the store sleeps. Runs in:
 * pop3d-worker, one a process. Owns its sessions. */
#pragma once
#include "base/buf.h"
#include "ipc/talk/session.h"
#include "loop/loop.h"
#include "store/store.h"

typedef struct session session;

typedef struct server {
    loop *loop;
    store *store;
    session *sessions;
    session *holder;                                           /* has the maildrop; NULL: it is free */
    void (*on_closed)(void *context, const session_closed *m); /* a session is gone */
    void *context;
    timer quiet;
    bool is_worked; /* nothing is left to do */
    buf out;        /* what one step writes; empty between two */
} server;

void server_open(server *v, loop *l, store *s);
void server_give(server *v, const session_open *m, int fd); /* takes the descriptor */
void server_bye(server *v);                                 /* all sessions end, and nothing is deleted */
void server_close(server *v);

void server_is_busy(server *v); /* for sessions: a client asked */
