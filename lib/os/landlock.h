/* Landlock by raw system calls: confines the calling thread (and what it starts) to some folders and TCP ports.
 * Runs in: every daemon and worker. Needs no privilege, cannot be undone. Constants are our own: system headers lag
 * behind. */
#pragma once
#include "base/fault.h"

typedef enum landlock_access {
    ACCESS_READ = 1 << 0,    /* read files, list folders */
    ACCESS_WRITE = 1 << 1,   /* write, create, truncate, rename and remove files and folders */
    ACCESS_EXECUTE = 1 << 2, /* exec */
    ACCESS_SOCKET = 1 << 3,  /* create sockets */
    ACCESS_LOCK = 1 << 5,    /* make and remove plain files, for dotlocks */
    ACCESS_ALL = 1 << 4,     /* everything, device nodes and links too */
} landlock_access;

typedef struct landlock_rule {
    int fd;          /* folder or file, O_PATH is enough; the caller's */
    unsigned access; /* ACCESS_… */
} landlock_rule;

typedef struct landlock_walls {
    const landlock_rule *rules;
    size_t rule_count;
    bool leaves_files;             /* no restriction of files at all */
    const uint16_t *connect_ports; /* TCP, host order */
    size_t connect_port_count;
    bool leaves_ports; /* no restriction of TCP */
    bool leaves_scope; /* may signal and reach abstract sockets outside (master, whose children are its own) */
} landlock_walls;

/* The version of Landlock that this kernel has; 0: none, or too old to be of use (version 1 forbids renames between
 * folders). */
int landlock_abi(void);

/* Confines this thread for good; no_new_privs must be set. *out_abi is what was used (0: no Landlock here, nothing was
 * done).
 * Fails: FAULT_BUG when a rule or the kernel refuses. */
fault landlock_confine(const landlock_walls *w, int *out_abi);
