/* local-worker: delivers to one user's mail, as that user. Messages that arrive together are written together and made durable
 * together (PIPELINE 3): one pass of writes and renames, then the waits for the disk side by side. */
#include "base/checksum.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/vec.h"
#include "ipc/talk/deliver.h"
#include "store/store.h"
#include "worker/worker.h"
#include <stdlib.h>
#include <unistd.h>

enum { BATCH_MAX = 64, PIECE = 64 * 1024 };

typedef struct item {
    uint32_t ref;
    uint64_t queue_id;
} item;

typedef struct local_worker {
    worker *worker;
    store *store;
    delivery *delivery;
    VEC(item) batch;
    task commit;
} local_worker;

static void answer(local_worker *l, const item *it, fault f)
{
    bool is_done = !is_fault(f);
    deliver_result m = { .queue_id = it->queue_id, .outcome = f.kind, .status = is_done ? STR("0.0") : str_c(f.status),
                         .reason = is_done ? STR("delivered to maildir") : str_c(f.text) };
    channel_put(&l->worker->pool, DELIVER_RESULT, it->ref, deliver_result, &m);
    worker_end(l->worker);
}

static void commit(void *context)
{
    local_worker *l = context;
    size_t n = l->batch.n;
    if (n == 0)
        return;
    fault *results = memory_get(n * sizeof *results);
    delivery_commit(l->delivery, results);
    for (size_t i = 0; i < n; i++)
        answer(l, &l->batch.p[i], results[i]);
    l->batch.n = 0;
    free(results);
}

/* RFC 5321 4.4: the reverse-path goes on top at final delivery; Delivered-To marks where it has been. */
static fault front_write(local_worker *l, const deliver_request *m)
{
    buf front = buf_new(4096);
    buf_printf(&front, "Return-Path: <%.*s>\r\n", STR_ARG(m->reverse_path));
    if (m->original.n && !str_equal(m->original, m->recipient))
        buf_printf(&front, "X-Original-To: %.*s\r\n", STR_ARG(m->original));
    buf_printf(&front, "Delivered-To: %.*s\r\n", STR_ARG(m->recipient));
    fault f = front.overflow ? fault_make(FAULT_REFUSED, "6.0", "addresses are too long")
                             : delivery_write(l->delivery, buf_str(&front));
    buf_free(&front);
    return f;
}

/* The fields that cleanup added, then the content; what is read is what was acknowledged, or it is not delivered. */
static fault content_copy(local_worker *l, const deliver_request *m, int fd)
{
    static char bytes[PIECE];
    uint32_t sum = 0;
    uint64_t added = m->content_bytes - m->checked_bytes;
    for (uint64_t done = 0; done < m->content_bytes;) {
        uint64_t upto = done < added ? added : m->content_bytes;
        size_t n = upto - done < PIECE ? (size_t)(upto - done) : PIECE;
        ssize_t got = pread(fd, bytes, n, (off_t)(m->content_offset + done));
        if (got < 0)
            return fault_errno("read the queue file");
        if (got == 0)
            return fault_make(FAULT_BROKEN, "3.0", "the queue file is too short");
        str piece = { bytes, (size_t)got };
        if (done >= added)
            sum = checksum(sum, piece);
        fault f = delivery_write(l->delivery, piece);
        if (is_fault(f))
            return f;
        done += piece.n;
    }
    if (sum != m->content_checksum)
        return fault_make(FAULT_BROKEN, "3.0", "the queue file is damaged: checksum of the content");
    return NO_FAULT;
}

static fault take(local_worker *l, const deliver_request *m, int fd)
{
    fault f = delivery_begin(l->delivery, STR("INBOX"), NULL);
    if (!is_fault(f))
        f = front_write(l, m);
    if (!is_fault(f))
        f = content_copy(l, m, fd);
    if (!is_fault(f))
        f = delivery_end(l->delivery);
    if (is_fault(f))
        delivery_cancel(l->delivery);
    return f;
}

static bool on_request(void *context, channel *ch, received *r)
{
    worker *w = context;
    local_worker *l = w->state;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.checked_bytes > m.content_bytes)
        return false;
    item it = { .ref = r->ref, .queue_id = m.queue_id };
    worker_begin(w);
    fault f = take(l, &m, r->fds[0]);
    if (is_fault(f)) {
        answer(l, &it, f);
        return true;
    }
    *vec_add(&l->batch) = it;
    if (l->batch.n >= BATCH_MAX)
        commit(l);
    else
        task_put(w->loop, &l->commit, commit, l);
    return true;
}

static bool start(worker *w)
{
    local_worker *l = w->state;
    l->worker = w;
    fault f = store_open(w->mail_fd, &(store_options){ .host = w->host }, &l->store);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "no-store", f);
        return false;
    }
    l->delivery = delivery_new(l->store);
    return true;
}

static void on_leave(worker *w)
{
    local_worker *l = w->state;
    commit(l);
}

int main(void)
{
    static local_worker l;
    static const talk_row rows[] = { { DELIVER_REQUEST, 1, 1, on_request } };
    static const worker_program program = {
        .role = "local-worker",
        .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB,
        .rows = rows, .row_count = COUNT_OF(rows), .start = start, .on_leave = on_leave,
    };
    return worker_run(&program, &l);
}
