/* Messages that are gone, durably: where a removal lasts only with the file system's own commit (btrfs, each 30 s), a power cut would
 * bring them back for that long, to be delivered twice. There the folder is synced behind removals, in the background, one sync at a
 * time; elsewhere the next fsync of any file does it. Runs in: qmgr. */
#include "base/log.h"
#include "os/file_sync.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>

static void on_synced(void *context, unsigned ready);

static void sync_start(qmgr *q)
{
    removals *r = &q->removals;
    file_sync folder = { .fd = r->folder_fd, .owner = q };
    r->is_due = false;
    r->is_under_way = file_sync_start(&folder, 1) == 1;
    if (r->is_under_way && !r->synced.is_open) {
        watch_open(&r->synced, q->process->loop, file_sync_ready_fd(), on_synced, q);
        watch_want(&r->synced, WATCH_READ);
    }
}

static void on_synced(void *context, unsigned ready)
{
    qmgr *q = context;
    file_sync ended;
    (void)ready;
    if (file_sync_take(&ended, 1, false) == 0)
        return;
    if ((errno = ended.error) != 0)
        log_fault(LOG_WARNING, "removal-not-durable", fault_errno("sync the queue folder; a power cut brings messages twice"));
    q->removals.is_under_way = false;
    if (q->removals.is_due)
        sync_start(q);
}

void removals_open(qmgr *q)
{
    bool has_own_commit = queue_tree_mixes_names(q->root_fd);
    q->removals.folder_fd = has_own_commit ? queue_tree_folder(q->root_fd, QUEUE_ACTIVE) : -1;
}

void removals_note(qmgr *q, queue_place from)
{
    removals *r = &q->removals;
    if (r->folder_fd < 0 || from != QUEUE_ACTIVE)
        return;
    r->is_due = true;
    if (!r->is_under_way)
        sync_start(q);
}
