/* What the sessions of a user share: the store, what is noticed of it while clients wait, and what is done while nobody asks:
 * renames after changes of flags, then sleep (environments closed, memory given back). Runs in: imapd-worker, one a process.
 * Owns its sessions. */
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
    void (*on_closed)(void *context, const session_closed *m); /* a session is gone */
    void *context;
    watch noticed; /* inotify, from the first IDLE on */
    bool has_watch;
    timer gather; /* after something was noticed: more comes at once */
    timer poll;   /* for those who wait in IDLE without inotify; every OVERDUE the word that keeps connections open */
    timer quiet;  /* nobody asked for a while */
    bool is_polling, is_worked, is_asleep; /* since then: nothing is left to do; all is closed */
    task tell;                             /* a command changed something: others may wait for it */
    buf out;                               /* what one step writes; empty between two */
    buf piece;                             /* of a message's file, while a step reads it */
    uint64_t turn_until_ms;
    unsigned turn_steps;
    uint64_t polls;
} server;

void server_open(server *v, loop *l, store *s);
void server_give(server *v, const session_open *m, int fd); /* takes the descriptor */
void server_bye(server *v, const char *text);               /* to all sessions; they end */
void server_close(server *v);

/* For sessions. */
void server_is_busy(server *v);      /* a client asked */
void server_tell_others(server *v);  /* at the end of this round */
void server_watch(server *v);        /* a session waits in IDLE */
void server_turn(server *v);         /* a step of work begins */
bool server_turn_is_over(server *v); /* other clients wait long enough */
