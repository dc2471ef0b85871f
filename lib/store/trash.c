#include "os/fd.h"
#include "os/file.h"
#include "base/clock.h"
#include "store/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TRASH_PREFIX "trash."

typedef struct names {
    VEC(char *) p;
    size_t max;
} names;

static void name_keep(void *context, str name)
{
    names *n = context;
    if (n->p.n < n->max)
        *vec_add(&n->p) = strndup(name.p, name.n);
}

static void names_free(names *n)
{
    for (size_t i = 0; i < n->p.n; i++)
        free(n->p.p[i]);
    vec_free(&n->p);
}

/* Up to `max` files of dirfd/sub; how many there were. */
static size_t files_unlink(int dirfd, const char *sub, size_t max)
{
    names n = { .max = max };
    int fd = file_open_beneath(dirfd, sub, O_RDONLY | O_DIRECTORY, 0);

    if (fd < 0)
        return 0;
    (void)folder_list(fd, ".", LIST_FILES, name_keep, &n);
    for (size_t i = 0; i < n.p.n; i++)
        if (n.p.p[i])
            unlinkat(fd, n.p.p[i], 0);
    size_t seen = n.p.n;
    names_free(&n);
    fd_close(&fd);
    return seen;
}

/* True: more is to do. */
static bool folder_empty(int metafd, const char *folder, size_t max)
{
    static const char *const parts[] = { "cur", "new", "tmp", "." };
    int dirfd = file_open_beneath(metafd, folder, O_RDONLY | O_DIRECTORY, 0);
    size_t seen = 0;

    if (dirfd < 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(parts) && seen < max; i++) {
        seen += files_unlink(dirfd, parts[i], max - seen);
        if (seen < max && parts[i][0] != '.')
            unlinkat(dirfd, parts[i], AT_REMOVEDIR);
    }
    fd_close(&dirfd);
    if (seen < max)
        unlinkat(metafd, folder, AT_REMOVEDIR);
    return seen >= max;
}

static void trash_find(void *context, str name)
{
    if (str_starts(name, STR(TRASH_PREFIX)))
        name_keep(context, name);
}

bool trash_empty(store *s, unsigned max)
{
    names n = { .max = 16 };
    bool has_more = false;

    (void)folder_list(s->metafd, ".", LIST_FOLDERS, trash_find, &n);
    for (size_t i = 0; i < n.p.n && !has_more; i++)
        has_more = n.p.p[i] && folder_empty(s->metafd, n.p.p[i], max);
    names_free(&n);
    return has_more;
}

fault trash_move(store *s, const char *folder)
{
    char name[64];
    snprintf(name, sizeof name, TRASH_PREFIX "%llu.%u.%08x", (unsigned long long)clock_us(), ++s->counter, s->random);
    if (renameat(s->dirfd, folder, s->metafd, name) != 0)
        return errno == ENOENT ? fault_make(FAULT_REFUSED, "2.0", "no such mailbox")
                               : fault_errno("cannot delete the mailbox");
    return NO_FAULT;
}
