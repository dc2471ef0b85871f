#include "ctl/queue/rewrite.h"
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { LOANS = 50 }; /* each is two descriptors */

typedef struct lent {
    uint64_t id;
    int new_fd;
} lent;

typedef struct rewriting {
    rewrite_fn *change;
    void *context;
    tally *tally;
    VEC(lent) made; /* whole and durable, not yet in its place */
    queue_ids back; /* nothing to change, or it failed */
} rewriting;

/* True: the new file is whole and durable. */
static bool file_make(rewriting *w, uint64_t id, int old_fd, int new_fd)
{
    arena a = arena_new(0);
    queue_message m;
    bool is_changed = false;
    fault f = queue_read(old_fd, &a, &m);
    if (!is_fault(f) && m.head.id != id)
        f = fault_make(FAULT_BROKEN, "3.0", "the queue file holds another id than its name");
    if (!is_fault(f))
        is_changed = w->change(w->context, &m, &a);
    if (is_changed)
        f = queue_rewrite(old_fd, &m, new_fd);
    if (is_changed && !is_fault(f) && fsync(new_fd) != 0)
        f = fault_errno("make the new queue file durable");
    if (is_fault(f))
        tally_refused(w->tally, id, str_c(f.text));
    arena_free(&a);
    return is_changed && !is_fault(f);
}

/* After the rename: the file's fsync makes its new name durable, too. */
static void durable_count(rewriting *w, uint64_t id, int fd)
{
    if (fsync(fd) == 0)
        w->tally->changed++;
    else
        tally_refused(w->tally, id, str_c(fault_errno("make the new queue file durable").text));
}

static void on_lent(void *context, str row, int *fds, size_t fd_count)
{
    rewriting *w = context;
    uint64_t id;
    str name;
    if (!str_cut(&row, ' ', &name) || !queue_id_read(name, &id))
        return;
    if (fd_count != 2) {
        tally_refused(w->tally, id, row);
    } else if (file_make(w, id, fds[0], fds[1])) {
        *vec_add(&w->made) = (lent){ id, fds[1] };
        fds[1] = -1;
    } else {
        *vec_add(&w->back) = id;
    }
}

/* "ID why": it was not taken. */
static void on_not_kept(void *context, str row, int *fds, size_t fd_count)
{
    rewriting *w = context;
    uint64_t id;
    str name;
    (void)fds, (void)fd_count;
    if (!str_cut(&row, ' ', &name) || !queue_id_read(name, &id))
        return;
    tally_refused(w->tally, id, row);
    for (size_t i = 0; i < w->made.n; i++)
        if (w->made.p[i].id == id)
            fd_close(&w->made.p[i].new_fd);
}

static fault part_rewrite(queue_view *v, rewriting *w, const uint64_t *ids, size_t n)
{
    queue_ids made = { 0 };
    fault f = queue_view_ask(v, "lend", ids, n, on_lent, w).fault;
    for (size_t i = 0; i < w->made.n; i++)
        *vec_add(&made) = w->made.p[i].id;
    if (!is_fault(f) && w->back.n)
        f = queue_view_ask(v, "back", w->back.p, w->back.n, NULL, NULL).fault;
    if (!is_fault(f) && made.n)
        f = queue_view_ask(v, "keep", made.p, made.n, on_not_kept, w).fault;
    for (size_t i = 0; i < w->made.n; i++) {
        if (w->made.p[i].new_fd >= 0 && !is_fault(f))
            durable_count(w, w->made.p[i].id, w->made.p[i].new_fd);
        fd_close(&w->made.p[i].new_fd);
    }
    w->made.n = w->back.n = 0;
    vec_free(&made);
    return f;
}

static void stopped_replace(rewriting *w, int queue_fd, uint64_t id, queue_place p, int old_fd)
{
    queue_tree_remove(queue_fd, QUEUE_INCOMING, id); /* what an earlier try left */
    int new_fd = queue_tree_create(queue_fd, QUEUE_INCOMING, id);
    if (new_fd < 0 || !stopped_own(queue_fd, new_fd)) {
        tally_refused(w->tally, id, str_c(fault_errno("create a queue file").text));
    } else if (file_make(w, id, old_fd, new_fd)) {
        if (queue_tree_move(queue_fd, QUEUE_INCOMING, p, id))
            durable_count(w, id, new_fd);
        else
            tally_refused(w->tally, id, str_c(fault_errno("rename the new queue file").text));
    }
    queue_tree_remove(queue_fd, QUEUE_INCOMING, id); /* when it was not moved */
    fd_close(&new_fd);
}

static void stopped_rewrite(rewriting *w, int queue_fd, uint64_t id)
{
    queue_place p;
    bool is_there = queue_fd >= 0 && queue_find(queue_fd, id, &p) && p != QUEUE_INCOMING;
    int old_fd = is_there ? queue_tree_open(queue_fd, p, id, O_RDONLY) : -1;
    if (old_fd < 0)
        tally_refused(w->tally, id, STR("no such message"));
    else
        stopped_replace(w, queue_fd, id, p, old_fd);
    fd_close(&old_fd);
}

fault rewrite_all(queue_view *v, const queue_ids *ids, rewrite_fn *change, void *context, tally *t)
{
    rewriting w = { .change = change, .context = context, .tally = t };
    progress p = progress_begin(t->in->name, ids->n);
    fault f = NO_FAULT;
    for (size_t i = 0; i < ids->n && !is_fault(f); i += LOANS) {
        size_t n = ids->n - i < LOANS ? ids->n - i : LOANS;
        if (queue_view_is_running(v))
            f = part_rewrite(v, &w, ids->p + i, n);
        for (size_t k = 0; k < n && !queue_view_is_running(v); k++)
            stopped_rewrite(&w, v->queue_fd, ids->p[i + k]);
        progress_add(&p, n);
    }
    progress_end(&p);
    vec_free(&w.made);
    vec_free(&w.back);
    return f;
}
