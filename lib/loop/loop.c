#include "loop/loop.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/memory.h"
#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>

struct loop {
    struct event_base *base;
    task *first, **last;
    task *round_last; /* where the round that runs now ends: what tasks put belongs to the next */
    bool is_stopping;
};

loop *loop_new(void)
{
    loop *l = memory_get(sizeof *l);
    struct event_config *options = event_config_new();
    event_config_set_flag(options, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME);
    l->base = event_base_new_with_config(options);
    event_config_free(options);
    l->last = &l->first;
    return l;
}

void loop_free(loop *l)
{
    event_base_free(l->base);
    free(l);
}

static void run_tasks(loop *l)
{
    l->round_last = l->first ? (task *)((char *)l->last - offsetof(task, next)) : NULL;
    while (l->first && l->round_last) {
        task *t = l->first;
        bool is_last = t == l->round_last;
        l->first = t->next;
        if (l->first == NULL)
            l->last = &l->first;
        t->is_queued = false;
        if (is_last)
            l->round_last = NULL;
        t->run(t->context);
    }
}

void loop_run(loop *l)
{
    l->is_stopping = false;
    while (!l->is_stopping) {
        /* A task that put a task must not wait for an event. */
        int mode = l->first ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE;
        int left = event_base_loop(l->base, mode);
        bool had_tasks = l->first != NULL;
        run_tasks(l);
        log_flush();
        if (left != 0 && !had_tasks && l->first == NULL)
            break;
    }
    run_tasks(l);
    log_flush();
}

void loop_stop(loop *l)
{
    l->is_stopping = true;
    event_base_loopbreak(l->base);
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
    watch *w = context;
    (void)fd;
    w->on_ready(w->context, (what & EV_READ ? WATCH_READ : 0u) | (what & EV_WRITE ? WATCH_WRITE : 0u));
}

void watch_open(watch *w, loop *l, int fd, watch_fn *on_ready, void *context)
{
    *w = (watch){ .loop = l, .on_ready = on_ready, .context = context, .is_open = true };
    event_assign(&w->event, l->base, fd, EV_PERSIST, on_watch, w);
}

void watch_want(watch *w, unsigned events)
{
    if (!w->is_open || events == w->wanted)
        return;
    int fd = event_get_fd(&w->event);
    if (w->wanted)
        event_del(&w->event);
    w->wanted = events;
    if (events == 0)
        return;
    short flags = EV_PERSIST;
    if (events & WATCH_READ)
        flags |= EV_READ;
    if (events & WATCH_WRITE)
        flags |= EV_WRITE;
    event_assign(&w->event, w->loop->base, fd, flags, on_watch, w);
    event_add(&w->event, NULL);
}

void watch_close(watch *w)
{
    if (w->is_open)
        event_del(&w->event);
    w->is_open = false;
    w->wanted = 0;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    timer *t = context;
    (void)fd, (void)what;
    t->on_time(t->context);
}

void timer_open(timer *t, loop *l, loop_fn *on_time, void *context)
{
    *t = (timer){ .on_time = on_time, .context = context, .is_open = true };
    event_assign(&t->event, l->base, -1, 0, on_timer, t);
}

void timer_set(timer *t, uint64_t ms)
{
    struct timeval delay = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
    event_add(&t->event, &delay);
}

void timer_stop(timer *t)
{
    if (t->is_open)
        event_del(&t->event);
}

void timer_close(timer *t)
{
    timer_stop(t);
    t->is_open = false;
}

void signal_open(timer *t, loop *l, int number, loop_fn *on_signal, void *context)
{
    *t = (timer){ .on_time = on_signal, .context = context, .is_open = true };
    event_assign(&t->event, l->base, number, EV_SIGNAL | EV_PERSIST, on_timer, t);
    event_add(&t->event, NULL);
}

void task_put(loop *l, task *t, loop_fn *run, void *context)
{
    if (t->is_queued)
        return;
    *t = (task){ .run = run, .context = context, .is_queued = true };
    *l->last = t;
    l->last = &t->next;
}

void task_cancel(loop *l, task *t)
{
    if (!t->is_queued)
        return;
    task **at = &l->first, *before = NULL;
    while (*at != t) {
        before = *at;
        at = &before->next;
    }
    *at = t->next;
    if (l->last == &t->next)
        l->last = at;
    if (l->round_last == t)
        l->round_last = before; /* NULL: it was the only one left of this round */
    t->is_queued = false;
}
