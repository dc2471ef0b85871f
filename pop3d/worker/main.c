/* pop3d-worker: POP3 sessions of one user, as that user, confined to the user's mail. */
#include "base/log.h"
#include "pop3d/worker/session.h"
#include "worker/worker.h"

static void on_closed(void *context, const session_closed *m)
{
    worker *w = context;
    channel_put(&w->pool, SESSION_CLOSED, 0, session_closed, m);
    worker_end(w);
}

static bool on_give(void *context, channel *c, received *r)
{
    worker *w = context;
    session_open m;
    (void)c;
    if (session_open_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    int fd = r->fds[0];
    r->fds[0] = -1;
    worker_begin(w);
    session_start(w->state, &m, fd);
    return true;
}

static bool start(worker *w)
{
    server *v = w->state;
    fault f = store_open(w->mail_fd, &(store_options){ .host = w->host }, &v->store);
    if (is_fault(f))
        log_fault(LOG_ERROR, "no-store", f);
    v->loop = w->loop;
    v->on_closed = on_closed;
    v->context = w;
    return !is_fault(f);
}

int main(void)
{
    static server v;
    static const talk_row rows[] = { { SESSION_GIVE, 1, 1, on_give } };
    static const worker_program program = {
        .role = "pop3d-worker",
        .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_CONTENT | CALLS_READ_FILES | CALLS_FILES | CALLS_LMDB,
        .rows = rows, .row_count = COUNT_OF(rows), .start = start,
    };
    return worker_run(&program, &v);
}
