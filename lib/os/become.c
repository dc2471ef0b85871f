#include "os/become.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/caps.h"
#include "os/fd.h"
#include "os/limits.h"
#include "os/proof.h"
#include "os/sandbox.h"
#include "os/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OWN_RULES_MAX = 8 };

typedef struct change { /* the state of one become() */
    const contract *contract;
    const identity *identity;
    landlock_rule *rules; /* the identity's, then our own, whose descriptors are ours */
    size_t rule_count, own_from;
    filter filter;
    proof_context proof;
    sandbox_report report;
    bool stays_root; /* master */
} change;

static fault refused(const change *c, const char *step)
{
    return fault_make(FAULT_BUG, "3.0", "%s cannot confine itself: %s: %s", c->contract->role, step, strerror(errno));
}

static bool own_rule_add(change *c, int fd, unsigned access)
{
    if (fd >= 0)
        c->rules[c->rule_count++] = (landlock_rule){ fd, access };
    return fd >= 0;
}

/* Where workers are dynamic, their loader and libraries stand outside of what the contract names. */
static void loader_rules_add(change *c)
{
    static const char *const paths[] = { "/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/proc" };

    for (size_t i = 0; !spawn_can_root() && i < COUNT_OF(paths); i++)
        own_rule_add(c, open(paths[i], O_PATH | O_CLOEXEC), ACCESS_READ | ACCESS_EXECUTE);
}

/* Step 0: descriptors of what will be out of reach. */
static fault rules_open(change *c)
{
    const identity *id = c->identity;
    root_access files = c->contract->files;

    c->rules = memory_get((id->rule_count + OWN_RULES_MAX) * sizeof *c->rules);
    if (id->rule_count > 0)
        memcpy(c->rules, id->rules, id->rule_count * sizeof *c->rules);
    c->rule_count = c->own_from = id->rule_count;
    if (files == FILES_READ || files == FILES_WRITE) {
        int root = id->root_fd >= 0 ? openat(id->root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC)
                                    : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (!own_rule_add(c, root, files == FILES_READ ? ACCESS_READ : ACCESS_READ | ACCESS_WRITE))
            return refused(c, "open its root");
    }
    if (c->contract->calls & CALLS_SPAWN)
        loader_rules_add(c);
    proof_prepare(&c->proof, c->rules, c->rule_count);
    return NO_FAULT;
}

static void rules_close(change *c)
{
    for (size_t i = c->own_from; i < c->rule_count; i++)
        fd_close(&c->rules[i].fd);
    free(c->rules);
}

/* Steps 1 and 2. A master that locked NOROOT would have children that start with nothing. */
static fault privileges_bound(change *c)
{
    if (!c->stays_root && !caps_lock_securebits())
        return refused(c, "securebits");
    if (!caps_drop_bounding(c->stays_root ? caps_from_contract(c->contract->caps) : 0))
        return refused(c, "bounding set");
    return NO_FAULT;
}

/* Step 3. */
static fault root_change(change *c)
{
    int root = c->identity->root_fd;

    if (root < 0)
        return chdir("/") == 0 ? NO_FAULT : refused(c, "chdir");
    if (fchdir(root) != 0 || chroot(".") != 0)
        return refused(c, "chroot");
    c->proof.is_rooted = true;
    return NO_FAULT;
}

/* Step 4, read back. */
static fault ids_change(change *c)
{
    const identity *id = c->identity;
    unsigned long uid = id->uid, gid = id->gid;
    uid_t u[3];
    gid_t g[3];

    if (syscall(SYS_setgroups, id->group_count, id->groups) != 0)
        return refused(c, "setgroups");
    if (syscall(SYS_setresgid, gid, gid, gid) != 0)
        return refused(c, "setresgid");
    if (syscall(SYS_setresuid, uid, uid, uid) != 0)
        return refused(c, "setresuid");
    if (getresuid(&u[0], &u[1], &u[2]) != 0 || getresgid(&g[0], &g[1], &g[2]) != 0)
        return refused(c, "read its ids");
    for (size_t i = 0; i < COUNT_OF(u); i++)
        if (u[i] != id->uid || g[i] != id->gid)
            return fault_make(FAULT_BUG, "3.0", "%s is uid %u, gid %u after the change", c->contract->role, u[i], g[i]);
    return NO_FAULT;
}

