/* imapd-worker: serves all IMAP sessions of one user, as that user, from the user's mail folder. */
#include "imapd/worker/server.h"
#include "base/log.h"
#include "worker/worker.h"
#include <malloc.h>

enum {
    HEAP_PIECE_MAX = 16 * 1024
}; /* larger ones are mapped for themselves, so that none lies in front of what stays */

enum {
    CALLS = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB | CALLS_INOTIFY |
            CALLS_COMMIT
};

typedef struct imapd {
    worker *worker;
    server server;
    store *store;
} imapd;

static void on_closed(void *context, const session_closed *m)
{
    imapd *d = context;
    channel_put(&d->worker->pool, SESSION_CLOSED, 0, session_closed, m);
    worker_end(d->worker);
}

static bool on_give(void *context, channel *c, received *r)
{
    worker *w = context;
    imapd *d = w->state;
    session_open m;
    (void)c;
    if (session_open_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    worker_begin(w);
    server_give(&d->server, &m, r->fds[0]);
    r->fds[0] = -1;
    return true;
}

static bool start(worker *w)
{
    imapd *d = w->state;
    d->worker = w;
    fault f = store_open(w->mail_fd, &(store_options){ .host = w->host }, &d->store);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "store", f);
        return false;
    }
    server_open(&d->server, w->loop, d->store);
    d->server.on_closed = on_closed;
    d->server.context = d;
    return true;
}

static void on_leave(worker *w)
{
    imapd *d = w->state;
    server_bye(&d->server, "The server goes down");
}

int main(void)
{
    static imapd d;
    static const talk_row rows[] = { { SESSION_GIVE, 1, 1, on_give } };
    static const worker_program program = { .role = "imapd-worker",
                                            .calls = CALLS,
                                            .rows = rows,
                                            .row_count = COUNT_OF(rows),
                                            .start = start,
                                            .on_leave = on_leave };
    mallopt(M_MMAP_THRESHOLD, HEAP_PIECE_MAX);
    mallopt(M_TOP_PAD, 0);
    malloc_trim(0); /* what was put on top before */
    int status = worker_run(&program, &d);
    if (d.store) {
        server_close(&d.server);
        if (d.server.sessions == NULL) /* else the loop ended at once: what they hold goes with the process */
            store_close(d.store);
    }
    return status;
}
