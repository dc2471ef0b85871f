#include "queue/tree.h"
#include <assert.h>
#include "os/file.h"
#include "os/journal.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const folders[QUEUE_PLACES] = { "incoming", "active", "deferred", "hold", "corrupt" };
static const char branches[] = "0123456789BCDFGHJKLMNPQRSTVWXYZ"; /* of deferred: the last character of the id */
static_assert(sizeof branches == QUEUE_BRANCHES + 1, "a folder each");

typedef struct path {
    char text[40];
} path;

const char *queue_place_name(queue_place p)
{
    return folders[p];
}

static path path_of(queue_place p, uint64_t id)
{
    path out;
    queue_name name = queue_id_text(id);
    if (p == QUEUE_DEFERRED)
        snprintf(out.text, sizeof out.text, "%s/%c/%s", folders[p], name.text[QUEUE_ID_CHARS - 1], name.text);
    else
        snprintf(out.text, sizeof out.text, "%s/%s", folders[p], name.text);
    return out;
}

static fault folder_make(int queue_fd, const char *name)
{
    if (mkdirat(queue_fd, name, 0700) == 0 || errno == EEXIST)
        return NO_FAULT;
    return fault_errno("make the queue folder %s", name);
}

typedef fault folder_fn(int queue_fd, const char *name);

static fault folders_each(int queue_fd, folder_fn *each)
{
    fault f = NO_FAULT;
    for (int p = 0; p < QUEUE_PLACES && !is_fault(f); p++)
        f = each(queue_fd, folders[p]);
    for (const char *c = branches; *c && !is_fault(f); c++) {
        char name[16];
        snprintf(name, sizeof name, "%s/%c", folders[QUEUE_DEFERRED], *c);
        f = each(queue_fd, name);
    }
    return f;
}

fault queue_tree_make(int queue_fd)
{
    return folders_each(queue_fd, folder_make);
}

static fault folder_sync(int queue_fd, const char *name)
{
    return file_sync_folder(queue_fd, name) ? NO_FAULT : fault_errno("make the queue folder %s durable", name);
}

fault queue_tree_sync_all(int queue_fd)
{
    return journal_mixes_names(queue_fd) ? journal_commit(queue_fd) : folders_each(queue_fd, folder_sync);
}

int queue_tree_create(int queue_fd, queue_place p, uint64_t id)
{
    return openat(queue_fd, path_of(p, id).text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int queue_tree_open(int queue_fd, queue_place p, uint64_t id, int flags)
{
    return openat(queue_fd, path_of(p, id).text, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

bool queue_tree_move(int queue_fd, queue_place from, queue_place to, uint64_t id)
{
    return renameat(queue_fd, path_of(from, id).text, queue_fd, path_of(to, id).text) == 0;
}

bool queue_tree_rename(int queue_fd, queue_place p, uint64_t from, uint64_t to)
{
    return renameat(queue_fd, path_of(p, from).text, queue_fd, path_of(p, to).text) == 0;
}

bool queue_tree_remove(int queue_fd, queue_place p, uint64_t id)
{
    return unlinkat(queue_fd, path_of(p, id).text, 0) == 0;
}

static int folder_open(int queue_fd, const char *name)
{
    return openat(queue_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

bool queue_tree_sync(int queue_fd, queue_place p, uint64_t id)
{
    path folder = path_of(p, id);
    *strrchr(folder.text, '/') = '\0';
    int fd = folder_open(queue_fd, folder.text);
    bool is_done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_done;
}

static fault folder_scan(int queue_fd, const char *name, queue_place p, queue_tree_fn *each, void *context, bool *stop)
{
    int fd = folder_open(queue_fd, name);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (d == NULL) {
        fault f = fault_errno("read the queue folder %s", name);
        if (fd >= 0)
            close(fd);
        return f;
    }
    for (struct dirent *e; !*stop && (e = readdir(d));) {
        uint64_t id = 0;
        if (e->d_name[0] == '.' || e->d_type == DT_DIR)
            continue;
        if (!queue_id_read(str_c(e->d_name), &id))
            id = 0;
        *stop = !each(context, p, id, e->d_name);
    }
    closedir(d);
    return NO_FAULT;
}

fault queue_tree_scan(int queue_fd, queue_place p, queue_tree_fn *each, void *context)
{
    bool stop = false;
    if (p != QUEUE_DEFERRED)
        return folder_scan(queue_fd, folders[p], p, each, context, &stop);
    fault f = NO_FAULT;
    for (const char *c = branches; *c && !stop && !is_fault(f); c++) {
        char name[16];
        snprintf(name, sizeof name, "%s/%c", folders[p], *c);
        f = folder_scan(queue_fd, name, p, each, context, &stop);
    }
    return f;
}
