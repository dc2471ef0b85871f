#include "imapd/worker/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "imapd/worker/session.h"
#include "worker/rest.h"

enum {
    OUT_MAX = 128 * 1024 * 1024, /* of one message's items, but its sections */
    PIECE_MAX = 64 * 1024,
    TURN_MS = 20,
    STEPS_A_LOOK = 8, /* at the clock */
    GATHER_MS = 20,
    POLL_MS = 15000,
    STILL_HERE_POLLS = 8, /* every two minutes: routers forget connections that say nothing */
    WORK_AFTER_MS = 150,
    SLEEP_AFTER_MS = 800,
    WORK_FILES = 64,
};

static void on_noticed(void *context, unsigned ready)
{
    server *v = context;
    (void)ready;
    store_watch_read(v->store);
    timer_set(&v->gather, GATHER_MS);
}

static void each_waiting(server *v, void (*visit)(session *s))
{
    for (session *s = v->sessions, *next; s; s = next) {
        next = s->next;
        if (s->mode == MODE_IDLE && s->box)
            visit(s);
    }
}

static void look_if_touched(session *s)
{
    if (mailbox_is_touched(s->box)) {
        s->synced_ms = 0;
        session_notice(s);
    }
}

static void on_gathered(void *context)
{
    server *v = context;
    server_is_busy(v);
    each_waiting(v, look_if_touched);
}

static void look_without_watch(session *s)
{
    if (!s->has_no_watch)
        return;
    server_is_busy(s->server);
    s->synced_ms = 0;
    session_notice(s);
}

static void on_poll(void *context)
{
    server *v = context;
    bool is_due = ++v->polls % STILL_HERE_POLLS == 0, is_needed = false;
    each_waiting(v, look_without_watch);
    for (session *s = v->sessions; s; s = s->next) {
        if (s->mode != MODE_IDLE)
            continue;
        is_needed = true;
        if (is_due && stream_unsent(&s->stream) == 0)
            session_write(s, STR("* OK Still here\r\n"));
    }
    v->is_polling = is_needed;
    if (is_needed)
        timer_set(&v->poll, POLL_MS);
}

static void tell(void *context)
{
    server *v = context;
    each_waiting(v, session_notice);
}

void server_tell_others(server *v)
{
    for (const session *s = v->sessions; s; s = s->next)
        if (s->mode == MODE_IDLE) {
            task_put(v->loop, &v->tell, tell, v);
            return;
        }
}

void server_watch(server *v)
{
    int fd = store_watch_fd(v->store);
    if (fd >= 0 && !v->has_watch) {
        watch_open(&v->noticed, v->loop, fd, on_noticed, v);
        watch_want(&v->noticed, WATCH_READ);
        v->has_watch = true;
    }
    if (!v->is_polling)
        timer_set(&v->poll, POLL_MS);
    v->is_polling = true;
}

/* The environments, what sessions can have again, and the heap's free pages. */
static void fall_asleep(server *v)
{
    for (session *s = v->sessions; s; s = s->next)
        session_rest(s);
    buf_free(&v->out);
    buf_free(&v->piece);
    store_sleep(v->store);
    worker_rest(v->loop);
    v->is_asleep = true;
}

static void on_quiet(void *context)
{
    server *v = context;
    bool has_more = false;
    if (v->is_worked) {
        fall_asleep(v);
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
    v->is_worked = v->is_asleep = false;
    timer_set(&v->quiet, WORK_AFTER_MS);
}

void server_turn(server *v)
{
    v->turn_until_ms = clock_monotonic_ms() + TURN_MS;
}

bool server_turn_is_over(server *v)
{
    return v->turn_steps++ % STEPS_A_LOOK == 0 && clock_monotonic_ms() >= v->turn_until_ms;
}

void server_open(server *v, loop *l, store *s)
{
    *v = (server){ .loop = l, .store = s, .out = buf_new(OUT_MAX), .piece = buf_new(PIECE_MAX) };
    timer_open(&v->gather, l, on_gathered, v);
    timer_open(&v->poll, l, on_poll, v);
    timer_open(&v->quiet, l, on_quiet, v);
    server_is_busy(v);
}

void server_give(server *v, const session_open *m, int fd)
{
    server_is_busy(v);
    session_start(v, m, fd);
}

void server_bye(server *v, const char *text)
{
    for (session *s = v->sessions, *next; s; s = next) {
        next = s->next;
        session_bye(s, text, "shutdown");
    }
}

void server_close(server *v)
{
    task_cancel(v->loop, &v->tell);
    timer_close(&v->gather);
    timer_close(&v->poll);
    timer_close(&v->quiet);
    if (v->has_watch)
        watch_close(&v->noticed);
    buf_free(&v->out);
    buf_free(&v->piece);
}