static fault privileged_steps(change *c)
{
    fault f = privileges_bound(c);
    if (!is_fault(f))
        f = root_change(c);
    if (!is_fault(f) && !c->stays_root)
        f = ids_change(c);
    return f;
}

/* Step 7. */
static fault landlock_raise(change *c)
{
    const contract *k = c->contract;
    const identity *id = c->identity;
    bool connects = k->calls & (CALLS_CONNECT | CALLS_RESOLVE);
    landlock_walls w = {
        .rules = c->rules,
        .rule_count = c->rule_count,
        .leaves_files = k->files == FILES_UNLIMITED,
        .connect_ports = connects ? id->connect_ports : NULL,
        .connect_port_count = connects && id->connect_ports ? id->connect_port_count : 0,
        .leaves_ports = (k->calls & CALLS_ANY) || (connects && id->connect_ports == NULL),
        .leaves_scope = k->calls & CALLS_ANY,
    };
    int abi;

    fault f = landlock_confine(&w, &abi);
    if (is_fault(f))
        return f;
    c->report.landlock_abi = abi;
    c->report.has_files_walled = abi >= 2 && !w.leaves_files;
    c->report.has_ports_walled = abi >= 4 && !w.leaves_ports;
    c->report.has_scope_walled = abi >= 6 && !w.leaves_scope;
    c->proof.has_landlock = c->report.has_files_walled;
    if (landlock_abi() > 0)
        return NO_FAULT;
    if (id->requires_landlock)
        return fault_make(FAULT_BUG, "3.0", "%s needs Landlock, which this kernel does not have", k->role);
    log_event(LOG_WARNING, "no-landlock", LOG_C("process", k->role),
              LOG_C("weaker", "files are guarded by permissions only"));
    return NO_FAULT;
}

/* Steps 5 to 9. */
static fault common_steps(change *c)
{
    const contract *k = c->contract;
    const identity *id = c->identity;
    const char *failed;

    if (!caps_set(id->is_privileged ? caps_from_contract(k->caps) : 0))
        return refused(c, "capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return refused(c, "no_new_privs");
    fault f = landlock_raise(c);
    if (is_fault(f))
        return f;
    if ((failed = limits_apply(&k->limits, !(k->calls & CALLS_ANY))) != NULL)
        return refused(c, failed);
    rules_close(c);
    c->rules = NULL;
    c->rule_count = c->own_from = 0;
    if (id->keep_fds && !fd_close_others(id->keep_fds, id->keep_fd_count))
        return refused(c, "close descriptors");
    return NO_FAULT;
}

/* Step 10, after its proof. */
static fault filter_raise(change *c)
{
    c->proof.filter = &c->filter;
    c->proof.forbids_fork = !(c->proof.families & (CALLS_SPAWN | CALLS_THREADS | CALLS_ANY));
    fault f = proof_run(&c->proof);
    if (is_fault(f))
        return f;
    c->report.is_proved = true;
    c->report.is_privileged_start = c->identity->is_privileged;
    sandbox_note(&c->report);
    if (c->proof.forbids_fork && !limits_forbid_fork())
        return refused(c, "processes");
    return filter_load(&c->filter) ? NO_FAULT : refused(c, "filter");
}

fault become(const contract *k, const identity *id)
{
    static const id_ranges nobody = {
        .uid_min = 65534, .uid_max = 65534, .gid_min = 65534, .gid_max = 65534
    }; /* without root no id changes */
    change c = { .contract = k, .identity = id, .stays_root = id->is_privileged && id->uid == 0 };

    if (k->is_spawner && c.stays_root)
        return fault_make(FAULT_BUG, "3.0", "%s changes ids and must not be root", k->role);
    if (c.stays_root && !(k->calls & CALLS_ANY))
        return fault_make(FAULT_BUG, "3.0", "%s has no uid of its own", k->role);
    c.proof = (proof_context){ .contract = k, .identity = id, .families = k->calls | k->worker_calls };
    fault f = rules_open(&c);
    if (!is_fault(f))
        f = seccomp_compile(k, id->is_privileged ? &id->ids : &nobody, &c.filter);
    if (!is_fault(f) && id->is_privileged)
        f = privileged_steps(&c);
    if (!is_fault(f))
        f = common_steps(&c);
    if (!is_fault(f))
        f = filter_raise(&c);
    rules_close(&c);
    filter_free(&c.filter);
    return f;
}
