#include "pop3d/worker/server.h"
#include "base/log.h"
#include "pop3d/worker/session.h"
#include "worker/rest.h"

enum { OUT_MAX = 1024 * 1024, WORK_AFTER_MS = 150, SLEEP_AFTER_MS = 800, WORK_FILES = 64 };

static void on_quiet(void *context)
{
    server *v = context;
    bool has_more = false;
    if (v->is_worked) {
        buf_free(&v->out);
        store_sleep(v->store);
        worker_rest(v->loop);
        return;
    }
    fault f = store_idle_work(v->store, WORK_FILES, &has_more);
    if (is_fault(f))
        log_fault(LOG_WARNING, "idle-work", f);
    v->is_worked = is_fault(f) || !has_more;
    timer_set(&v->quiet, v->is_worked ? SLEEP_AFTER_MS : 0);
}

void server_is_busy(server *v)
{
    v->is_worked = false;
    timer_set(&v->quiet, WORK_AFTER_MS);
}

void server_open(server *v, loop *l, store *s)
{
    *v = (server){ .loop = l, .store = s, .out = buf_new(OUT_MAX) };
    timer_open(&v->quiet, l, on_quiet, v);
    server_is_busy(v);
}

void server_give(server *v, const session_open *m, int fd)
{
    server_is_busy(v);
    session_start(v, m, fd);
}

void server_bye(server *v)
{
    for (session *s = v->sessions, *next; s; s = next) {
        next = s->next;
        session_end(s, "-ERR [SYS/TEMP] The server goes down", "shutdown");
    }
}

void server_close(server *v)
{
    timer_close(&v->quiet);
    buf_free(&v->out);
}
