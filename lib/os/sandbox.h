/* What holds a process now: what the kernel shows of any pid, and what only the process itself can tell.
 * Runs in: ctl (`postrider status --sandbox`) reads the first, every daemon reports the second. No memory to free. */
#pragma once
#include "base/fault.h"
#include <sys/types.h>

enum { SANDBOX_GROUPS_MAX = 32 };

typedef struct sandbox_view { /* from /proc/PID */
    uid_t uids[4];            /* real, effective, saved, file system */
    gid_t gids[4];
    gid_t groups[SANDBOX_GROUPS_MAX];
    size_t group_count; /* may be more than stand in groups */
    uint64_t caps_inheritable, caps_permitted, caps_effective, caps_bounding, caps_ambient;
    bool has_no_new_privs;
    unsigned seccomp_mode; /* 2: filter */
    unsigned seccomp_filters;
    char root[256]; /* "" when it may not be read */
} sandbox_view;

typedef struct sandbox_report { /* of the process itself */
    int landlock_abi;           /* in force; 0: none */
    bool has_files_walled, has_ports_walled, has_scope_walled;
    unsigned securebits;
    bool is_dumpable, has_mdwe;
    bool is_privileged_start; /* become() ran all steps; false: started without root */
    bool is_proved;           /* become() tried what must not work */
} sandbox_report;

fault sandbox_read(pid_t pid, sandbox_view *out); /* FAULT_TRY_LATER when there is no such process */

/* Securebits, dumpable and MDWE are asked of the kernel now; the rest is what become() did. */
void sandbox_self(sandbox_report *out);

/* For become() and worker_confine(). */
void sandbox_note(const sandbox_report *done);

/* "setuid,setgid" for a set of capabilities; "none"; unknown bits as numbers. */
const char *sandbox_caps_text(uint64_t caps, char *out, size_t out_size);
