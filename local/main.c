/* local: delivers to mailboxes of this host, by a worker for each user that has become that user. It parses no mail. */
#include "local/local.h"

enum { WORKER_CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB };

static const contract local_contract = {
    .role = "local",
    .root = ROOT_HOST,
    .caps = CAPS_SPAWNER,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_SPAWN,
    .worker_calls = WORKER_CALLS,
    .is_spawner = true,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "qmgr auth",
};

static bool start(process *p)
{
    static const pool_program workers = { .role = "local-worker", .calls = WORKER_CALLS, .sees_home = true,
                                          .on_lost = jobs_worker_lost };
    static pool_program program_rows;
    local *l = p->state;
    l->process = p;
    program_rows = workers;
    program_rows.rows = worker_rows;
    program_rows.row_count = worker_row_count;
    return pool_open(&l->pool, p, &program_rows, daemon_config(p)->local_worker_idle);
}

static void on_drain(process *p)
{
    local *l = p->state;
    pool_leave_all(&l->pool);
}

static void report(process *p, buf *detail)
{
    local *l = p->state;
    buf_printf(detail, "workers=%zu workers_started=%llu delivered=%llu failed=%llu", l->pool.count,
               (unsigned long long)l->pool.started, (unsigned long long)l->delivered, (unsigned long long)l->failed);
}

int main(void)
{
    static local l;
    const peer_row peers[] = {
        { "qmgr", qmgr_talk, NULL, jobs_qmgr_lost },
        { "auth", auth_talk, users_auth_opened, users_auth_lost },
    };
    const program local_program = { .contract = &local_contract, .peers = peers, .peer_count = COUNT_OF(peers),
                                    .start = start, .on_drain = on_drain, .report = report };
    return daemon_run(&local_program, &l);
}
