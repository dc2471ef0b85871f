/* A mailbox that is a Maildir. Messages that arrive together are written together and made durable together (PIPELINE 3): one pass of
 * writes and renames, then the waits for the disk side by side. Runs in: local-worker. */
#include "base/log.h"
#include "base/memory.h"
#include "local/worker/worker.h"
#include <stdlib.h>

enum { BATCH_MAX = 64 };

bool maildir_start(local_worker *l)
{
    worker *w = l->worker;
    fault f = store_open(w->mail_fd, &(store_options){ .host = w->host }, &l->store);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "no-store", f);
        return false;
    }
    l->delivery = delivery_new(l->store);
    return true;
}

void maildir_commit(local_worker *l)
{
    size_t n = l->batch.n;
    if (n == 0)
        return;
    fault *results = memory_get(n * sizeof *results);
    delivery_commit(l->delivery, results);
    for (size_t i = 0; i < n; i++)
        answer(l, l->batch.p[i].ref, l->batch.p[i].queue_id, results[i], "delivered to maildir");
    l->batch.n = 0;
    free(results);
}

/* What came while the last ones were waited for shares the next wait. */
static void commit_task(void *context)
{
    local_worker *l = context;
    while (l->batch.n && l->batch.n < BATCH_MAX && channel_receive(&l->worker->pool))
        continue;
    maildir_commit(l);
}

static fault sink_write(void *to, str bytes)
{
    return delivery_write(to, bytes);
}

/* The user's folder of the extension's name, in any case; INBOX when there is none. Nothing is made by a stranger's word. */
static str folder_of(local_worker *l, const deliver_request *m, arena *a)
{
    mailbox_entry *rows;
    size_t n;
    str wanted = str_from(m->extension, 1), found = STR("INBOX");
    if (wanted.n == 0 || !(l->rules.flags & DELIVER_TO_FOLDER) || is_fault(store_list(l->store, a, &rows, &n)))
        return found;
    for (size_t i = 0; i < n; i++) {
        if (!rows[i].is_selectable || !str_equal_nocase(rows[i].name, wanted))
            continue;
        found = rows[i].name;
        if (str_equal(found, wanted))
            break;
    }
    return found;
}

fault maildir_take(local_worker *l, const deliver_request *m, uint32_t ref, int fd)
{
    content_sink to = { sink_write, l->delivery };
    arena a = arena_new(0);
    fault f = delivery_begin(l->delivery, folder_of(l, m, &a), NULL);
    arena_free(&a);
    if (!is_fault(f))
        f = front_write(m, to, true);
    if (!is_fault(f))
        f = content_write(m, fd, to);
    if (!is_fault(f))
        f = delivery_end(l->delivery);
    if (is_fault(f)) {
        delivery_cancel(l->delivery);
        return f;
    }
    *vec_add(&l->batch) = (maildir_item){ .ref = ref, .queue_id = m->queue_id };
    if (l->batch.n >= BATCH_MAX)
        maildir_commit(l);
    else
        task_put(l->worker->loop, &l->commit, commit_task, l);
    return NO_FAULT;
}
