/* The skeleton of every process that master starts: it takes its descriptors over the control conversation, becomes what its
 * contract says, proves it, says READY and runs the loop. A main.c gives a `program`; the rest comes as calls.
 * The daemon lives as long as the process. */
#pragma once
#include "conf/snapshot.h"
#include "ipc/channel.h"
#include "os/become.h"
#include <netinet/in.h>

typedef struct process process;

/* A generation of the configuration. Whoever works under it (a session) holds it, so that a reload does not change its rules. */
typedef struct generation {
    snapshot snapshot;
    unsigned holders;
} generation;

typedef struct listener {
    process *daemon;
    str service; /* key in master.cf, "submission/inet", or the name of a local socket */
    int fd;
    watch watch;
    timer rest;  /* after the descriptors ran out */
    bool is_new; /* came since the last generation: a reload brings all listeners again */
    struct listener *next;
} listener;

/* One conversation. Of a role with several processes, or one that was just replaced, there are several. */
typedef struct peer {
    process *daemon;
    const char *role;
    uint32_t instance;
    channel channel;
    talk talk;
    uint64_t asked; /* questions without answer; daemon_peer picks the lowest */
    bool has_called; /* one of the own role: it has no time left (relief.h) */
    void *context;  /* the program's */
    struct peer *next;
} peer;

typedef struct peer_row {
    const char *role;
    talk talk;                /* handlers get the peer as context; on_closed is the skeleton's: see below */
    void (*on_open)(peer *p); /* may be NULL */
    void (*on_lost)(peer *p); /* fail what was asked; the peer is freed after it; may be NULL */
} peer_row;

typedef struct accepted {
    int fd; /* non-blocking; the callee's */
    struct sockaddr_storage address;
    uid_t uid; /* of a local socket's other end (SO_PEERCRED) */
    gid_t gid;
    pid_t pid;
} accepted;

typedef struct relief { /* what a process knows of its load (relief.h) */
    uint64_t looked_ms, cpu_us;
    bool is_busy; /* the next process of the role is called */
} relief;

typedef struct program {
    const contract *contract;
    const peer_row *peers;
    size_t peer_count;
    bool (*prepare)(process *d); /* before confinement: load what lies outside. False: it said why; exit */
    bool (*start)(process *d);   /* confined, before READY */
    void (*on_connection)(listener *l, const accepted *a);
    void (*on_reload)(process *d);           /* a new generation is in effect */
    void (*on_drain)(process *d);            /* finish; the process leaves when no session is left */
    void (*report)(process *d, buf *detail); /* appends name=value pairs */
} program;

struct process {
    const program *program;
    loop *loop;
    generation *current;
    void *state; /* the program's */
    uint32_t instance;
    identity identity;
    size_t sessions;
    bool is_draining;
    /* the skeleton's own */
    channel control;
    peer *peers;
    listener *listeners;
    struct daemon_file *files;
    relief relief;
    int control_fd, log_fd;
    timer orphan; /* master is gone: the latest time to leave */
};

/* Runs the process to its end and returns its exit status: 0 drained; 2 no start message; 3 configuration; 4 not confined;
 * 5 the program did not start. */
int daemon_run(const program *p, void *state);

const config *daemon_config(const process *d); /* main.cf of the current generation */
const config *generation_config(const generation *g, str key);
generation *generation_hold(generation *g);
void generation_release(generation *g);

/* The peer of a role with the fewest open questions; NULL: none is connected now. The caller counts p->asked up and down. */
peer *daemon_peer(const process *d, const char *role);

/* The same, but one that has less than `most` open questions gets the next one, so that it does things for many at once. */
peer *daemon_peer_gathered(const process *d, const char *role, uint64_t most);
peer *daemon_peer_instance(const process *d, const char *role, uint32_t instance);

/* A descriptor that master handed over under that name; stays the daemon's. -1: it was not given. */
int daemon_file(const process *d, const char *name);

int daemon_log_fd(const process *d); /* stays the daemon's */

/* Sessions keep a draining process alive. */
void daemon_session_opened(process *d);
void daemon_session_closed(process *d);
