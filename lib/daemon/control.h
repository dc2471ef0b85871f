/* The process's side of the control conversation (ipc/talk/control.h). For lib/daemon only. */
#pragma once
#include "daemon/daemon.h"

enum { DAEMON_CONTROL_FD = 3 };

typedef struct daemon_file {
    struct daemon_file *next;
    const char *name;
    int fd;
} daemon_file_entry;

/* Reads, blocking, what master sends up to GO. False: it said why. */
bool daemon_control_start(process *d);
void daemon_control_ready(process *d);

struct control_start;
/* Who the process becomes, by what master said and the configuration. */
fault daemon_identity_set(process *d, const struct control_start *m);

fault daemon_generation_load(process *d, int snapshot_fd);
void daemon_log_open(process *d, int fd);
void daemon_drain(process *d);
