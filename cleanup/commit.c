/* Commit: the end marks stand, and one fsync each makes them messages (HOSTILE, Power cut). A failed one is never tried again into a
 * yes. A message that comes alone is waited for; several are made durable in the background, and those that come meanwhile begin at
 * once, instead of after two commits of a journal. Runs in: cleanup. */
#include "base/log.h"
#include "cleanup/cleanup.h"
#include "os/fd.h"
#include "os/file.h"
#include "os/file_sync.h"
#include "queue/id.h"
#include <errno.h>
#include <unistd.h>

enum { TOGETHER_MAX = 16 };

/* What came while others were waited for, so that it does not look as if each came alone. Who is found gone here is taken leave of in
 * a task of its own. */
static void more_receive(cleanup *c)
{
    for (bringer *b = c->bringers; b; b = b->next)
        while (b->open && c->commits.n < TOGETHER_MAX && channel_receive(b->channel))
            continue;
}

static void qmgr_tell(const intake *i)
{
    bool is_held = i->envelope.flags & ENVELOPE_HOLD;
    blank_tell(&i->file, is_held ? QUEUE_HELD : QUEUE_DURABLE);
}

static void answer(intake *i)
{
    if (i->file.qmgr)
        channel_flush(&i->file.qmgr->channel);
    if (!i->was_offered)
        intake_log_queued(i);
    stock_learn(i, i->file_bytes);
    intake_end(i, NO_FAULT);
}

/* One that was offered may be delivered already; one in memory, yet: then the answer is yes. What is refused here is not. */
static void fail(intake *i, fault why)
{
    bool may_be_delivered = i->was_offered && !i->must_be_kept && i->memory >= 0 && i->file.qmgr;
    if (i->is_delivered || !may_be_delivered) {
        intake_end(i, i->is_delivered ? NO_FAULT : why);
        return;
    }
    log_event(LOG_WARNING, "not-kept", LOG_C("id", queue_id_text(i->file.id).text), LOG_C("reason", why.text));
    blank_tell(&i->file, QUEUE_UNNAMED);
    if (i->file.read_write >= 0 && ftruncate(i->file.read_write, 0) != 0) /* should qmgr end before it hears of it */
        log_fault(LOG_ERROR, "not-emptied", fault_errno("empty the queue file"));
    fd_close(&i->file.read_write);
    i->file.read_write = i->memory;
    i->memory = -1;
    i->file.is_in_memory = true;
    offer_go_on(i);
}

/* qmgr hears of them first: should we die between the two words, the messages are in the queue and the clients may send them again.
 * When it is gone, its successor finds the files. */
static void settle(const file_sync *ended, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (ended[k].error == 0)
            qmgr_tell(ended[k].owner);
    for (size_t k = 0; k < n; k++) {
        if ((errno = ended[k].error) != 0)
            fail(ended[k].owner, fault_errno("make the message durable"));
        else
            answer(ended[k].owner);
    }
}

/* Of a prepared file with room for the message only the content is new. */
static file_sync file_of(intake *i)
{
    bool has_room = i->file_bytes <= i->file.prepared_bytes;
    return (file_sync){ .fd = i->file.read_write, .is_data = has_room, .owner = i };
}

static size_t files_list(const cleanup *c, file_sync *out)
{
    size_t n = c->commits.n < TOGETHER_MAX ? c->commits.n : TOGETHER_MAX;
    for (size_t k = 0; k < n; k++)
        out[k] = file_of(c->commits.p[k]);
    return n;
}

static void commits_remove(cleanup *c, size_t n)
{
    c->commits.n -= n;
    memmove(c->commits.p, c->commits.p + n, c->commits.n * sizeof *c->commits.p);
}

static void on_synced(void *context, unsigned ready);

