/* pipe: acts for aliases and .forward files (|command, /file, :include:/file) by a worker for each user that has become that user.
 * It is a spawner of its own, since users' programs need almost all system calls: its filter only denies what is denied to everyone,
 * and ids outside of those that mail may run as. It parses no mail. */
#include "pipe/pipe.h"

static const contract pipe_contract = {
    .role = "pipe",
    .root = ROOT_HOST,
    .caps = CAPS_SPAWNER,
    .calls = CALLS_ANY,
    .worker_calls = CALLS_ANY,
    .is_spawner = true,
    .has_default_privs = true,
    .files = FILES_UNLIMITED,
    .limits = { .open_files = 65536 },
    .peers = "qmgr auth cleanup",
};

static bool prepare(process *p)
{
    carrier *c = p->state;
    *c = (carrier){ .process = p, .desk = { .on_end = workers_copy_ended } };
    return accounts_load(c);
}

static bool start(process *p)
{
    static pool_program workers = { .role = "pipe-worker", .calls = CALLS_ANY, .sees_home = true, .runs_programs = true,
                                    .on_lost = workers_lost };
    carrier *c = p->state;
    c->finder = (finder){ .process = p, .on_found = jobs_user_found };
    workers.rows = worker_rows;
    workers.row_count = worker_row_count;
    return pool_open(&c->pool, p, &workers, daemon_config(p)->local_worker_idle);
}

static void on_reload(process *p)
{
    carrier *c = p->state;
    accounts_load(c);
    workers_rules(c);
}

static void on_drain(process *p)
{
    carrier *c = p->state;
    pool_leave_all(&c->pool);
}

static void auth_opened(peer *p)
{
    carrier *c = p->daemon->state;
    finder_auth_opened(&c->finder, p);
}

static void cleanup_opened(peer *p)
{
    carrier *c = p->daemon->state;
    p->context = &c->desk;
}

static void report(process *p, buf *detail)
{
    carrier *c = p->state;
    buf_printf(detail, "workers=%zu workers_started=%llu delivered=%llu failed=%llu", c->pool.count,
               (unsigned long long)c->pool.started, (unsigned long long)c->delivered, (unsigned long long)c->failed);
}

int main(void)
{
    static carrier c;
    const peer_row peers[] = {
        { "qmgr", qmgr_talk, NULL, jobs_qmgr_lost },
        { "auth", finder_talk, auth_opened, finder_auth_lost },
        { "cleanup", forward_talk, cleanup_opened, forward_cleanup_lost },
    };
    const program p = { .contract = &pipe_contract, .peers = peers, .peer_count = COUNT_OF(peers), .prepare = prepare,
                        .start = start, .on_reload = on_reload, .on_drain = on_drain, .report = report };
    return daemon_run(&p, &c);
}
