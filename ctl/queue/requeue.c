/* postrider queue requeue: the message begins again, under its id. Its recipients lose their routes, so qmgr asks policy where they
 * go, which applies what rewrites and expands addresses now. Runs in: postrider. */
#include "ctl/queue/again.h"
#include "ctl/queue/rewrite.h"
#include <jansson.h>
#include <stdio.h>

typedef struct requeueing {
    queue_filter filter;
    bool is_json;
} requeueing;

/* What was on hold is let go as `release` does, once it has begun again. */
static void on_refused(void *context, str row, int *fds, size_t fd_count)
{
    tally *t = context;
    (void)fds, (void)fd_count;
    fprintf(stderr, "postrider %s: %.*s\n", t->in->name, STR_ARG(row));
    t->status = EX_TEMPFAIL;
}

static fault held_release(queue_view *v, const queue_ids *held, tally *t)
{
    fault f = NO_FAULT;
    for (size_t i = 0; i < held->n && !is_fault(f); i += VIEW_CHANGES) {
        size_t n = held->n - i < VIEW_CHANGES ? held->n - i : VIEW_CHANGES;
        if (queue_view_is_running(v))
            f = queue_view_ask(v, "release", held->p + i, n, on_refused, t).fault;
        for (size_t k = 0; k < n && !queue_view_is_running(v); k++) {
            const char *why;
            (void)stopped_change(v->queue_fd, STR("release"), held->p[i + k], &why);
        }
    }
    return f;
}

static void held_find(void *context, const queue_entry *e)
{
    queue_ids *held = context;
    if (e->place == QUEUE_HOLD)
        *vec_add(held) = e->id;
}

static fault chosen_requeue(queue_view *v, const requeueing *w, tally *t)
{
    selection s;
    queue_ids held = { 0 };
    fault f = selection_take(&s, v, t->in, &w->filter, false);
    if (s.wrong)
        t->status = EX_DATAERR;
    if (!is_fault(f))
        f = queue_view_files(v, s.ids.p, s.ids.n, held_find, &held, NULL);
    if (!is_fault(f))
        f = rewrite_all(v, &s.ids, again_change, NULL, t);
    if (!is_fault(f))
        f = held_release(v, &held, t);
    if (!is_fault(f))
        f = queue_sync(v->config);
    vec_free(&held);
    selection_free(&s);
    return f;
}

int queue_requeue(invocation *in)
{
    requeueing w = { .is_json = false };
    const option_row rows[] = { FILTER_OPTIONS(w.filter), { "json", 'j', &w.is_json, NULL } };
    tally t = { .in = in };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 1000000))
        return EX_USAGE;
    if (queue_begin(in, &w.filter, false, VIEW_CHANGE, &v, &status))
        status = queue_fault(in, chosen_requeue(&v, &w, &t));
    queue_view_close(&v);
    if (status)
        return status;
    tally_print(&t, "requeue", w.is_json);
    return t.status;
}
