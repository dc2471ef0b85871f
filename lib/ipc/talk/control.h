/* master and each process that it starts. Before CONTROL_GO the process is not confined yet; what comes later (a peer that
 * was restarted, a new generation of the configuration, the end) arrives the same way. */
#pragma once
#include "ipc/message.h"

enum control_type {
    /* to the process */
    CONTROL_START = 1, /* control_start; descriptors: log, snapshot */
    CONTROL_FILE,      /* control_name: a descriptor that the contract names ("worker", "key", …) */
    CONTROL_LISTENER,  /* control_name: service; descriptor: the listening socket */
    CONTROL_PEER,      /* control_name: role; descriptor: one end of a fresh conversation */
    CONTROL_GO,        /* control_none: become what the contract says, then work */
    CONTROL_RELOAD,    /* control_reload; descriptor: snapshot */
    CONTROL_DRAIN,     /* control_none: accept nothing new, finish, leave */
    CONTROL_ASK,       /* control_none: report */
    CONTROL_LOG,       /* control_none; descriptor: the log, opened again */
    /* from the process */
    CONTROL_READY,     /* control_report: confined, proved, at work */
    CONTROL_REPORT,    /* control_report: answers CONTROL_ASK */
    CONTROL_PEER_LOST, /* control_name: role of a conversation that ended while we live */
};

#define CONTROL_START_FIELDS(X)                                                                                        \
    X(u32, instance)         /* 0, 1, … among the processes of a role */                                               \
    X(u32, generation)       /* of the configuration */                                                                \
    X(u32, uid)                                                                                                        \
    X(u32, gid)                                                                                                        \
    X(u32, is_privileged)    /* master runs as root: ids and root directories are changed */                           \
    X(u32, requires_sandbox) /* a kernel without Landlock is an error */                                               \
    X(text, root)            /* directory to become the root, as master sees it */
IPC_MESSAGE(control_start, CONTROL_START_FIELDS)

#define CONTROL_NAME_FIELDS(X)                                                                                         \
    X(text, name)                                                                                                      \
    X(u32, instance)
IPC_MESSAGE(control_name, CONTROL_NAME_FIELDS)

#define CONTROL_NONE_FIELDS(X) X(u32, reserved)
IPC_MESSAGE(control_none, CONTROL_NONE_FIELDS)

#define CONTROL_RELOAD_FIELDS(X) X(u32, generation)
IPC_MESSAGE(control_reload, CONTROL_RELOAD_FIELDS)

#define CONTROL_REPORT_FIELDS(X)                                                                                       \
    X(u32, generation)                                                                                                 \
    X(u32, sessions)  /* open now */                                                                                   \
    X(text, sandbox)  /* what the kernel does not show of it in /proc: "landlock=7 securebits=0xef mdwe=1 proof=14" */ \
    X(text, detail)   /* name=value pairs of the role, for status */
IPC_MESSAGE(control_report, CONTROL_REPORT_FIELDS)
