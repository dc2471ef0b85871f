/* pickup: brings what sendmail left in the drop folder while the suite was down. It trusts no name and no word in there. */
#include "base/log.h"
#include "pickup/pickup.h"
#include <fcntl.h>

static const contract pickup_contract = {
    .role = "pickup",
    .root = ROOT_EMPTY, /* nothing but the drop folder */
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES,
    .files = FILES_WRITE,
    .limits = { .open_files = 64 },
    .peers = "cleanup",
};

static bool start(process *d)
{
    pickup *p = d->state;
    p->process = d;
    p->drop_fd = d->identity.is_privileged ? open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                                           : openat(d->identity.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->drop_fd < 0) {
        log_fault(LOG_ERROR, "not-started", fault_errno("open the drop folder"));
        return false;
    }
    p->parcel.fd = -1;
    timer_open(&p->look, d->loop, bring_next, p);
    timer_set(&p->look, 0);
    return true;
}

static void report(process *d, buf *detail)
{
    pickup *p = d->state;
    buf_printf(detail, "brought=%llu refused=%llu", (unsigned long long)p->brought, (unsigned long long)p->refused);
}

int main(void)
{
    static pickup p;
    const peer_row peers[] = { { "cleanup", cleanup_talk, NULL, bring_lost } };
    const program pickup_program = {
        .contract = &pickup_contract, .peers = peers, .peer_count = COUNT_OF(peers), .start = start, .report = report
    };
    return daemon_run(&pickup_program, &p);
}
