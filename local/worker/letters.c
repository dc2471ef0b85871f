/* Requests, one by one: what is forwarded, what goes to the mailbox, and the word back. Runs in: local-worker. */
#include "base/memory.h"
#include "local/worker/worker.h"
#include "os/fd.h"
#include <stdlib.h>

static void result_put(local_worker *l, uint32_t ref, const deliver_result *m)
{
    channel_put(&l->worker->pool, DELIVER_RESULT, ref, deliver_result, m);
    worker_end(l->worker);
}

void answer(local_worker *l, uint32_t ref, uint64_t queue_id, fault f, const char *what)
{
    bool is_done = !is_fault(f);
    result_put(l, ref, &(deliver_result){ .queue_id = queue_id, .outcome = f.kind,
                                          .status = is_done ? STR("0.0") : str_c(f.status),
                                          .reason = is_done ? str_c(what) : str_c(f.text) });
}

void answer_of_mailbox(local_worker *l, uint32_t ref, uint64_t queue_id, fault f)
{
    result_put(l, ref, &(deliver_result){ .queue_id = queue_id, .outcome = f.kind, .status = str_c(f.status),
                                          .reason = str_c(f.text), .is_destination = true });
}

static letter *letter_new(const deliver_request *m, uint32_t ref, received *r)
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

const talk_row letter_rows[] = {
    { DELIVER_REQUEST, 1, 1, on_request },
    { DELIVER_PAPER, 0, 1, forward_on_paper },
    { DELIVER_LOCKED, 0, 0, spool_on_locked },
    { DELIVER_RULES, 0, 0, on_rules },
};
const size_t letter_row_count = COUNT_OF(letter_rows);