static size_t start(cleanup *c, const file_sync *files, size_t n)
{
    size_t started = file_sync_start(files, n);
    c->syncing += started;
    if (started && !c->synced.is_open) {
        watch_open(&c->synced, c->process->loop, file_sync_ready_fd(), on_synced, c);
        watch_want(&c->synced, WATCH_READ);
    }
    return started;
}

/* What finds no room in the background waits for results, if any are to come. */
static void commits_begin(cleanup *c)
{
    while (c->commits.n) {
        file_sync files[TOGETHER_MAX];
        size_t n = files_list(c, files);
        bool is_alone = n == 1 && c->syncing == 0;
        size_t begun = is_alone ? 0 : start(c, files, n);
        if (begun == 0 && c->syncing)
            return;
        commits_remove(c, begun ? begun : n);
        if (begun == 0) {
            file_sync_all(files, n);
            settle(files, n);
        }
    }
}

static void results_take(cleanup *c, bool waits)
{
    file_sync ended[TOGETHER_MAX];
    size_t n = TOGETHER_MAX;
    for (; n == TOGETHER_MAX; waits = false) {
        n = file_sync_take(ended, TOGETHER_MAX, waits);
        c->syncing -= n;
        settle(ended, n);
    }
}

static void on_synced(void *context, unsigned ready)
{
    (void)ready;
    results_take(context, false);
    commits_begin(context);
}

void commit_all(cleanup *c)
{
    for (commits_begin(c); c->syncing; commits_begin(c))
        results_take(c, true);
}

static void commit_task(void *context)
{
    cleanup *c = context;
    if (c->commits.n)
        more_receive(c);
    commits_begin(c);
}

/* To the qmgr that knows of it, or else to its successor, once there is one. */
static void name_ask(intake *i)
{
    queue_name_ask m = { .queue_id = i->file.id, .is_orphan = i->file.qmgr == NULL };
    i->state = INTAKE_NAMING;
    i->must_be_kept = i->must_be_kept || m.is_orphan;
    if (i->file.qmgr == NULL)
        i->file.qmgr = daemon_peer(i->bringer->cleanup->process, "qmgr");
    if (i->file.qmgr)
        channel_put(&i->file.qmgr->channel, QUEUE_NAME, 0, queue_name_ask, &m);
}

void commit_adopt(cleanup *c)
{
    for (intake *i = c->intakes; i; i = i->next)
        if (i->state == INTAKE_NAMING && i->file.qmgr == NULL)
            name_ask(i);
}

bool commit_on_named(void *context, channel *ch, received *r)
{
    intake *i;
    (void)ch;
    if (!intake_read(context, r, &i))
        return false;
    if (i == NULL || i->state != INTAKE_NAMING)
        return true; /* it is over, and the file gone */
    i->memory = i->file.read_write;
    i->file.read_write = received_take(r, 0);
    i->file.is_in_memory = false;
    if (file_copy(i->memory, i->file.read_write))
        commit_put(i);
    else
        fail(i, fault_errno("write the queue file"));
    return true;
}

bool commit_on_unnamed(void *context, channel *ch, received *r)
{
    queue_result m;
    (void)ch;
    if (queue_result_decode(r->bytes, &m) != PARSE_DONE || m.outcome > FAULT_BUG || m.outcome == FAULT_NONE)
        return false;
    intake *i = intake_of_qmgr(context, m.queue_id);
    if (i == NULL || i->state != INTAKE_NAMING)
        return true;
    i->memory = i->file.read_write;
    i->file.read_write = -1;
    fail(i, result_fault(&m));
    return true;
}

void commit_put(intake *i)
{
    cleanup *c = i->bringer->cleanup;
    i->was_offered = i->was_offered || i->state == INTAKE_OFFERED;
    offer_end(i);
    if (i->file.is_in_memory) {
        name_ask(i);
        return;
    }
    i->state = INTAKE_COMMITTING;
    *vec_add(&c->commits) = i;
    task_put(c->process->loop, &c->commit, commit_task, c);
}
