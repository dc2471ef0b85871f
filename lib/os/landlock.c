#include "os/landlock.h"
#include "os/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };

enum { /* the kernel's numbers for access to files */
       FS_EXECUTE = 1 << 0,
       FS_WRITE_FILE = 1 << 1,
       FS_READ_FILE = 1 << 2,
       FS_READ_DIR = 1 << 3,
       FS_REMOVE_DIR = 1 << 4,
       FS_REMOVE_FILE = 1 << 5,
       FS_MAKE_DIR = 1 << 7,
       FS_MAKE_REG = 1 << 8,
       FS_MAKE_SOCK = 1 << 9,
       FS_REFER = 1 << 13,     /* version 2 */
       FS_TRUNCATE = 1 << 14,  /* version 3 */
       FS_IOCTL_DEV = 1 << 15, /* version 5 */
       FS_OF_FILES = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6 };
enum { NET_BIND_TCP = 1, NET_CONNECT_TCP = 2, SCOPE_ABSTRACT_SOCKETS = 1, SCOPE_SIGNALS = 2 };

typedef struct ruleset {
    uint64_t fs, net, scoped;
} ruleset;

typedef struct path_rule {
    uint64_t access;
    int32_t fd;
} __attribute__((packed)) path_rule;

typedef struct port_rule {
    uint64_t access, port;
} port_rule;

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return abi < ABI_REFER ? 0 : (int)abi;
}

static uint64_t fs_handled(int abi)
{
    uint64_t all = FS_IOCTL_DEV * 2 - 1;

    if (abi < ABI_IOCTL)
        all &= ~(uint64_t)FS_IOCTL_DEV;
    if (abi < ABI_TRUNCATE)
        all &= ~(uint64_t)FS_TRUNCATE;
    return all;
}

static uint64_t fs_access(unsigned access, bool is_folder, uint64_t handled)
{
    static const struct {
        unsigned ours;
        uint64_t kernel;
    } rows[] = {
        { ACCESS_READ, FS_READ_FILE | FS_READ_DIR },
        { ACCESS_WRITE,
          FS_WRITE_FILE | FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE },
        { ACCESS_EXECUTE, FS_EXECUTE },
        { ACCESS_SOCKET, FS_MAKE_SOCK | FS_REMOVE_FILE },
        { ACCESS_LOCK, FS_MAKE_REG | FS_REMOVE_FILE },
        { ACCESS_ALL, UINT64_MAX },
    };
    uint64_t bits = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (access & rows[i].ours)
            bits |= rows[i].kernel;
    return bits & handled & (is_folder ? UINT64_MAX : FS_OF_FILES);
}

static ruleset ruleset_for(const landlock_walls *w, int abi)
{
    ruleset r = { 0 };

    r.fs = w->leaves_files ? FS_REFER : fs_handled(abi);
    if (!w->leaves_ports && abi >= ABI_NET)
        r.net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (!w->leaves_scope && abi >= ABI_SCOPE)
        r.scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
    return r;
}

/* Older kernels refuse a longer struct even when what is behind is zero; newer ones take the shorter. */
static int ruleset_create(const ruleset *r, int abi)
{
    size_t size = abi >= ABI_SCOPE ? sizeof *r : abi >= ABI_NET ? offsetof(ruleset, scoped) : offsetof(ruleset, net);
    return (int)syscall(SYS_landlock_create_ruleset, r, size, 0);
}

static fault folder_add(int set, const landlock_rule *rule, uint64_t handled)
{
    struct stat st;

    if (fstat(rule->fd, &st) != 0)
        return fault_make(FAULT_BUG, "3.0", "Landlock: descriptor %d is not open", rule->fd);
    path_rule r = { fs_access(rule->access, S_ISDIR(st.st_mode), handled), rule->fd };
    if (r.access != 0 && syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &r, 0) != 0)
        return fault_make(FAULT_BUG, "3.0", "Landlock refuses the rule for descriptor %d: %s", rule->fd,
                          strerror(errno));
    return NO_FAULT;
}

/* Every layer forbids renames between folders unless it allows them, also one that leaves files alone otherwise: the
 * workers of a spawner would inherit that. */
static fault refer_allow(int set)
{
    path_rule r = { FS_REFER, open("/", O_PATH | O_CLOEXEC) };
    bool is_added = r.fd >= 0 && syscall(SYS_landlock_add_rule, set, RULE_PATH_BENEATH, &r, 0) == 0;
    fault f =
        is_added ? NO_FAULT : fault_make(FAULT_BUG, "3.0", "Landlock refuses renames below /: %s", strerror(errno));

    if (r.fd >= 0)
        close(r.fd);
    return f;
}

static fault rules_add(int set, const landlock_walls *w, const ruleset *r)
{
    fault f = w->leaves_files ? refer_allow(set) : NO_FAULT;

    for (size_t i = 0; !w->leaves_files && i < w->rule_count && !is_fault(f); i++)
        f = folder_add(set, &w->rules[i], r->fs);
    for (size_t i = 0; r->net && i < w->connect_port_count && !is_fault(f); i++) {
        port_rule port = { NET_CONNECT_TCP, w->connect_ports[i] };
        if (syscall(SYS_landlock_add_rule, set, RULE_NET_PORT, &port, 0) != 0)
            f = fault_make(FAULT_BUG, "3.0", "Landlock refuses port %u: %s", w->connect_ports[i], strerror(errno));
    }
    return f;
}

fault landlock_confine(const landlock_walls *w, int *out_abi)
{
    int abi = landlock_abi();
    ruleset r = ruleset_for(w, abi);

    *out_abi = 0;
    if (abi == 0 || (w->leaves_files && (r.net | r.scoped) == 0))
        return NO_FAULT;
    int set = ruleset_create(&r, abi);
    if (set < 0)
        return fault_make(FAULT_BUG, "3.0", "Landlock: cannot make a rule set: %s", strerror(errno));
    fault f = rules_add(set, w, &r);
    if (!is_fault(f) && syscall(SYS_landlock_restrict_self, set, 0) != 0)
        f = fault_make(FAULT_BUG, "3.0", "Landlock: cannot confine: %s", strerror(errno));
    fd_close(&set);
    if (!is_fault(f))
        *out_abi = abi;
    return f;
}
