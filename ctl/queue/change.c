/* postrider queue hold, release, delete, flush. Runs in: postrider. */
#include "ctl/queue/queue.h"
#include "os/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct wish {
    str verb;
    queue_filter filter;
    bool is_json, is_sure;
    const char *site;
} wish;

/* "ID why" */
static void on_refused(void *context, str row, int *fds, size_t fd_count)
{
    tally *t = context;
    str name;
    uint64_t id;
    (void)fds, (void)fd_count;
    if (str_cut(&row, ' ', &name) && queue_id_read(name, &id))
        tally_refused(t, id, row);
}

static fault part_change(queue_view *v, const wish *w, const uint64_t *ids, size_t count, tally *t)
{
    if (queue_view_is_running(v)) {
        arena a = arena_new(0);
        ask_answer answer = queue_view_ask(v, arena_c(&a, w->verb), ids, count, on_refused, t);
        arena_free(&a);
        t->changed += answer.count;
        return answer.fault;
    }
    for (size_t i = 0; i < count; i++) {
        const char *why = "no such message";
        bool is_changed = v->queue_fd >= 0 && stopped_change(v->queue_fd, w->verb, ids[i], &why);
        t->changed += is_changed;
        if (!is_changed && why[0])
            tally_refused(t, ids[i], str_c(why));
    }
    return NO_FAULT;
}

static fault ids_change(queue_view *v, const wish *w, const queue_ids *ids, tally *t)
{
    arena a = arena_new(0);
    progress p = progress_begin(arena_c(&a, w->verb), ids->n);
    fault f = NO_FAULT;
    for (size_t i = 0; i < ids->n && !is_fault(f); i += VIEW_CHANGES) {
        size_t n = ids->n - i < VIEW_CHANGES ? ids->n - i : VIEW_CHANGES;
        f = part_change(v, w, ids->p + i, n, t);
        progress_add(&p, n);
    }
    progress_end(&p);
    arena_free(&a);
    return f;
}

static int folder_open(const config *c, const char *name)
{
    arena a = arena_new(0);
    int fd = open(arena_printf(&a, "%.*s%s", STR_ARG(c->queue_directory), name).p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    arena_free(&a);
    return fd;
}

/* Who may not read the queue's folder has its file system by the folder above. */
fault queue_sync(const config *c)
{
    int fd = folder_open(c, "/queue");
    bool may_read = fd >= 0 || errno != EACCES;
    if (!may_read)
        fd = folder_open(c, "");
    if (fd < 0)
        return errno == EACCES || errno == ENOENT ? NO_FAULT : fault_errno("open the queue");
    fault f = may_read ? queue_tree_sync_all(fd) : journal_commit(fd);
    close(fd);
    return f;
}

/* Without ids or a filter qmgr is asked as a whole: that is open to everybody, who is not told how many there were. */
static fault flush_all(queue_view *v, const wish *w, tally *t)
{
    arena a = arena_new(0);
    str what = w->site ? arena_printf(&a, "SITE %s", w->site) : STR("ALL");
    ask_answer answer = ask_next(v->line, w->verb, what, NULL, NULL);
    t->changed += answer.count;
    arena_free(&a);
    return answer.fault;
}

static fault chosen_change(queue_view *v, const wish *w, bool is_flush, tally *t)
{
    selection s;
    fault f = selection_take(&s, v, t->in, &w->filter, is_flush);
    bool asks = str_equal(w->verb, STR("delete")) && s.ids.n > 0 && !is_fault(f);
    if (s.wrong)
        t->status = EX_DATAERR;
    bool is_sure = !asks || confirm(t->in, w->is_sure, &t->status, "delete %zu message%s for good", s.ids.n,
                                    s.ids.n == 1 ? "" : "s");
    if (!is_fault(f) && is_sure)
        f = ids_change(v, w, &s.ids, t);
    if (!is_fault(f) && is_sure)
        f = queue_sync(v->config);
    selection_free(&s);
    return f;
}

int queue_change_verb(invocation *in)
{
    wish w = { .verb = str_from(str_c(in->name), sizeof "queue " - 1) };
    const option_row rows[] = { FILTER_OPTIONS(w.filter),
                                { "json", 'j', &w.is_json, NULL },
                                { "yes", 'y', &w.is_sure, NULL },
                                { "site", 0, NULL, &w.site } };
    bool is_flush = str_equal(w.verb, STR("flush"));
    tally t = { .in = in };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 1000000) || (w.site && (!is_flush || in->argc > 0)))
        return command_usage(in);
    bool is_open = queue_begin(in, &w.filter, false, VIEW_CHANGE, &v, &status);
    bool is_whole = is_flush && !w.filter.is_set && in->argc == 0;
    if (is_open && is_whole && queue_view_is_running(&v)) {
        status = queue_fault(in, flush_all(&v, &w, &t));
    } else if (is_open) {
        w.filter.destination = w.site ? w.site : w.filter.destination;
        w.filter.needs_files = w.filter.needs_files || w.site;
        status = queue_fault(in, chosen_change(&v, &w, is_flush, &t));
    }
    queue_view_close(&v);
    if (status)
        return status;
    tally_print(&t, in->name + sizeof "queue " - 1, w.is_json);
    return t.status;
}
