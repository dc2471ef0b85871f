/* Starts an executable with exactly the descriptors, arguments and environment that are named; all else is closed.
 * 0, 1 and 2 are /dev/null unless named.
 * Runs in: master (daemons) and the root-less spawners (workers as another user). Works under a spawner's filter.
 * A child that changes ids shares no memory with us and is not waited for: its user could stop it and us with it. */
#pragma once
#include "base/fault.h"
#include <sys/types.h>

typedef struct spawn_fd {
    int source, target; /* sources may repeat; targets are distinct and below SPAWN_TARGETS_MAX */
} spawn_fd;

enum { SPAWN_FDS_MAX = 64, SPAWN_TARGETS_MAX = 256 };

typedef struct spawn_plan {
    int exec_fd;       /* the executable, opened (O_PATH will do); -1: path */
    const char *path;  /* absolute */
    char *const *argv; /* ends in NULL */
    char *const *envp; /* exact, ends in NULL; NULL: empty */
    const spawn_fd *fds;
    size_t fd_count;
    bool changes_ids; /* to uid and gid, no supplementary groups; needs SETUID and SETGID */
    uid_t uid;
    gid_t gid;
    int root_fd; /* -1; or chroot to this folder, as the new user (needs SYS_CHROOT and a static executable) */
    const char
        *root_path;  /* the same by name, looked up (and its last part made) as the new user, who alone may reach it */
    const char *makes_path; /* NULL; or a file that is made, empty, if nothing has its name, as the new user and, for this
                             * alone, with the group makes_gid: a mailbox in a spool where only a group may make files.
                             * Whether that went well is for the program to see. Needs drops_caps */
    gid_t makes_gid;
    int folder_fd;   /* -1; or the current folder of the child; not with root_fd */
    bool drops_caps; /* all capabilities go before exec */
    bool starts_session; /* setsid: a program of a user, to be killed with all that it started */
    bool skips_pidfd;    /* for a caller that has no use for it */
} spawn_plan;

/* exec_fd, root_fd and folder_fd must be set, to -1 if unused: assign them after this, which sets all three to -1. */
#define SPAWN_PLAN(...) ((spawn_plan){ .exec_fd = -1, .root_fd = -1, .folder_fd = -1, __VA_ARGS__ })

typedef struct spawned {
    pid_t pid;
    int pidfd;      /* close-on-exec; the caller closes it; -1: skips_pidfd */
    bool is_rooted; /* the child changes its root before exec; false in builds whose workers are dynamic */
} spawned;

/* Whether root_fd is heeded: an executable that needs a loader cannot be started in a folder that has none, so builds
 * whose workers are dynamic (sanitized, not optimised) skip the chroot. */
bool spawn_can_root(void);

/* Fails: FAULT_TRY_LATER when the child could not be made or, without changes_ids, any step up to exec failed (no
 * child is left then). With changes_ids a failed step is told by the exit status: spawn_failure. */
fault spawn(const spawn_plan *plan, spawned *out);

/* What the wait status of a child with changes_ids says: the step of spawn() that failed ("setresuid"), or NULL if the
 * program itself ran. The exit statuses for this are 240 and up, which no program of ours uses. */
const char *spawn_failure(int wait_status);
bool spawn_had_no_root(int wait_status); /* it failed because its root folder could not be entered */

/* "exit status 75", "signal 11 (Segmentation fault)", "could not be started: setresuid". */
const char *spawn_status_text(int wait_status, char *out, size_t out_size);
