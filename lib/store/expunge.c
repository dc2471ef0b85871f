#include "os/journal.h"
#include "store/internal.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

/* Those of the view that are to go. */
static fault doomed_read(mailbox *m, const uid_set *uids, bool only_deleted, uid_set *out)
{
    message_info info[CHUNK];
    size_t n;
    fault f = NO_FAULT;

    uids = uids ? uids : &m->uids;
    for (uint32_t from = 1;; from = info[n - 1].uid + 1) {
        f = mailbox_read(m, uids, from, info, CHUNK, &n);
        if (is_fault(f) || n == 0)
            return f;
        for (size_t i = 0; i < n; i++)
            if (!info[i].is_expunged && (!only_deleted || info[i].flags & MESSAGE_DELETED))
                uid_set_add(out, info[i].uid, info[i].uid);
        if (info[n - 1].uid == UINT32_MAX)
            return f;
    }
}

static int unlink_use(box *b, const char *path, void *context)
{
    (void)context;
    return unlinkat(b->dirfd, path, 0) == 0 ? 0 : errno;
}

typedef struct removal {
    box *b;
    const uid_set *uids;
} removal;

static fault removal_write(MDB_txn *t, void *context)
{
    removal *r = context;
    box_writer w;

    if (!box_writer_open(&w, t, r->b->id))
        return box_is_gone();
    for (uint32_t uid = 1; (uid = uid_set_next(r->uids, uid)) != 0; uid++)
        box_writer_remove(&w, uid);
    return env_fault(&r->b->s->index, box_writer_finish(&w), "write");
}

/* Of files that were in new/ before they came to cur/ no name may come back. */
static fault removal_sync(int dirfd)
{
    if (journal_mixes_names(dirfd))
        return journal_commit(dirfd);
    return folder_sync(dirfd, "cur") && folder_sync(dirfd, "new") ? NO_FAULT : fault_errno("cannot sync the mailbox");
}

/* Files first: after a crash between the two the merge finds them gone. The other way round they would come back as
 * new. */
fault mailbox_expunge(mailbox *m, const uid_set *uids, bool only_deleted, uid_set *expunged_out)
{
    uid_set doomed = { 0 }, gone = { 0 };

    if (m->is_readonly)
        return fault_make(FAULT_REFUSED, "2.0", "the mailbox is open read-only");
    fault f = doomed_read(m, uids, only_deleted, &doomed);
    for (uint32_t uid = 1; !is_fault(f) && (uid = uid_set_next(&doomed, uid)) != 0; uid++) {
        fault one = message_at(&m->box, uid, unlink_use, NULL);
        if (one.kind == FAULT_REFUSED) /* somebody else was first */
            continue;
        if (!is_fault(one))
            uid_set_add(&gone, uid, uid);
        f = one;
    }
    if (gone.n) {
        fault written = env_write(&m->box.s->index, removal_write, &(removal){ &m->box, &gone });
        f = is_fault(f) ? f : written;
        cache_forget(m->box.s, m->box.id, &gone);
        f = is_fault(f) ? f : removal_sync(m->box.dirfd);
    }
    if (expunged_out)
        uid_set_unite(expunged_out, &gone);
    uid_set_free(&doomed);
    uid_set_free(&gone);
    return f;
}
