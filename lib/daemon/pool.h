/* Workers of a pool, one per user and kind: started on demand as the user, confined by a filter that is compiled once here, kept
 * while they have work, asked to leave when idle. Runs in: local, imapd, pop3d, which parse nothing but grants. The pool owns
 * its workers; the program counts what each has open. */
#pragma once
#include "base/map.h"
#include "daemon/daemon.h"

typedef struct pool pool;

typedef struct pool_user {
    str user;
    str key; /* of a further worker of the same user; empty: the user's name, of the first one */
    uid_t uid;
    gid_t gid;
    bool is_system; /* has an account of its own; else it is chrooted to its mail folder, as it may share a uid */
    str home, mail;
    str mbox;         /* a file instead of the folder `mail`; empty: none */
    gid_t mbox_group; /* as whom it is made when it is not there; 0: the user's own group */
} pool_user;

typedef enum pool_worker_state { WORKER_UP, WORKER_GOING } pool_worker_state;

typedef struct pool_worker {
    pool *pool;
    str user, key;
    pid_t pid;
    int pidfd;
    watch exit;
    channel channel;
    pool_worker_state state;
    size_t open;        /* the program's: sessions or deliveries that it has */
    bool had_no_folder, had_moved; /* why it ended; the second is no mistake: the next one finds the mailbox */
    void *context;      /* the program's */
    struct pool_worker *next;
} pool_worker;

typedef struct pool_program {
    const char *role; /* "imapd-worker" */
    unsigned calls;   /* families of calls of the worker */
    bool sees_home;
    bool runs_programs; /* of the user (worker.h): it is not chrooted, and has no need of a mail folder */
    const talk_row *rows; /* what a worker may say besides READY and IDLE; handlers get the pool_worker as context */
    size_t row_count;
    void (*on_lost)(pool_worker *w); /* it ended with work open */
    void (*on_gone)(pool_worker *w); /* it ended; after on_lost; may be NULL */
} pool_program;

struct pool {
    process *process;
    const pool_program *program;
    uint64_t idle_s;
    int exec_fd, filter_fd;
    pool_worker *workers;
    map by_user; /* those that are up, by their keys */
    size_t count;
    uint64_t started, crashed;
    talk talk;
    talk_row rows[16];
};

/* Confined already: compiles the workers' filter and takes the executable that master gave. False: it said why. */
bool pool_open(pool *p, process *d, const pool_program *workers, uint64_t idle_s);

/* The user's worker, started if there is none. Fails: FAULT_REFUSED for ids outside the ranges, FAULT_TRY_LATER. */
fault pool_get(pool *p, const pool_user *u, pool_worker **out);

void pool_leave_all(pool *p); /* on drain: workers finish and go */
