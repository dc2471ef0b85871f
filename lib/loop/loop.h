/* The event loop of a process: descriptors, timers, signals, and work at the end of each round (flush what was batched).
 * A watch, timer or task is embedded in its owner, which keeps it alive until it is closed. One loop a process, one thread. */
#pragma once
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct loop loop;
typedef void loop_fn(void *context);

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

typedef void watch_fn(void *context, unsigned ready); /* WATCH_… bits */
typedef struct watch {
    struct event event;
    loop *loop;
    watch_fn *on_ready;
    void *context;
    unsigned wanted;
    bool is_open;
} watch;

typedef struct timer {
    struct event event;
    loop_fn *on_time;
    void *context;
    bool is_open;
} timer;

typedef struct task { /* runs once at the end of the round in which it was put */
    struct task *next;
    loop_fn *run;
    void *context;
    bool is_queued;
} task;

loop *loop_new(void);
void loop_free(loop *l);
void loop_run(loop *l);  /* until loop_stop, or nothing is left to wait for */
void loop_stop(loop *l); /* after the current round */

/* Nothing is watched until watch_want. The descriptor stays the caller's; close the watch before the descriptor. */
void watch_open(watch *w, loop *l, int fd, watch_fn *on_ready, void *context);
void watch_want(watch *w, unsigned events);
void watch_close(watch *w);

void timer_open(timer *t, loop *l, loop_fn *on_time, void *context);
void timer_set(timer *t, uint64_t ms); /* once; a second call moves it */
void timer_stop(timer *t);
void timer_close(timer *t);

/* A signal as an event. */
void signal_open(timer *t, loop *l, int signal, loop_fn *on_signal, void *context);

/* Puts the task at the end of this round's work; it may put itself again for the next. */
void task_put(loop *l, task *t, loop_fn *run, void *context);
void task_cancel(loop *l, task *t);
