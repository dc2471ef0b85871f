#include "os/seccomp.h"
#include "base/memory.h"
#include "os/fd.h"
#include "os/seccomp_calls.h"
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OPTIMIZE_TREE = 2, FAMILIES_ALL = (CALLS_ANY << 1) - 1 };

/* libseccomp answers names that this architecture lacks with a negative number. */
static bool call_has_family(const char *name, unsigned families)
{
    for (size_t i = 0; i < seccomp_call_count; i++)
        if ((seccomp_calls[i].families & families) && strcmp(seccomp_calls[i].name, name) == 0)
            return true;
    return false;
}

static int list_fill(scmp_filter_ctx list, unsigned families, bool is_worker)
{
    int failed = 0;

    for (size_t i = 0; i < seccomp_call_count && failed == 0; i++) {
        int nr = seccomp_syscall_resolve_name(seccomp_calls[i].name);
        if (nr >= 0 && (seccomp_calls[i].families & families))
            failed = seccomp_rule_add(list, SCMP_ACT_ALLOW, nr, 0);
    }
    for (size_t i = 0; i < seccomp_soft_count && failed == 0; i++) {
        const soft_row *r = &seccomp_soft[i];
        int nr = seccomp_syscall_resolve_name(r->name);
        if (nr >= 0 && (is_worker || !r->in_workers_only) && !call_has_family(r->name, families))
            failed = seccomp_rule_add(list, SCMP_ACT_ERRNO((unsigned)r->error), nr, 0);
    }
    return failed;
}

static fault program_take(int fd, filter *out)
{
    off_t bytes = lseek(fd, 0, SEEK_END);
    size_t count = bytes < 0 ? 0 : (size_t)bytes / sizeof(struct sock_filter);

    if (count == 0 || count > FILTER_INSTRUCTIONS_MAX)
        return fault_make(FAULT_BUG, "3.0", "the list of system families has %zu instructions", count);
    out->programs[0] = memory_get(count * sizeof(struct sock_filter));
    out->counts[0] = (uint16_t)count;
    if (pread(fd, out->programs[0], (size_t)bytes, 0) != bytes)
        return fault_errno("cannot read the list of system families back");
    return NO_FAULT;
}

static fault list_export(scmp_filter_ctx list, filter *out)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    fault f = NO_FAULT;

    if (fd < 0)
        return fault_errno("cannot make a memory file");
    int failed = seccomp_export_bpf(list, fd);
    if (failed != 0)
        f = fault_make(FAULT_BUG, "3.0", "libseccomp: %s", strerror(-failed));
    else
        f = program_take(fd, out);
    fd_close(&fd);
    return f;
}

static fault list_compile(unsigned families, bool is_worker, filter *out)
{
    scmp_filter_ctx list = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (list == NULL)
        return fault_make(FAULT_BUG, "3.0", "libseccomp cannot make a filter");
    int failed = seccomp_attr_set(list, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (failed == 0)
        failed = seccomp_attr_set(list, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
    if (failed == 0)
        failed = list_fill(list, families, is_worker);
    fault f = failed != 0 ? fault_make(FAULT_BUG, "3.0", "libseccomp: %s", strerror(-failed)) : list_export(list, out);
    seccomp_release(list);
    return f;
}

static fault ranges_check(const contract *c, const id_ranges *ids)
{
    if (!c->is_spawner)
        return NO_FAULT;
    if (ids == NULL || ids->uid_min == 0 || ids->uid_max < ids->uid_min || ids->uid_max == (uid_t)-1)
        return fault_make(FAULT_BUG, "3.0", "%s: these uids are not for users", c->role);
    if (ids->gid_max < ids->gid_min || ids->gid_max == (gid_t)-1 || (ids->gid_min == 0 && ids->gid_max != 0))
        return fault_make(FAULT_BUG, "3.0", "%s: these gids are not for users", c->role);
    if ((ids->extra_uid == 0) != (ids->extra_gid == 0) || ids->extra_uid == (uid_t)-1 || ids->extra_gid == (gid_t)-1)
        return fault_make(FAULT_BUG, "3.0", "%s: the account %u, %u is not for programs", c->role, ids->extra_uid,
                          ids->extra_gid);
    if (ids->gid_count > SECCOMP_GIDS_MAX)
        return fault_make(FAULT_BUG, "3.0", "%s: more than %d groups", c->role, SECCOMP_GIDS_MAX);
    for (size_t i = 0; i < ids->gid_count; i++)
        if (ids->gids[i] == 0 || ids->gids[i] == (gid_t)-1)
            return fault_make(FAULT_BUG, "3.0", "%s: group %u is not for users", c->role, ids->gids[i]);
    return NO_FAULT;
}

static fault compile(const contract *c, unsigned families, const id_ranges *ids, bool is_worker, filter *out)
{
    *out = (filter){ 0 };
    fault f = ranges_check(c, ids);
    if (!is_fault(f) && !(families & CALLS_ANY))
        f = list_compile(families, is_worker, out);
    if (!is_fault(f))
        f = seccomp_args_compile(c, families, ids, out);
    if (is_fault(f))
        filter_free(out);
    return f;
}

fault seccomp_compile(const contract *c, const id_ranges *ids, filter *out)
{
    return compile(c, (c->calls | c->worker_calls) & FAMILIES_ALL, ids, false, out);
}

fault seccomp_export(const char *role, unsigned families, int *out_fd)
{
    contract worker = { .role = role, .calls = families };
    filter made;

    *out_fd = -1;
    fault f = compile(&worker, families & FAMILIES_ALL, NULL, true, &made);
    if (!is_fault(f))
        f = filter_write(&made, role, out_fd);
    filter_free(&made);
    return f;
}
