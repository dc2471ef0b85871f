/* local-worker: delivers to one user's mail, as that user: forwards it (.forward), appends it to an mbox, or puts it into a Maildir. */
#include "base/log.h"
#include "base/memory.h"
#include "local/worker/worker.h"
#include "os/fd.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void answer(local_worker *l, uint32_t ref, uint64_t queue_id, fault f, const char *what)
{
    bool is_done = !is_fault(f);
    deliver_result m = { .queue_id = queue_id, .outcome = f.kind, .status = is_done ? STR("0.0") : str_c(f.status),
                         .reason = is_done ? str_c(what) : str_c(f.text) };
    channel_put(&l->worker->pool, DELIVER_RESULT, ref, deliver_result, &m);
    worker_end(l->worker);
}

letter *letter_new(const deliver_request *m, uint32_t ref, received *r)
{
    letter *k = memory_get(sizeof *k);
    *k = (letter){ .ref = ref, .request = *m, .fd = r->fds[0] };
    return k;
}

/* It outlives the frame that it came in. */
static void letter_keep(letter *k, received *r)
{
    arena *a = &k->arena;
    deliver_request *m = &k->request;
    k->fd = received_take(r, 0);
    m->reverse_path = arena_copy(a, m->reverse_path);
    m->recipient = arena_copy(a, m->recipient);
    m->original = arena_copy(a, m->original);
    m->user = arena_copy(a, m->user);
    m->forwarders = arena_copy(a, m->forwarders);
    m->extension = arena_copy(a, m->extension);
}

void letter_free(letter *k)
{
    fd_close(&k->fd);
    vec_free(&k->members);
    arena_free(&k->arena);
    free(k);
}

/* At once into the Maildir, or kept. */
static void deliver(local_worker *l, letter *k, received *r)
{
    fault f;
    bool is_forwarded = forward_find(l, k, &f);
    if (!is_fault(f) && (is_forwarded || l->worker->mbox.n)) {
        letter_keep(k, r);
        if (is_forwarded)
            forward_start(l, k);
        else
            spool_put(l, k);
        return;
    }
    if (!is_fault(f))
        f = maildir_take(l, &k->request, k->ref, k->fd);
    if (is_fault(f))
        answer(l, k->ref, k->request.queue_id, f, NULL);
    k->fd = -1; /* the frame's */
    letter_free(k);
}

static bool on_request(void *context, channel *ch, received *r)
{
    worker *w = context;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.checked_bytes > m.content_bytes)
        return false;
    worker_begin(w);
    deliver(w->state, letter_new(&m, r->ref, r), r);
    return true;
}

static bool on_rules(void *context, channel *ch, received *r)
{
    worker *w = context;
    local_worker *l = w->state;
    deliver_rules m;
    (void)ch;
    if (deliver_rules_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    l->rules = m;
    return true;
}

/* What lies outside of the walls: the mailbox's file, and where its dotlock is made when it stands in the home. */
static void open_mailbox(worker *w)
{
    local_worker *l = w->state;
    l->worker = w;
    if (w->mbox.n == 0)
        return;
    spool_open(l);
    arena a = arena_new(0);
    int folder = open(arena_c(&a, str_upto(w->mbox, str_find_last(w->mbox, '/') + 1)), O_PATH | O_DIRECTORY | O_CLOEXEC);
    arena_free(&a);
    if (folder >= 0)
        w->rules[w->rule_count++] = (landlock_rule){ folder, ACCESS_LOCK };
}

static bool start(worker *w)
{
    local_worker *l = w->state;
    l->worker = w;
    return w->mbox.n || maildir_start(l);
}

static void on_leave(worker *w)
{
    local_worker *l = w->state;
    maildir_commit(l);
    spool_leave(l);
}

int main(void)
{
    static local_worker l;
    static const talk_row rows[] = {
        { DELIVER_REQUEST, 1, 1, on_request },
        { DELIVER_PAPER, 0, 1, forward_on_paper },
        { DELIVER_LOCKED, 0, 0, spool_on_locked },
        { DELIVER_RULES, 0, 0, on_rules },
    };
    static const worker_program program = {
        .role = "local-worker",
        .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB,
        .rows = rows, .row_count = COUNT_OF(rows), .open = open_mailbox, .start = start, .on_leave = on_leave,
    };
    return worker_run(&program, &l);
}
