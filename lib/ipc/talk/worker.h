/* A pool (local, imapd, pop3d) and the per-user worker that it started: the one-time start, then deliver.h or session.h. The
 * worker comes up with descriptor 3 as this channel; START's descriptor is the system-call filter that it loads. */
#pragma once
#include "ipc/message.h"

enum worker_type {
    WORKER_START = 101, /* worker_start; descriptors: log, filter */
    WORKER_READY,       /* worker_ready */
    WORKER_IDLE,        /* worker_ready: nothing open since the idle time; the pool may say LEAVE */
    WORKER_LEAVE,       /* worker_ready: finish and exit */
};

/* A user's mail folder, or what it holds, could not be opened; the file that is the mailbox is another one by now. */
enum { WORKER_EXIT_NO_FOLDER = 5, WORKER_EXIT_NO_MAIL = 6, WORKER_EXIT_MOVED = 7 };

#define WORKER_START_FIELDS(X)                                                                                         \
    X(text, user)                                                                                                      \
    X(text, home)             /* as the worker sees it: "/" when it is chrooted there */                               \
    X(text, mail)                                                                                                      \
    X(text, mbox)             /* the file that is the mailbox, instead of a folder; empty: none */                     \
    X(text, host)             /* myhostname, for names of files and greetings */                                       \
    X(u32, requires_sandbox)                                                                                           \
    X(u32, idle_s)            /* how long it stays without work */                                                     \
    X(u32, log_format)                                                                                                 \
    X(u32, is_verbose)
IPC_MESSAGE(worker_start, WORKER_START_FIELDS)

#define WORKER_READY_FIELDS(X) X(u32, busy)
IPC_MESSAGE(worker_ready, WORKER_READY_FIELDS)
