/* The last walls of a per-user worker, put up by the worker itself after exec: small, static, without libcap and
 * libseccomp.
 * Runs in: workers, before the first untrusted byte; ids, chroot and capabilities were settled by the spawner before
 * exec. */
#pragma once
#include "os/contract.h"
#include "os/landlock.h"

typedef struct worker_walls {
    const landlock_rule *rules; /* the user's folders; for a chrooted worker its "/" */
    size_t rule_count;
    process_limits limits;
    int filter_fd; /* from seccomp_export in the spawner; -1 only where the spawner had none to give */
    bool requires_landlock;
    bool
        runs_programs; /* of the user: files are left to permissions; it may start, connect, execute */
} worker_walls;

/* no_new_privs, Landlock, dumpable 0, MDWE, limits, the filter; then tries to open /etc/passwd (unless a rule covers
 * it), to regain uid 0, to open a socket and to exec. With runs_programs the filter only denies what is denied to
 * everyone, and to regain uid 0, to make a user namespace and to trace is what is tried.
 * Fails: FAULT_BUG, the text names what succeeded; the worker must exit. */
fault worker_confine(const worker_walls *w);
