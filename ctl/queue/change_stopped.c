/* Changes to the queue of a suite that does not run, made as qmgr would make them, under the lock that keeps it from starting
 * meanwhile. Runs in: postrider, as root. */
#include "base/clock.h"
#include "ctl/queue/queue.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef bool change(int queue_fd, queue_place p, uint64_t id);

static bool hold(int queue_fd, queue_place p, uint64_t id)
{
    return (p == QUEUE_ACTIVE || p == QUEUE_DEFERRED) && queue_tree_move(queue_fd, p, QUEUE_HOLD, id);
}

static bool drop(int queue_fd, queue_place p, uint64_t id)
{
    return queue_tree_remove(queue_fd, p, id);
}

static bool quarantine(int queue_fd, queue_place p, uint64_t id)
{
    return p != QUEUE_CORRUPT && queue_tree_move(queue_fd, p, QUEUE_CORRUPT, id);
}

/* What had failed for good is pending again, unless its sender was told so. *out_any: something had. */
static bool failed_reopen(int fd, const queue_message *m, bool *out_any)
{
    bool is_done = true;
    *out_any = false;
    for (uint32_t i = 0; is_done && i < m->head.recipient_count; i++)
        if (m->slots[i].state == SLOT_FAILED && !(m->slots[i].told & SLOT_TOLD_FAILURE)) {
            queue_slot again = queue_slot_make(SLOT_DEFERRED, clock_s(), m->slots[i].status, str_c(m->slots[i].reason));
            is_done = !is_fault(queue_slot_write(fd, &m->head, i, &again));
            *out_any = true;
        }
    return is_done;
}

/* Due now. As for qmgr, one try more says that a hold by policy is over, and that errors are looked up again. */
static bool due_make(int queue_fd, queue_place p, uint64_t id, bool is_release)
{
    int fd = queue_tree_open(queue_fd, p, id, O_RDWR);
    arena a = arena_new(0);
    queue_message m;
    bool any = false, is_done = fd >= 0 && !is_fault(queue_read(fd, &a, &m));
    if (is_done && is_release)
        is_done = failed_reopen(fd, &m, &any);
    if (is_done) {
        bool is_one_more = is_release && (any || (m.envelope.flags & ENVELOPE_HOLD));
        is_done = !is_fault(queue_schedule_write(fd, clock_s(), m.schedule.tries + is_one_more)) && fsync(fd) == 0;
    }
    arena_free(&a);
    if (fd >= 0)
        close(fd);
    return is_done;
}

static bool release(int queue_fd, queue_place p, uint64_t id)
{
    return p == QUEUE_HOLD && due_make(queue_fd, p, id, true) && queue_tree_move(queue_fd, p, QUEUE_DEFERRED, id);
}

static bool flush(int queue_fd, queue_place p, uint64_t id)
{
    return p == QUEUE_DEFERRED && due_make(queue_fd, p, id, false);
}

static const struct change_row {
    str verb;
    change *apply;
} changes[] = { { STR_ROW("hold"), hold },
                { STR_ROW("release"), release },
                { STR_ROW("delete"), drop },
                { STR_ROW("flush"), flush },
                { STR_ROW("quarantine"), quarantine } };

bool stopped_change(int queue_fd, str verb, uint64_t id, const char **out_why)
{
    queue_place place;
    *out_why = "";
    if (!queue_find(queue_fd, id, &place) || place == QUEUE_INCOMING) {
        *out_why = "no such message";
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        if (str_equal(verb, changes[i].verb))
            return changes[i].apply(queue_fd, place, id);
    return false;
}

bool stopped_own(int queue_fd, int fd)
{
    struct stat folder;
    return fstat(queue_fd, &folder) == 0 && (geteuid() != 0 || fchown(fd, folder.st_uid, folder.st_gid) == 0);
}
