/* The skeleton of a per-user worker (local-worker, imapd-worker, pop3d-worker): it takes its start over descriptor 3, puts up its
 * last walls, opens the user's folder and runs the loop. Small and static-pie: libc, libevent_core and what the program adds
 * (STORE). It runs as the user, who may have been chrooted to the mail folder. */
#pragma once
#include "ipc/channel.h"
#include "ipc/talk/worker.h"
#include "os/contract.h"
#include "os/landlock.h"

enum { WORKER_RULES_MAX = 4 };

typedef struct worker worker;

typedef struct worker_program {
    const char *role;     /* "imapd-worker" */
    unsigned calls;       /* CALLS_…, as the pool exported them: for what is tried after confinement */
    bool runs_programs;   /* of the user (os/worker_confine.h): it opens no folder */
    const talk_row *rows; /* what the pool may say besides; handlers get the worker as context */
    size_t row_count;
    void (*open)(worker *w);     /* before it is confined: opens w->mbox, if there is one; may be NULL */
    bool (*start)(worker *w);    /* confined, before READY. False: it said why */
    void (*on_leave)(worker *w); /* close what is open; the loop ends after it; may be NULL */
} worker_program;

struct worker {
    const worker_program *program;
    void *state; /* the program's */
    loop *loop;
    channel pool;
    int mail_fd; /* the user's mail folder, opened; -1: the mailbox is a file */
    str mbox;    /* that file's path; empty: there is none */
    int home_fd; /* the home folder; -1: there is none, or it is not to be seen */
    str user, host, home;
    size_t busy; /* sessions or deliveries: worker_begin, worker_end */
    uint64_t idle_s;
    timer idle;
    bool is_leaving;
    int exit_status; /* of worker_run when nothing went wrong */
    landlock_rule rules[WORKER_RULES_MAX]; /* what it may still open; `open` may add some */
    size_t rule_count;
};

/* Runs to the end; exit status: 0 asked to leave; 2 no start; 4 not confined; 5 no mail folder; 6 the program did not start. */
int worker_run(const worker_program *p, void *state);

/* What it is busy with keeps it alive; after the last and the idle time it asks the pool whether it may go. */
void worker_begin(worker *w);
void worker_end(worker *w);
