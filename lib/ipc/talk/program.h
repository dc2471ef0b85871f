/* pipe and its workers, besides deliver.h: what a worker goes by, said before its first request and when it changes. */
#pragma once
#include "ipc/message.h"

enum program_type { PROGRAM_RULES = 130 /* program_rules; process to worker */ };

#define PROGRAM_RULES_FIELDS(X)                                                                                        \
    X(text, account)      /* for USER and LOGNAME */                                                                   \
    X(text, shell)        /* for SHELL; commands that need one get /bin/sh */                                          \
    X(text, filter)       /* command_expansion_filter: what may stand in values that a sender or client chose */       \
    X(text, delimiters)   /* recipient_delimiter */                                                                    \
    X(u64, time_limit_s)  /* command_time_limit */                                                                     \
    X(u64, mailbox_bytes) /* mailbox_size_limit; 0: none */                                                            \
    X(u32, lock_attempts) /* deliver_lock_attempts */                                                                  \
    X(u32, lock_delay_s)  /* deliver_lock_delay */                                                                     \
    X(u32, stale_lock_s)  /* stale_lock_time */                                                                        \
    X(u32, flags)         /* PROGRAM_… */
IPC_MESSAGE(program_rules, PROGRAM_RULES_FIELDS)

enum {
    PROGRAM_LISTS_COMMANDS = 1, /* a list may name commands */
    PROGRAM_LISTS_FILES = 2,    /* a list may name files */
    PROGRAM_LOCKS_FCNTL = 4,    /* mailbox_delivery_lock */
    PROGRAM_LOCKS_DOT = 8,
};
