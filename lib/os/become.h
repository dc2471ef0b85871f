/* become(): turns the process into what its contract says, for good, then proves it by trying what must not work.
 * Runs in: every daemon, right after exec, before the first untrusted byte. Single-threaded until it returns (unless
 * CALLS_THREADS: threads are started afterwards). Whatever reads files on first use (NSS, iconv, time zone, OpenSSL)
 * is preloaded by the caller. */
#pragma once
#include "os/contract.h"
#include "os/landlock.h"
#include "os/seccomp.h"
#include <sys/types.h>

typedef struct identity {
    bool is_privileged; /* started by root: uid, gid, groups and root_fd apply. Otherwise the caller's ids stay */
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* supplementary; the helper for PAM has shadow */
    size_t group_count;
    int root_fd;                /* the folder to chroot to; -1: "/" stays */
    id_ranges ids;              /* for is_spawner: who it may become; not used without is_privileged */
    const landlock_rule *rules; /* folders besides the root */
    size_t rule_count;
    const uint16_t *connect_ports; /* for CALLS_CONNECT and CALLS_RESOLVE; NULL: any */
    size_t connect_port_count;
    const int *keep_fds; /* what stays open besides 0, 1, 2; all others are closed. NULL: the caller has seen to it */
    size_t keep_fd_count;
    bool requires_landlock; /* a kernel without Landlock is a fault, not a warning */
} identity;

/* Gives up everything that `c` does not name, then tries what must not work (regain an id, open a file outside,
 * socket, exec, fork, trace or kill another process, executable memory, io_uring, a user namespace, a way out of the
 * chroot).
 * Fails: FAULT_BUG when a step is refused or an attempt succeeds, its text names which; the caller must exit. */
fault become(const contract *c, const identity *id);
