#include "ctl/queue/bring.h"
#include "base/clock.h"
#include "base/num.h"
#include "os/fd.h"
#include "os/file.h"
#include "queue/rewrite.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static fault file_write(queue_message *m, uint64_t id, int from_fd, int to_fd)
{
    m->head.id = id;
    fault f = queue_rewrite(from_fd, m, to_fd);
    return !is_fault(f) && fsync(to_fd) != 0 ? fault_errno("make the queue file durable") : f;
}

/* After the rename: this fsync makes the new name durable, too. */
static fault name_sync(int fd)
{
    return fsync(fd) == 0 ? NO_FAULT : fault_errno("make the queue file durable");
}

typedef struct empty_file {
    uint64_t id;
    int fd;
} empty_file;

static void on_empty(void *context, str row, int *fds, size_t fd_count)
{
    empty_file *e = context;
    if (fd_count != 1 || e->fd >= 0 || !queue_id_read(row, &e->id))
        return;
    e->fd = fds[0];
    fds[0] = -1;
}

static void on_why(void *context, str row, int *fds, size_t fd_count)
{
    fault *f = context;
    (void)fds, (void)fd_count;
    *f = fault_make(FAULT_TRY_LATER, "3.0", "%.*s", STR_ARG(row));
}

static fault running_bring(queue_view *v, queue_message *m, queue_place place, int from_fd, uint64_t *id)
{
    empty_file e = { .fd = -1 };
    char what[64];
    fault why = NO_FAULT;
    int n = snprintf(what, sizeof what, "%s %s", queue_id_text(*id).text, queue_place_name(place));
    fault f = ask_next(v->line, STR("bring"), (str){ what, (size_t)n }, on_empty, &e).fault;
    if (!is_fault(f) && e.fd < 0)
        f = fault_make(FAULT_TRY_LATER, "3.0", "no queue file came");
    if (!is_fault(f))
        f = file_write(m, e.id, from_fd, e.fd);
    if (!is_fault(f))
        f = queue_view_ask(v, "keep", &e.id, 1, on_why, &why).fault;
    if (!is_fault(f))
        f = is_fault(why) ? why : name_sync(e.fd);
    *id = e.id;
    fd_close(&e.fd);
    return f;
}

/* An id that nobody will be given: the mark goes past it first, durably. */
static fault id_take(int queue_fd, uint64_t *out)
{
    buf content = buf_new(64);
    uint64_t mark = 0, now = clock_us();
    char text[32];
    struct stat st;
    fault f = file_read(queue_fd, QUEUE_ID_MARK, &content);
    bool is_new = is_fault(f) && errno == ENOENT;
    if (!is_fault(f))
        num_parse(str_trim(buf_str(&content)), 0, UINT64_MAX / 2, &mark);
    buf_free(&content);
    if (is_fault(f) && !is_new)
        return f;
    *out = mark > now ? mark : now;
    if (fstat(queue_fd, &st) != 0)
        return fault_errno("stat the queue");
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)*out + 1);
    file_owner owner = { .mode = 0600, .has_owner = geteuid() == 0, .uid = st.st_uid, .gid = st.st_gid };
    return file_replace(queue_fd, QUEUE_ID_MARK, (str){ text, (size_t)n }, owner);
}

static fault stopped_bring(int queue_fd, queue_message *m, queue_place place, int from_fd, uint64_t *id)
{
    queue_place there;
    fault f = NO_FAULT;
    if (queue_fd < 0)
        return fault_make(FAULT_TRY_LATER, "3.0", "there is no queue yet: start the suite once");
    if (*id == 0 || *id >= clock_us() || queue_find(queue_fd, *id, &there))
        f = id_take(queue_fd, id);
    int fd = is_fault(f) ? -1 : queue_tree_create(queue_fd, QUEUE_INCOMING, *id);
    if (!is_fault(f) && (fd < 0 || !stopped_own(queue_fd, fd)))
        f = fault_errno("create a queue file");
    if (!is_fault(f))
        f = file_write(m, *id, from_fd, fd);
    if (!is_fault(f) && !queue_tree_move(queue_fd, QUEUE_INCOMING, place, *id))
        f = fault_errno("rename the queue file");
    if (!is_fault(f))
        f = name_sync(fd);
    else if (fd >= 0)
        queue_tree_remove(queue_fd, QUEUE_INCOMING, *id);
    fd_close(&fd);
    return f;
}

fault queue_bring(queue_view *v, queue_message *m, queue_place place, int fd, uint64_t *id)
{
    return queue_view_is_running(v) ? running_bring(v, m, place, fd, id) : stopped_bring(v->queue_fd, m, place, fd, id);
}
