/* pipe's state: what members of aliases and of .forward files ask for, on its way to workers that act as somebody. Runs in: pipe,
 * which has no uid of root, reads no mail and starts workers as users within the configured ranges, or as default_privs. */
#pragma once
#include "base/refs.h"
#include "daemon/finder.h"
#include "daemon/forward.h"
#include "daemon/pool.h"
#include "ipc/talk/deliver.h"

typedef struct carrier carrier; /* pipe itself */

/* Who acts for an alias: "#1000", the owner of a table of alias_maps, or "#nobody", default_privs. */
typedef struct account {
    str key, name, home, shell;
    uid_t uid;
    gid_t gid;
} account;

typedef struct job {
    carrier *carrier;
    peer *qmgr; /* NULL: it is gone; the result has nobody to go to */
    uint32_t qmgr_ref, ref;
    uint64_t queue_id;
    pool_worker *worker; /* NULL: its user is being asked for */
    finding finding;
    arena arena;
    deliver_request request;
    int fd;
    forwarding *copy; /* NULL: it is no list */
    bool is_of_file;  /* its failure: any other delivery to this file would meet it now */
} job;

struct carrier {
    process *process;
    pool pool;
    finder finder;
    refs jobs;
    forward_desk desk;
    arena arena; /* of the accounts */
    VEC(account) accounts;
    uint64_t delivered, failed;
};

/* accounts.c */
bool accounts_load(carrier *c); /* from the configuration. False: it said why */
const account *account_find(const carrier *c, str key); /* NULL: no such account acts for an alias */
void accounts_free(carrier *c);

/* jobs.c */
void job_end(job *j, fault outcome, uint32_t action, str reason); /* tells qmgr, frees */
void job_give(job *j, const pool_user *u);
extern const talk qmgr_talk;
void jobs_qmgr_lost(peer *p);
finder_found jobs_user_found;

/* workers.c: what a worker is told and says */
extern const talk_row worker_rows[];
extern const size_t worker_row_count;
void worker_meet(pool_worker *w);  /* a new one hears the rules */
void workers_rules(carrier *c);    /* they changed */
void workers_lost(pool_worker *w);
forward_ended workers_copy_ended;
