#include "ctl/common/queue_view.h"
#include "base/num.h"
#include "os/fd.h"
#include "os/lock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

bool queue_place_read(str name, queue_place *out)
{
    for (int p = 0; p < QUEUE_PLACES; p++)
        if (str_equal(name, str_c(queue_place_name((queue_place)p)))) {
            *out = (queue_place)p;
            return true;
        }
    return false;
}

static fault stopped_open(queue_view *v, view_use use)
{
    arena a = arena_new(0);
    fault f = NO_FAULT;
    str path = arena_printf(&a, "%.*s/queue", STR_ARG(v->config->queue_directory));
    v->queue_fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (v->queue_fd < 0 && errno == EACCES)
        f = fault_make(FAULT_REFUSED, "7.1", "only root may do that while the suite does not run");
    else if (v->queue_fd < 0 && errno != ENOENT)
        f = fault_errno("open %s", path.p);
    else if (v->queue_fd >= 0 && use == VIEW_CHANGE)
        f = lock_take(AT_FDCWD, arena_printf(&a, "%.*s/master.lock", STR_ARG(v->config->queue_directory)).p, 0644,
                      "postrider queue", &v->lock_fd);
    arena_free(&a);
    return f;
}

fault queue_view_open(queue_view *v, const config *c, view_use use)
{
    ask_answer a;
    *v = (queue_view){ .config = c, .queue_fd = -1, .lock_fd = -1 };
    v->line = ask_open(c, "queue", &a);
    fault f = v->line || a.is_running ? a.fault : stopped_open(v, use);
    if (is_fault(f))
        queue_view_close(v);
    return f;
}

void queue_view_close(queue_view *v)
{
    ask_close(v->line);
    v->line = NULL;
    fd_close(&v->queue_fd);
    fd_close(&v->lock_fd);
}

bool queue_view_is_running(const queue_view *v)
{
    return v->line != NULL;
}

/* "ID place next_try_s arrived_s tries": the last two stand in rows of a list only. */
static bool row_read(str line, queue_row *out)
{
    str id, place, next, arrived, tries;
    uint64_t count = 0;
    queue_place p;
    *out = (queue_row){ 0 };
    if (!str_word(&line, " ", &id) || !str_word(&line, " ", &place) || !str_word(&line, " ", &next))
        return false;
    bool is_right =
        queue_place_read(place, &p) && queue_id_read(id, &out->id) && num_parse(next, 0, UINT64_MAX, &out->next_try_s);
    if (is_right && str_word(&line, " ", &arrived) && str_word(&line, " ", &tries))
        is_right = num_parse(arrived, 0, UINT64_MAX, &out->arrived_s) && num_parse(tries, 0, UINT32_MAX, &count);
    if (is_right) {
        out->place = (uint8_t)p;
        out->tries = (uint32_t)count;
    }
    return is_right;
}

static void on_lines(void *context, str rows, int *fds, size_t fd_count)
{
    queue_rows *out = context;
    queue_row row;
    str line;
    (void)fds, (void)fd_count;
    while (str_cut(&rows, '\n', &line))
        if (row_read(line, &row))
            *vec_add(out) = row;
}

typedef struct scanning {
    int queue_fd;
    queue_rows *out;
} scanning;

/* Without its end mark: it was not acknowledged yet, or never was, and the next start discards it. */
static bool is_received(const queue_entry *e, queue_place p)
{
    return p == QUEUE_INCOMING || (p == QUEUE_ACTIVE && e->fault.kind == FAULT_REFUSED);
}

static bool found_add(void *context, queue_place p, uint64_t id, const char *name)
{
    scanning *s = context;
    (void)name;
    if (id == 0 || p == QUEUE_INCOMING)
        return true;
    queue_row row = { .id = id, .place = (uint8_t)p };
    queue_entry e = { 0 };
    arena a = arena_new(0);
    int fd = queue_tree_open(s->queue_fd, p, id, O_RDONLY);
    if (fd >= 0)
        queue_entry_read(fd, &a, &e);
    row.arrived_s = e.file.head.arrived_us / 1000000;
    row.tries = e.file.schedule.tries;
    row.next_try_s = e.file.schedule.next_try_s;
    if (fd >= 0 && !is_received(&e, p))
        *vec_add(s->out) = row;
    arena_free(&a);
    fd_close(&fd);
    return true;
}

