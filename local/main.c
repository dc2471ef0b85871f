/* local: delivers to mailboxes of this host, by a worker for each user that has become that user. It parses no mail. */
#include "local/local.h"

enum { WORKER_CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB |
                     CALLS_TOGETHER };

static const contract local_contract = {
    .role = "local",
    .root = ROOT_HOST,
    .caps = CAPS_SPAWNER,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_SPAWN | CALLS_READ_FILES | CALLS_FILES, /* dotlocks in the spool */
    .worker_calls = WORKER_CALLS,
    .is_spawner = true,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "qmgr auth cleanup",
};

/* Who may make dotlocks in the spool; mailboxes are made by the children that become users. */
static bool prepare(process *p)
{
    local *l = p->state;
    l->spool_group = p->identity.is_privileged ? spool_group(daemon_config(p)) : 0;
    p->identity.groups = &l->spool_group;
    p->identity.group_count = l->spool_group ? 1 : 0;
    return true;
}

static bool start(process *p)
{
    static const pool_program workers = { .role = "local-worker", .calls = WORKER_CALLS, .sees_home = true,
                                          .on_lost = workers_lost, .on_gone = workers_gone };
    static pool_program program_rows;
    local *l = p->state;
    l->process = p;
    program_rows = workers;
    program_rows.rows = worker_rows;
    program_rows.row_count = worker_row_count;
    return pool_open(&l->pool, p, &program_rows, daemon_config(p)->local_worker_idle);
}

static void on_reload(process *p)
{
    workers_rules(p->state);
}

static void cleanup_opened(peer *p)
{
    local *l = p->daemon->state;
    p->context = &l->desk;
}

static void on_drain(process *p)
{
    local *l = p->state;
    pool_leave_all(&l->pool);
}

static void report(process *p, buf *detail)
{
    local *l = p->state;
    buf_printf(detail, "workers=%zu workers_started=%llu delivered=%llu failed=%llu forwarded=%llu", l->pool.count,
               (unsigned long long)l->pool.started, (unsigned long long)l->delivered, (unsigned long long)l->failed,
               (unsigned long long)l->forwarded);
}

int main(void)
{
    static local l = { .desk = { .on_end = workers_copy_ended } };
    const peer_row peers[] = {
        { "qmgr", qmgr_talk, NULL, jobs_qmgr_lost },
        { "auth", finder_talk, users_auth_opened, finder_auth_lost },
        { "cleanup", forward_talk, cleanup_opened, forward_cleanup_lost },
    };
    const program local_program = { .contract = &local_contract, .peers = peers, .peer_count = COUNT_OF(peers),
                                    .prepare = prepare, .start = start, .on_reload = on_reload,
                                    .on_drain = on_drain, .report = report };
    return daemon_run(&local_program, &l);
}
