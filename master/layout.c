/* The folders that the suite needs, with their owners. Runs in: master, before it gives up CHOWN. */
#include "master/master.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct folder {
    const char *name;
    mode_t mode;
    const char *owner; /* a role; NULL: root */
} folder;

/* queue: master enters it without the right to override permissions; what is in it is 0700. drop: everybody may leave a
 * message, nobody may see another's; the setgid bit gives pickup the group (CONFINEMENT). */
static const folder folders[] = {
    { "", 0755, NULL },       { "queue", 0711, "qmgr" },   { "empty", 0555, NULL },
    { "public", 0755, NULL }, { "drop", 03733, "pickup" },
};

static fault folder_make(const master *m, const folder *d)
{
    arena a = arena_new(0);
    str path = arena_printf(&a, "%.*s/%s", STR_ARG(m->parsed->base.config.queue_directory), d->name);
    uid_t uid = geteuid();
    gid_t gid = getegid();
    fault f = d->owner ? start_account(m, role_by_name(d->owner), &uid, &gid) : NO_FAULT;
    if (!is_fault(f))
        f = file_make_folders(AT_FDCWD, path.p, (file_owner){ .mode = d->mode });
    if (!is_fault(f) && m->is_privileged && lchown(path.p, uid, gid) != 0)
        f = fault_errno("give %s to %s", path.p, d->owner ? d->owner : "root");
    if (!is_fault(f) && chmod(path.p, d->mode) != 0)
        f = fault_errno("set the mode of %s", path.p);
    arena_free(&a);
    return f;
}

fault layout_make(master *m)
{
    fault f = NO_FAULT;
    for (size_t i = 0; i < COUNT_OF(folders) && !is_fault(f); i++)
        f = folder_make(m, &folders[i]);
    return f;
}
