/* System-call filters from a contract: an allow-list from families of calls (libseccomp) and a second, deny-style
 * program for what a list cannot say: ranges of ids, flags of clone and socket, the own pid.
 * Runs in: daemons, in become(), and spawners for their workers. The list's default is death of the process; a file or
 * socket that is merely not there gives an error. */
#pragma once
#include "os/contract.h"
#include "os/filter.h"
#include <sys/types.h>

typedef struct id_ranges {  /* who a spawner may become; both ends are included */
    uid_t uid_min, uid_max; /* minimum_uid…maximum_uid; never 0 */
    gid_t gid_min, gid_max; /* users' own groups; 0, 0: none */
    const gid_t *gids;      /* others that mail users may have: users, mail */
    size_t gid_count;       /* at most SECCOMP_GIDS_MAX */
    uid_t extra_uid;        /* with extra_gid one account besides, for users' programs: default_privs; 0: none */
    gid_t extra_gid;
} id_ranges;

enum { SECCOMP_GIDS_MAX = 256 };

/* Compiles both programs; `ids` may be NULL unless c->is_spawner. The caller frees with filter_free.
 * Fails: FAULT_BUG for ranges that would let it become root, or when libseccomp refuses. */
fault seccomp_compile(const contract *c, const id_ranges *ids, filter *out);

/* The filter of a worker with these families of calls, as a sealed memory file to hand down; the worker loads it
 * itself with worker_confine and needs no libseccomp. What worker_confine tries gives an error there, not death. */
fault seccomp_export(const char *role, unsigned families, int *out_fd);
