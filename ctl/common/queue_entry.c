#include "ctl/common/queue_entry.h"
#include "base/num.h"
#include "base/vec.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct looking {
    queue_entry_fn *each;
    void *context;
    size_t count;
} looking;

const char *slot_state_text(uint8_t state)
{
    static const char *const names[] = { [SLOT_PENDING] = "pending",
                                         [SLOT_DELIVERED] = "delivered",
                                         [SLOT_DEFERRED] = "deferred",
                                         [SLOT_FAILED] = "failed" };
    return state < COUNT_OF(names) ? names[state] : "unknown";
}

void queue_entry_read(int fd, arena *a, queue_entry *e)
{
    e->fd = fd;
    e->fault = queue_read(fd, a, &e->file);
    if (is_fault(e->fault))
        e->file = (queue_message){ 0 };
    if (e->next_try_s == 0)
        e->next_try_s = e->file.schedule.next_try_s;
}

static void entry_give(looking *l, int fd, queue_entry *e)
{
    arena a = arena_new(0);
    queue_entry_read(fd, &a, e);
    bool is_message = e->place != QUEUE_ACTIVE || e->fault.kind != FAULT_REFUSED; /* else it is being received */
    l->count += is_message;
    if (is_message)
        l->each(l->context, e);
    arena_free(&a);
}

/* "ID place next_try_s", with the file. */
static void on_row(void *context, str row, int fd)
{
    queue_entry e = { .fd = fd };
    str id, place, next;
    uint64_t number;
    if (fd < 0 || !str_word(&row, " ", &id) || !str_word(&row, " ", &place) || !str_word(&row, " ", &next) ||
        !queue_id_read(id, &number) || !num_parse(next, 0, UINT64_MAX, &e.next_try_s))
        return;
    e.id = queue_id_text(number);
    for (int p = 0; p < QUEUE_PLACES; p++)
        if (str_equal(place, str_c(queue_place_name((queue_place)p))))
            e.place = (queue_place)p;
    entry_give(context, fd, &e);
}

int queue_folder_open(const config *c, fault *out_fault)
{
    arena a = arena_new(0);
    str path = arena_printf(&a, "%.*s/queue", STR_ARG(c->queue_directory));
    int fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        *out_fault = fault_make(FAULT_REFUSED, "7.1", "only root may do that while the suite does not run");
    else if (fd < 0)
        *out_fault = fault_errno("open %s", path.p);
    arena_free(&a);
    return fd;
}

bool queue_find(int queue_fd, uint64_t id, queue_place *out)
{
    for (int p = 0; p < QUEUE_PLACES; p++) {
        int fd = queue_tree_open(queue_fd, (queue_place)p, id, O_RDONLY);
        if (fd < 0)
            continue;
        close(fd);
        *out = (queue_place)p;
        return true;
    }
    return false;
}

typedef struct found {
    uint64_t id;
    queue_place place;
} found;

typedef VEC(found) found_list;

static bool found_add(void *context, queue_place p, uint64_t id, const char *name)
{
    found_list *all = context;
    (void)name;
    if (id)
        *vec_add(all) = (found){ id, p };
    return true;
}

static int by_id(const void *a, const void *b)
{
    const found *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* What was never finished was never acknowledged: the next start discards it. */
static void stopped_give(looking *l, int queue_fd, found f)
{
    queue_entry e = { .id = queue_id_text(f.id), .place = f.place };
    int fd = queue_tree_open(queue_fd, f.place, f.id, O_RDONLY);
    if (fd < 0)
        return;
    if (f.place != QUEUE_INCOMING)
        entry_give(l, fd, &e);
    close(fd);
}

static fault stopped_look(const config *c, looking *l)
{
    fault f = NO_FAULT;
    found_list all = { 0 };
    int queue_fd = queue_folder_open(c, &f);
    if (queue_fd < 0)
        return errno == ENOENT ? NO_FAULT : f; /* never started: an empty queue */
    for (int p = 0; p < QUEUE_PLACES && !is_fault(f); p++)
        f = queue_tree_scan(queue_fd, (queue_place)p, found_add, &all);
    if (all.n)
        qsort(all.p, all.n, sizeof *all.p, by_id);
    for (size_t i = 0; i < all.n && !is_fault(f); i++)
        stopped_give(l, queue_fd, all.p[i]);
    vec_free(&all);
    close(queue_fd);
    return f;
}

queue_looked queue_look(const config *c, queue_entry_fn *each, void *context)
{
    looking l = { each, context, 0 };
    ask_answer a = ask(c, "queue", STR("list"), STR_NONE, on_row, &l);
    fault f = a.is_running ? a.fault : stopped_look(c, &l);
    return (queue_looked){ a.is_running, l.count, f };
}

queue_looked queue_look_one(const config *c, str id, queue_entry_fn *each, void *context)
{
    looking l = { each, context, 0 };
    uint64_t number;
    queue_place place;
    ask_answer a = ask(c, "queue", STR("show"), id, on_row, &l);
    fault f = a.fault;
    if (a.is_running)
        return (queue_looked){ true, l.count, f };
    f = NO_FAULT;
    int queue_fd = queue_folder_open(c, &f);
    if (queue_fd < 0)
        return (queue_looked){ false, 0, f };
    if (queue_id_read(id, &number) && queue_find(queue_fd, number, &place))
        stopped_give(&l, queue_fd, (found){ number, place });
    if (l.count == 0)
        f = fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(str_upto(id, 80)));
    close(queue_fd);
    return (queue_looked){ false, l.count, f };
}