static int by_age(const void *a, const void *b)
{
    const queue_row *x = a, *y = b;
    bool x_is_last = x->place == QUEUE_CORRUPT, y_is_last = y->place == QUEUE_CORRUPT;
    return x_is_last != y_is_last ? x_is_last - y_is_last : (x->id > y->id) - (x->id < y->id);
}

fault queue_view_rows(queue_view *v, queue_rows *out)
{
    fault f = NO_FAULT;
    *out = (queue_rows){ 0 };
    if (v->line) {
        f = ask_next(v->line, STR("list"), STR_NONE, on_lines, out).fault;
    } else {
        scanning s = { v->queue_fd, out };
        for (int p = 0; p < QUEUE_PLACES && v->queue_fd >= 0 && !is_fault(f); p++)
            f = queue_tree_scan(v->queue_fd, (queue_place)p, found_add, &s);
    }
    if (out->n)
        qsort(out->p, out->n, sizeof *out->p, by_age);
    return f;
}

typedef struct giving {
    queue_entry_fn *each;
    void *context;
    size_t count;
} giving;

static void entry_give(giving *g, int fd, const queue_row *row)
{
    queue_entry e = { .id = row->id, .place = (queue_place)row->place, .next_try_s = row->next_try_s };
    arena a = arena_new(0);
    queue_entry_read(fd, &a, &e);
    if (!is_received(&e, e.place)) {
        g->count++;
        g->each(g->context, &e);
    }
    arena_free(&a);
}

static void on_file(void *context, str row, int *fds, size_t fd_count)
{
    queue_row r;
    if (fd_count == 1 && row_read(row, &r))
        entry_give(context, fds[0], &r);
}

static void stopped_give(giving *g, int queue_fd, uint64_t id)
{
    queue_place place;
    if (queue_fd < 0 || !queue_find(queue_fd, id, &place) || place == QUEUE_INCOMING)
        return;
    queue_row row = { .id = id, .place = (uint8_t)place };
    int fd = queue_tree_open(queue_fd, place, id, O_RDONLY);
    if (fd >= 0)
        entry_give(g, fd, &row);
    fd_close(&fd);
}

ask_answer queue_view_ask(queue_view *v, const char *verb, const uint64_t *ids, size_t count, ask_row *each,
                          void *context)
{
    buf words = buf_new((size_t)VIEW_CHANGES * (QUEUE_ID_CHARS + 2));
    for (size_t i = 0; i < count; i++)
        buf_printf(&words, "%s%s", i ? " " : "", queue_id_text(ids[i]).text);
    ask_answer a = ask_next(v->line, str_c(verb), buf_str(&words), each, context);
    buf_free(&words);
    return a;
}

fault queue_view_files(queue_view *v, const uint64_t *ids, size_t count, queue_entry_fn *each, void *context,
                       size_t *out_count)
{
    giving g = { each, context, 0 };
    fault f = NO_FAULT;
    for (size_t i = 0; i < count && !is_fault(f); i += VIEW_FILES) {
        size_t n = count - i < VIEW_FILES ? count - i : VIEW_FILES;
        if (v->line)
            f = queue_view_ask(v, "files", ids + i, n, on_file, &g).fault;
        for (size_t k = 0; k < n && v->line == NULL; k++)
            stopped_give(&g, v->queue_fd, ids[i + k]);
    }
    if (out_count)
        *out_count = g.count;
    return f;
}

static bool is_message(int fd, queue_place p)
{
    queue_entry e = { 0 };
    if (p != QUEUE_ACTIVE)
        return p != QUEUE_INCOMING;
    arena a = arena_new(0);
    queue_entry_read(fd, &a, &e);
    arena_free(&a);
    return !is_received(&e, p);
}

/* What was never acknowledged counts last: it may be the copy of a message that somebody did not finish. */
bool queue_find(int queue_fd, uint64_t id, queue_place *out)
{
    bool is_found = false;
    *out = QUEUE_INCOMING;
    for (int p = 0; p < QUEUE_PLACES && *out == QUEUE_INCOMING; p++) {
        int fd = queue_tree_open(queue_fd, (queue_place)p, id, O_RDONLY);
        if (fd < 0)
            continue;
        if (is_message(fd, (queue_place)p))
            *out = (queue_place)p;
        close(fd);
        is_found = true;
    }
    return is_found;
}
