/* The supervisor's state. Runs in: master, as root with few capabilities; it reads configuration and its children's reports,
 * never a byte from the network or of mail. */
#pragma once
#include "conf/config.h"
#include "daemon/admin.h"
#include "loop/loop.h"
#include "master/roles.h"
#include "os/spawn.h"

typedef enum child_state {
    CHILD_DOWN,     /* not running; a timer may start it again */
    CHILD_STARTING, /* spawned, not READY yet */
    CHILD_UP,
    CHILD_DRAINING, /* told to finish; it is not replaced when it ends, and nobody new is linked to it */
    CHILD_STATES,
} child_state;

typedef enum child_event { EVENT_SPAWN, EVENT_READY, EVENT_EXIT, EVENT_DRAIN, EVENT_KILL, CHILD_EVENTS } child_event;

struct master;

typedef struct child {
    struct master *master;
    const role *role;
    uint32_t instance;
    child_state state;
    pid_t pid;
    int pidfd;
    uint64_t started_ms, backoff_ms, up_since_s;
    unsigned restarts;
    channel control;
    watch exit;
    timer timer; /* back-off when down, kill when draining */
    task forget;
    buf sandbox, detail; /* its last report */
    uint64_t born;     /* the generation that it was added for */
    bool is_successor; /* of those that were born before it: they drain once it is up */
    uint32_t sessions, generation;
    bool has_reported;
    struct child *next;
} child;

typedef struct local_socket {
    const char *name;
    int fd;
    struct local_socket *next;
} local_socket;

typedef struct net_listener {
    const char *key;              /* service in master.cf */
    const char *address;          /* "127.0.0.1:25": what tells two of one service apart */
    service_role role, next_role; /* now, and when the reload that runs has gone well */
    int fd;
    bool is_kept, is_fresh; /* by the reload that runs now */
    struct net_listener *next;
} net_listener;

/* A configuration with what it names: in effect as a whole, or not at all. */
typedef struct loaded {
    parsed *parsed;
    int snapshot_fd, cert_fd, key_fd, login_cert_fd, login_key_fd; /* -1: none */
} loaded;

typedef struct relink { /* a conversation to be made again */
    const role *a, *b;
    uint32_t a_instance, b_instance;
} relink;

typedef fault spawn_fn(const spawn_plan *plan, spawned *out);

typedef struct master {
    loop *loop;
    const char *directory; /* of the configuration */
    parsed *parsed;
    uint64_t generation;
    int snapshot_fd, log_fd, lock_fd;
    int cert_fd, key_fd, login_cert_fd, login_key_fd; /* sealed; -1: none */
    int tickets_fd, login_tickets_fd; /* keys of TLS session tickets: sealed, the same for all generations; -1: none */
    size_t cpus; /* that may be used */
    child *children;
    local_socket *sockets;
    net_listener *listeners;
    admin_desk desk;
    int ctl_fd;
    watch ctl;
    timer ctl_rest; /* after the descriptors ran out */
    timer patience; /* with processes that do not report */
    timer on_term, on_int, on_hup;
    unsigned leaving; /* the rank that a stop has come to */
    timer give_up;    /* a stop that takes too long */
    VEC(relink) relinks;
    timer relink; /* a peer that breaks every conversation must not keep all busy */
    spawn_fn *spawn;
    bool is_privileged, is_stopping, is_announced, requires_sandbox;
    int ready_fd; /* of the command that started us; -1 */
} master;

/* begin.c: the steps of a start */
fault master_complain(fault f); /* on stderr; gives it back */
fault master_configuration_load(master *m);
fault master_tickets_make(master *m);
fault master_places_make(master *m);
fault master_sockets_bind(master *m);
void master_work(master *m); /* confined: starts the processes and runs to the end */

/* child.c */
child *child_add(master *m, const role *r, uint32_t instance);
void child_event_put(child *c, child_event e);
void children_report(master *m); /* asks all; the answers arrive as has_reported */
bool children_are_up(const master *m);
size_t children_count(const master *m);                  /* that run */
size_t children_of_rank(const master *m, unsigned most); /* of those, that leave first, up to that rank */

/* links.c */
void links_make(child *c);                              /* fresh conversations between c and all that it talks with */
void link_again(child *c, str role, uint32_t instance); /* after a moment */

/* start.c: what a child is given before GO */
bool start_send(child *c);
void start_reload(child *c); /* the new generation, with all of its listeners and keys */
fault start_account(const master *m, const role *r, uid_t *uid, gid_t *gid);

/* layout.c: folders, with owners */
fault layout_make(master *m);

/* listen.c */
fault listeners_bind(master *m, const parsed *p); /* binds what is new, closes what is gone; all or nothing */
fault local_sockets_bind(master *m);
fault log_target_open(const parsed *p, int *out_fd);

/* load.c */
fault loaded_read(const master *m, loaded *out, buf *out_words); /* nothing to drop when it fails */
void loaded_take(master *m, const loaded *l);                    /* it is in effect; the one before is dropped */
void loaded_drop(loaded *l);

/* reload.c */
fault master_reload(master *m, buf *out_words);
void children_match(master *m);   /* starts, reloads and drains until what runs is what the configuration asks for */
void master_stop(master *m);      /* those who take mail first, then those who carry it, then those who are asked */
void master_stop_next(master *m); /* one of them has ended */

/* admin.c */
void ctl_open(master *m);
void ctl_reported(master *m); /* a process has answered, or ended */

/* notify.c */
void notify(const char *state); /* to $NOTIFY_SOCKET (sd_notify) */
void notify_reloading(void);
