/* Commit: the end marks stand, and one fsync each makes them messages (HOSTILE, Power cut). A failed one is never tried again into a
 * yes. Messages that come together are waited for together. Runs in: cleanup. */
#include "cleanup/cleanup.h"
#include "ipc/talk/queue.h"
#include "os/file_sync.h"
#include <errno.h>

enum { TOGETHER_MAX = 16 };

/* What came while the last ones were waited for. Who is found gone here is taken leave of in a task of its own. */
static void more_receive(cleanup *c)
{
    for (bringer *b = c->bringers; b; b = b->next)
        while (b->open && c->commits.n < TOGETHER_MAX && channel_receive(b->channel))
            continue;
}

static void qmgr_tell(const intake *i)
{
    queue_file m = { .queue_id = i->file.id };
    bool is_held = i->envelope.flags & ENVELOPE_HOLD;
    if (i->file.qmgr)
        channel_put(&i->file.qmgr->channel, is_held ? QUEUE_HELD : QUEUE_DURABLE, 0, queue_file, &m);
}

static void answer(intake *i)
{
    if (i->file.qmgr)
        channel_flush(&i->file.qmgr->channel);
    if (!i->was_offered)
        intake_log_queued(i);
    intake_end(i, NO_FAULT);
}

static void commits_sync(cleanup *c)
{
    file_sync files[TOGETHER_MAX];
    for (size_t at = 0, n; at < c->commits.n; at += n) {
        n = c->commits.n - at < TOGETHER_MAX ? c->commits.n - at : TOGETHER_MAX;
        for (size_t k = 0; k < n; k++)
            files[k].fd = c->commits.p[at + k]->file.read_write;
        file_sync_all(files, n);
        for (size_t k = 0; k < n; k++)
            c->commits.p[at + k]->sync_error = files[k].error;
    }
}

/* qmgr hears of them first: should we die between the two words, the messages are in the queue and the clients may send them again.
 * When it is gone, its successor finds the files. */
void commit_all(cleanup *c)
{
    size_t good = 0;
    commits_sync(c);
    for (size_t k = 0; k < c->commits.n; k++) {
        intake *i = c->commits.p[k];
        if ((errno = i->sync_error) != 0) {
            intake_end(i, fault_errno("make the message durable"));
            continue;
        }
        qmgr_tell(i);
        c->commits.p[good++] = i;
    }
    for (size_t k = 0; k < good; k++)
        answer(c->commits.p[k]);
    c->commits.n = 0;
}

static void commit_task(void *context)
{
    cleanup *c = context;
    if (c->commits.n)
        more_receive(c);
    commit_all(c);
}

void commit_put(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    i->was_offered = i->state == INTAKE_OFFERED;
    offer_end(i);
    i->state = INTAKE_COMMITTING;
    *vec_add(&c->commits) = i;
    task_put(c->process->loop, &c->commit, commit_task, c);
}
