#include "base/log.h"
#include "base/memory.h"
#include "base/num.h"
#include "conf/list.h"
#include "daemon/control.h"
#include "ipc/talk/control.h"
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static bool group_find(str name, gid_t *out)
{
    uint64_t number;
    if (num_parse(name, 1, UINT32_MAX - 1, &number)) {
        *out = (gid_t)number;
        return true;
    }
    arena a = arena_new(0);
    const struct group *g = getgrnam(arena_c(&a, name));
    if (g)
        *out = g->gr_gid;
    arena_free(&a);
    return g != NULL;
}

/* Groups below minimum_uid that a mail user may have; a name that this host does not know is nobody's. */
static void groups_set(id_ranges *ids, str list)
{
    gid_t *gids = memory_get(SECCOMP_GIDS_MAX * sizeof *gids);
    str word;
    while (ids->gid_count < SECCOMP_GIDS_MAX && str_word(&list, " ,\t\r\n", &word))
        if (group_find(word, &gids[ids->gid_count]))
            ids->gid_count++;
    ids->gids = gids;
}

/* The one account outside of the ranges: no range of its own, and never root. */
static fault default_privs_set(id_ranges *ids, const config *c)
{
    arena a = arena_new(0);
    const char *name = arena_c(&a, c->default_privs);
    const struct passwd *p = getpwnam(name);
    fault f = NO_FAULT;
    if (p == NULL || p->pw_uid == 0 || p->pw_gid == 0)
        f = fault_make(FAULT_REFUSED, "3.5", "default_privs: %s %s", name, p ? "is root" : "is no account");
    else
        ids->extra_uid = p->pw_uid, ids->extra_gid = p->pw_gid;
    arena_free(&a);
    return f;
}

fault daemon_identity_set(process *d, const control_start *m)
{
    const config *c = daemon_config(d);
    identity *id = &d->identity;
    fault f = NO_FAULT;
    *id = (identity){ .is_privileged = m->is_privileged,
                      .uid = m->uid,
                      .gid = m->gid,
                      .root_fd = -1,
                      .requires_landlock = m->requires_sandbox };
    if (d->program->contract->is_spawner && id->is_privileged) {
        id->ids = (id_ranges){ .uid_min = (uid_t)c->minimum_uid,
                               .uid_max = (uid_t)c->maximum_uid,
                               .gid_min = (gid_t)c->minimum_uid,
                               .gid_max = (gid_t)c->maximum_uid };
        groups_set(&id->ids, c->mail_gids);
        f = d->program->contract->has_default_privs ? default_privs_set(&id->ids, c) : NO_FAULT;
    }
    if (is_fault(f))
        return f;
    if (m->root.n == 0)
        return NO_FAULT;
    arena a = arena_new(0);
    id->root_fd = open(arena_c(&a, m->root), O_PATH | O_DIRECTORY | O_CLOEXEC);
    f = id->root_fd >= 0 ? NO_FAULT : fault_errno("open the root directory %.*s", STR_ARG(m->root));
    arena_free(&a);
    return f;
}
