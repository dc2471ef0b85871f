/* qmgr: owns the queue. It schedules envelopes and hands out descriptors; it parses no content and has no network. */
#include "qmgr/qmgr.h"
#include "base/log.h"
#include <fcntl.h>
#include <signal.h>

static const contract qmgr_contract = {
    .role = "qmgr",
    .root = ROOT_QUEUE,
    .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LEASE |
             CALLS_COMMIT,
    .files = FILES_WRITE,
    .limits = { .open_files = 65536 },
    .peers = "cleanup local pipe policy bounce queue",
};

static bool start(process *p)
{
    qmgr *q = p->state;
    q->process = p;
    signal(SIGIO, SIG_IGN); /* somebody opens a file while we ask whether it is open */
    schedule_open(q);
    destinations_open(q);
    q->root_fd = p->identity.is_privileged ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                           : openat(p->identity.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fault f = q->root_fd >= 0 ? scan_own(q) : fault_errno("open the queue");
    if (!is_fault(f))
        f = queue_tree_make(q->root_fd);
    if (!is_fault(f))
        f = ids_open(q);
    if (!is_fault(f))
        removals_open(q);
    if (!is_fault(f))
        f = scan_all(q);
    if (is_fault(f))
        log_fault(LOG_ERROR, "not-started", f);
    admin_start(q);
    return !is_fault(f);
}

static void report(process *p, buf *detail)
{
    qmgr *q = p->state;
    buf_printf(detail, "messages=%zu active=%zu accepted=%llu delivered=%llu deferred=%llu failed=%llu", q->messages.n,
               q->active_count, (unsigned long long)q->accepted, (unsigned long long)q->delivered,
               (unsigned long long)q->deferred, (unsigned long long)q->failed);
}

int main(void)
{
    static qmgr q;
    const peer_row peers[] = {
        { "cleanup", cleanup_talk, NULL, fresh_holder_lost },
        { "local", delivery_talk, deliver_peer_opened, deliver_carrier_lost },
        { "pipe", delivery_talk, deliver_peer_opened, deliver_carrier_lost },
        { "policy", policy_talk, NULL, resolve_lost },
        { "bounce", bounce_talk, report_bounce_opened, report_bounce_lost },
    };
    const program qmgr_program = { .contract = &qmgr_contract,
                                   .peers = peers,
                                   .peer_count = COUNT_OF(peers),
                                   .prepare = fresh_prepare,
                                   .start = start,
                                   .on_connection = admin_connection,
                                   .on_drain = spares_remove,
                                   .report = report };
    return daemon_run(&qmgr_program, &q);
}
