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
bool daemon_control_start(daemon *d);
void daemon_control_ready(daemon *d);

struct control_start;
/* Who the process becomes, by what master said and the configuration. */
fault daemon_identity_set(daemon *d, const struct control_start *m);

fault daemon_generation_load(daemon *d, int snapshot_fd);
void daemon_log_open(daemon *d, int fd);
void daemon_drain(daemon *d);
