/* local's state: deliveries on their way to users' workers. Runs in: local, which has no uid of root, reads no mail and starts
 * workers as users within the configured ranges. */
#pragma once
#include "base/refs.h"
#include "daemon/pool.h"
#include "ipc/talk/deliver.h"

typedef struct local local;

typedef struct job {
    local *local;
    peer *qmgr; /* NULL: it is gone; the result has nobody to go to */
    uint32_t qmgr_ref, ref;
    uint64_t queue_id;
    pool_worker *worker; /* NULL: its user is being asked for */
    arena arena;
    deliver_request request;
    int fd;
} job;

struct local {
    process *process;
    pool pool;
    refs jobs;
    uint64_t delivered, failed;
};

/* jobs.c */
void job_end(job *j, fault outcome, str reason); /* tells qmgr, frees */
extern const talk qmgr_talk;
void jobs_qmgr_lost(peer *p);
void jobs_worker_lost(pool_worker *w);
extern const talk_row worker_rows[];
extern const size_t worker_row_count;
void job_give(job *j, const pool_user *u);

/* users.c: who the recipient is, asked of auth when there is no worker yet */
void user_ask(job *j);
extern const talk auth_talk;
void users_auth_opened(peer *p);
void users_auth_lost(peer *p);
