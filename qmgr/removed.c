/* Messages that are gone, durably: where a removal lasts only with the file system's own commit (btrfs, each 30 s), a power cut would
 * bring them back for that long, to be delivered twice. There a commit is begun soon after removals; elsewhere the next fsync of any
 * file does it. To sync the folder instead makes it worse: names that files had before come back beside the later ones. Runs in:
 * qmgr. */
#include "base/log.h"
#include "os/journal.h"
#include "qmgr/qmgr.h"

enum { SOON_MS = 300 }; /* so many removals share a commit */

static void on_soon(void *context)
{
    qmgr *q = context;
    q->removals.is_due = false;
    if (!journal_commit_start(q->root_fd))
        log_fault(LOG_WARNING, "removal-not-durable", fault_errno("commit the queue's file system"));
}

void removals_open(qmgr *q)
{
    timer_open(&q->removals.soon, q->process->loop, on_soon, q);
}

void removals_note(qmgr *q)
{
    removals *r = &q->removals;
    if (!q->mixes_names || r->is_due)
        return;
    r->is_due = true;
    timer_set(&r->soon, SOON_MS);
}
