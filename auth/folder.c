#include "auth/folder.h"
#include "base/log.h"
#include <sys/inotify.h>
#include <unistd.h>

static void on_change(void *context, unsigned ready)
{
    auth *a = context;
    char events[4096];
    (void)ready;
    while (read(a->folder_fd, events, sizeof events) > 0)
        ; /* what changed is seen by looking */
    auth_refresh(a, true);
}

void folder_watch(auth *a)
{
    str path = str_c(a->directory.path);
    size_t slash = str_find_last(path, '/');
    arena mem = arena_new(0);
    const char *folder = slash == path.n ? "." : slash == 0 ? "/" : arena_c(&mem, str_upto(path, slash));
    a->folder_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (a->folder_fd < 0 || inotify_add_watch(a->folder_fd, folder, IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE) < 0) {
        log_fault(LOG_WARNING, "user-file-not-watched", fault_errno("%s", folder));
    } else {
        watch_open(&a->folder, a->process->loop, a->folder_fd, on_change, a);
        watch_want(&a->folder, WATCH_READ);
    }
    arena_free(&mem);
}
