/* The queue manager's state. Runs in: qmgr, the only process that names queue files. It sees envelopes, never content. */
#pragma once
#include "base/map.h"
#include "base/refs.h"
#include "base/vec.h"
#include "daemon/admin.h"
#include "daemon/daemon.h"
#include "queue/file.h"
#include "queue/tree.h"

typedef struct qmgr qmgr;
typedef struct message message;
typedef struct destination destination;
typedef struct notice notice;

/* One recipient on its way; of one whose route was looked up again there may be several. */
typedef struct delivery {
    message *message;
    uint32_t index; /* of the recipient */
    envelope_recipient to;
    destination *destination;
    uint32_t ref;          /* while it runs */
    struct delivery *next; /* in its destination's queue */
    peer *carrier;         /* the process that has it now */
} delivery;

typedef struct progress {
    uint32_t parts; /* deliveries without a result */
    fault worst;    /* of those that have one */
} progress;

/* What is in memory of a message only while it is being delivered. */
typedef struct loaded {
    arena arena;
    queue_message file;
    struct progress *progress; /* of each recipient */
    uint32_t open;             /* recipients without a result in this round */
    int fd;                    /* read-write */
    notice *report;            /* that is being made of it */
    fault report_fault;        /* why one could not be made in this round */
} loaded;

typedef enum message_state { MESSAGE_AT_REST, MESSAGE_WAITING, MESSAGE_READY, MESSAGE_ACTIVE } message_state;
typedef enum asked { ASKED_NOTHING, ASKED_HOLD, ASKED_DELETE } asked; /* by an admin while it was in our hands */

struct message {
    uint64_t id;
    uint64_t next_try_s;
    uint64_t arrived_s;
    uint32_t tries;
    uint8_t place; /* queue_place */
    uint8_t
        state; /* message_state: at rest (held), in the heap of waiting ones, in the list of ready ones, being delivered */
    uint8_t asked; /* done when the delivery that runs has ended */
    bool is_unreported; /* it waits for bounce, too */
    size_t heap_at;
    loaded *loaded;
    struct message *next; /* in ready */
};

/* A queue of deliveries to one place, with its concurrency. */
struct destination {
    str key; /* transport, NUL, nexthop */
    const char *transport;
    delivery *first, **last;
    uint32_t waiting, running, limit;
    bool is_listed; /* in the round robin */
    struct destination *next;
};

typedef enum fresh_state { FRESH_GIVEN, FRESH_COMMITTED } fresh_state;

typedef struct fresh { /* a file that a cleanup has in its hands */
    uint64_t id;
    int fd;
    fresh_state state;
    peer *holder;
} fresh;

struct qmgr {
    process *process;
    int root_fd;
    map messages; /* by id */
    map fresh;    /* by id */
    map destinations;
    VEC(message *) waiting;       /* a heap by next_try_s */
    message *ready, **ready_last; /* to be loaded, first come first served */
    destination *round, **round_last;
    refs running;   /* deliveries that a process has */
    refs questions; /* to policy */
    refs reports;   /* that bounce has */
    notice *report_line, **report_line_last; /* that wait for their turn */
    size_t report_count;                     /* that bounce has */
    task report_task;
    bool has_unreported; /* messages wait for a bounce */
    admin_desk desk;
    size_t active_count;
    task schedule;
    timer wake;
    uint64_t wake_s; /* 0: not set */
    uint64_t id_next, id_reserved;
    uint64_t accepted, delivered, deferred, failed; /* since the start */
};

#define ID_KEY(id) ((str){ (const char *)&(id), sizeof(id) })

/* ids.c */
fault ids_open(qmgr *q);
fault ids_next(qmgr *q,
               uint64_t *out); /* greater than every one before, also before a restart or a step of the clock */

/* fresh.c */
extern const talk cleanup_talk;
void fresh_holder_lost(peer *p);

/* scan.c */
fault scan_all(qmgr *q); /* what earlier runs left */

/* message.c */
message *message_add(qmgr *q, uint64_t id, queue_place place, uint64_t arrived_s);
message *message_find(qmgr *q, uint64_t id);
fault message_load(qmgr *q, message *m, int fd); /* takes fd; -1: opens the file */
void message_unload(qmgr *q, message *m);
bool message_move(qmgr *q, message *m, queue_place to);
void message_remove(qmgr *q, message *m); /* the file, too */
void message_forget(qmgr *q, message *m);
void message_damaged(qmgr *q, message *m, fault why);

/* schedule.c */
void schedule_soon(qmgr *q);
void schedule_ready(qmgr *q, message *m); /* deliver it as soon as there is room */
void schedule_at(qmgr *q, message *m, uint64_t next_try_s);
void schedule_never(qmgr *q, message *m); /* takes it out of the waiting heap */

/* resolve.c: recipients that had no route when the message came are asked for at each try */
extern const talk policy_talk;
bool resolve_is_due(const message *m, const envelope_recipient *r);
void resolve_ask(qmgr *q, message *m, uint32_t index);
void resolve_lost(peer *p);

/* deliver.c */
extern const talk local_talk;
void deliver_start(qmgr *q, message *m); /* its pending recipients into their destinations' queues */
void deliver_add(qmgr *q, message *m, uint32_t index, const envelope_recipient *to); /* one more part */
void deliver_some(qmgr *q);
void deliver_done(qmgr *q, delivery *d); /* its destination has room again */
void deliver_carrier_lost(peer *p);

/* finish.c */
void result_part_over(qmgr *q, message *m, uint32_t index, str reason); /* the recipient is done with its last part */
void finish_asked(qmgr *q, message *m); /* holds or deletes, at once if it can be, else later */
void finish_round(qmgr *q, message *m); /* no recipient is open: gone, held, or tried again */
void result_put(qmgr *q, delivery *d, fault outcome, str reason);

/* report.c */
extern const talk bounce_talk;
void report_bounce_opened(peer *p);
void report_bounce_lost(peer *p);
bool report_start(qmgr *q, message *m);              /* true: finish_round is called again when it is made */
uint32_t report_missing(const qmgr *q, const message *m); /* recipients whose result is to be reported and was not */
bool report_is_double(const qmgr *q, const message *m);   /* a copy for a postmaster: its failure is told to nobody */
bool report_wishes_success(const envelope_recipient *r);

/* The reverse-path of a recipient's copy, where its failure is reported: of its alias's owner, or its own with VERP. */
str report_sender(const queue_message *file, const envelope_recipient *r, arena *mem);

/* admin.c */
void admin_start(qmgr *q);
void admin_connection(listener *l, const accepted *a);
