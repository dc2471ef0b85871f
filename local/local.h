/* local's state: deliveries on their way to users' workers. Runs in: local, which has no uid of root, reads no mail and starts
 * workers as users within the configured ranges. */
#pragma once
#include "base/refs.h"
#include "daemon/finder.h"
#include "daemon/forward.h"
#include "daemon/pool.h"
#include "ipc/talk/deliver.h"

typedef struct local local;

/* COPIED: what it is forwarded to is in cleanup's hands, and no worker is needed any more. */
typedef enum job_state { JOB_ASKING, JOB_GIVEN, JOB_COPIED } job_state;

typedef struct job {
    local *local;
    peer *qmgr; /* NULL: it is gone; the result has nobody to go to */
    uint32_t qmgr_ref, ref;
    uint64_t queue_id;
    job_state state;
    pool_worker *worker; /* JOB_GIVEN only */
    finding finding;
    arena arena;
    deliver_request request;
    int fd;            /* the queue file; of a job that may be given again a second one is kept here */
    unsigned moves;    /* how often its mailbox turned out to be another one */
    forwarding *copy;  /* NULL: it is not forwarded */
    bool is_of_mailbox; /* its failure: any other delivery to this mailbox would meet it now */
} job;

struct local {
    process *process;
    pool pool;
    finder finder;
    refs jobs;
    forward_desk desk;
    gid_t spool_group; /* who may make files in mail_spool_directory; 0: everybody, or nobody but root */
    uint64_t delivered, failed, forwarded;
};

/* What local knows of a worker; the pool_worker's context. */
typedef struct mailbox {
    bool is_mbox;
    bool is_system;
    str lock; /* path of its dotlock in the spool; empty: the mailbox is not there */
    bool has_lock;
} mailbox;

/* jobs.c */
void job_end(job *j, fault outcome, uint32_t action, str reason); /* tells qmgr, frees */
void job_fail(job *j, fault f);
extern const talk qmgr_talk;
void jobs_qmgr_lost(peer *p);
void job_give_found(job *j, pool_user *u); /* auth has said who it is; sets the key of its worker */
void job_not_found(job *j, fault why);     /* or has not: a user who has workers is known, if that is for later only */

/* workers.c: what a worker says */
extern const talk_row worker_rows[];
extern const size_t worker_row_count;
void worker_meet(pool_worker *w, const pool_user *u); /* a new one: it is told the rules */
void workers_rules(local *l);                         /* they changed */
void workers_lost(pool_worker *w);
void workers_gone(pool_worker *w);
forward_ended workers_copy_ended;

/* locks.c: dotlocks in the spool, which users may not make there */
fault dotlock_take(mailbox *m, uint64_t stale_s);
void dotlock_give(mailbox *m);
gid_t spool_group(const config *c); /* of a spool in which a group may make files; 0 */
bool spool_has(const config *c, str path);

/* extension.c: "+lists" of user+lists@domain, when the rest is the user's name; empty: none */
str recipient_extension(str recipient, str user, str delimiters);

/* users.c: who the recipient is, asked of auth when there is no worker yet */
void user_ask(job *j);
void users_auth_opened(peer *p);
