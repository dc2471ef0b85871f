/* The state of the auth process and what its parts ask of each other. Runs in: auth. One struct, one thread. */
#pragma once
#include "auth/directory.h"
#include "auth/throttle.h"
#include "daemon/daemon.h"

enum { QUESTIONS_MAX = 16384, DESK_DEPTH = 2 };

typedef struct question question;

typedef struct queue {
    question *first, **last;
} queue;

/* Where passwords are verified by a process that may block: crypt workers, or the helper for PAM. */
typedef struct desk {
    const char *role;
    unsigned depth;    /* questions that one process has at a time */
    queue good, suspect; /* who waits; clients that failed lately come second */
} desk;

typedef struct auth {
    process *process;
    directory directory;
    throttle throttle;
    desk crypt, pam;
    question *questions; /* all that are open */
    size_t question_count;
    uint32_t last_ref;
    uint64_t logins, failures; /* for status */
    watch folder;              /* of the user file, by inotify */
    int folder_fd;
} auth;

void auth_init(auth *a, process *p, const char *user_file);
void auth_free(auth *a);

/* Looks at the user file; tells policy and local when other users are in effect. */
void auth_refresh(auth *a, bool at_once);
void auth_tell_changed(auth *a, peer *p);

extern const peer_row auth_peers[];
extern const size_t auth_peer_count;
