/* Changes to the queue of a suite that does not run, made as qmgr would make them, under the lock that keeps it from starting
 * meanwhile. Runs in: postrider, as root. */
#include "base/clock.h"
#include "base/vec.h"
#include "ctl/queue.h"
#include "os/lock.h"
#include <fcntl.h>
#include <unistd.h>

typedef bool change(int queue_fd, queue_place p, uint64_t id);

static bool move(int queue_fd, queue_place from, queue_place to, uint64_t id)
{
    return queue_tree_move(queue_fd, from, to, id) && queue_tree_sync(queue_fd, to, id) && queue_tree_sync(queue_fd, from, id);
}

static bool hold(int queue_fd, queue_place p, uint64_t id)
{
    return (p == QUEUE_ACTIVE || p == QUEUE_DEFERRED) && move(queue_fd, p, QUEUE_HOLD, id);
}

static bool drop(int queue_fd, queue_place p, uint64_t id)
{
    return p != QUEUE_INCOMING && queue_tree_remove(queue_fd, p, id) && queue_tree_sync(queue_fd, p, id);
}

/* Due now. What had failed for good gets another chance; one try more says that a hold by policy is over. */
static bool due_make(int queue_fd, queue_place p, uint64_t id, uint32_t more_tries)
{
    int fd = queue_tree_open(queue_fd, p, id, O_RDWR);
    arena a = arena_new(0);
    queue_message m;
    bool is_done = fd >= 0 && !is_fault(queue_read(fd, &a, &m));
    for (uint32_t i = 0; is_done && i < m.head.recipient_count; i++)
        if (m.slots[i].state == SLOT_FAILED) {
            queue_slot again = queue_slot_make(SLOT_DEFERRED, clock_s(), m.slots[i].status, str_c(m.slots[i].reason));
            is_done = !is_fault(queue_slot_write(fd, &m.head, i, &again));
        }
    if (is_done)
        is_done = !is_fault(queue_schedule_write(fd, clock_s(), m.schedule.tries + more_tries)) && fsync(fd) == 0;
    arena_free(&a);
    if (fd >= 0)
        close(fd);
    return is_done;
}

static bool release(int queue_fd, queue_place p, uint64_t id)
{
    return p == QUEUE_HOLD && due_make(queue_fd, p, id, 1) && move(queue_fd, p, QUEUE_DEFERRED, id);
}

static bool flush(int queue_fd, queue_place p, uint64_t id)
{
    return p == QUEUE_DEFERRED && due_make(queue_fd, p, id, 0);
}

static const struct change_row {
    str verb;
    change *apply;
} changes[] = {
    { STR_ROW("hold"), hold }, { STR_ROW("release"), release }, { STR_ROW("delete"), drop }, { STR_ROW("flush"), flush }
};

typedef struct place_id {
    queue_place place;
    uint64_t id;
} place_id;

typedef VEC(place_id) id_list;

static bool id_add(void *context, queue_place p, uint64_t id, const char *name)
{
    id_list *all = context;
    (void)name;
    if (id)
        *vec_add(all) = (place_id){ p, id };
    return true;
}

/* Listed first: a folder must not change while it is read. */
static fault all_change(int queue_fd, change *apply, size_t *out_count)
{
    id_list all = { 0 };
    fault f = NO_FAULT;
    for (int p = 0; p < QUEUE_CORRUPT && !is_fault(f); p++)
        f = queue_tree_scan(queue_fd, (queue_place)p, id_add, &all);
    for (size_t i = 0; i < all.n && !is_fault(f); i++)
        *out_count += apply(queue_fd, all.p[i].place, all.p[i].id);
    vec_free(&all);
    return f;
}

static fault some_change(int queue_fd, change *apply, str which, size_t *out_count)
{
    uint64_t id;
    queue_place place;
    if (str_equal(which, STR("ALL")))
        return all_change(queue_fd, apply, out_count);
    if (!queue_id_read(which, &id) || !queue_find(queue_fd, id, &place))
        return fault_make(FAULT_REFUSED, "5.1", "no such message: %.*s", STR_ARG(str_upto(which, 80)));
    *out_count = apply(queue_fd, place, id);
    return NO_FAULT;
}

fault queue_change_stopped(const config *c, str verb, str id, size_t *out_count)
{
    fault f = NO_FAULT;
    int lock_fd = -1, queue_fd = queue_folder_open(c, &f);
    *out_count = 0;
    if (queue_fd < 0)
        return f;
    arena a = arena_new(0);
    str lock = arena_printf(&a, "%.*s/master.lock", STR_ARG(c->queue_directory));
    f = lock_take(AT_FDCWD, lock.p, 0644, "postrider queue", &lock_fd);
    for (size_t i = 0; i < COUNT_OF(changes) && !is_fault(f); i++)
        if (str_equal(verb, changes[i].verb))
            f = some_change(queue_fd, changes[i].apply, id, out_count);
    arena_free(&a);
    close(queue_fd);
    if (lock_fd >= 0)
        close(lock_fd);
    return f;
}
