/* The queue manager's state. Runs in: qmgr, the only process that names queue files. It sees envelopes, never content. */
#pragma once
#include "base/map.h"
#include "base/refs.h"
#include "base/vec.h"
#include "daemon/admin.h"
#include "daemon/daemon.h"
#include "qmgr/fair.h"
#include "qmgr/window.h"
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
    destination *destination; /* NULL: its result is known without a try */
    fault *known;             /* that result */
    uint32_t ref;             /* while it runs */
    struct delivery *next;    /* in its lot */
    peer *carrier;            /* the process that has it now */
    uint32_t action;          /* as its result said: a report_action, DELIVER_PASSED_ON or 0 */
} delivery;

typedef struct deliveries {
    delivery *first, **last;
} deliveries;

/* What one message has for one destination and was not handed out yet. */
typedef struct lot {
    message *message;
    destination *destination;
    deliveries waiting;
    fair_item turn; /* in its destination */
} lot;

typedef struct progress {
    uint32_t parts; /* deliveries without a result */
    fault worst;    /* of those that have one */
    uint32_t action;
} progress;

/* What is in memory of a message only while it is being delivered. */
typedef struct loaded {
    arena arena;
    queue_message file;
    struct progress *progress; /* of each recipient */
    uint32_t open;             /* recipients without a result in this round */
    int fd, write_fd;          /* -1: not open */
    notice *report;            /* that is being made of it */
    uint32_t told_upto;        /* of recipients below this one nothing is to be reported in this round */
    fault report_fault;        /* why one could not be made in this round */
} loaded;

typedef enum message_state { MESSAGE_AT_REST, MESSAGE_WAITING, MESSAGE_READY, MESSAGE_ACTIVE } message_state;
typedef enum asked { ASKED_NOTHING, ASKED_HOLD, ASKED_DELETE } asked; /* by an admin while it was in our hands */

struct message {
    uint64_t id;
    uint64_t next_try_s;
    uint64_t arrived_s;
    uint32_t tries;
    uint32_t owner; /* uid of the local program that submitted it, as the desk sees it; 0: not looked at */
    uint8_t place;  /* queue_place */
    uint8_t
        state; /* message_state: at rest (held), in the heap of waiting ones, in the list of ready ones, being delivered */
    uint8_t asked;      /* done when the delivery that runs has ended */
    bool is_found;      /* by the scan at the start: what it says was not looked at yet */
    bool is_lent;       /* a client makes its file anew: it rests */
    bool is_flushed;    /* somebody wants it tried now, also by a transport of defer_transports */
    bool is_unreported; /* it waits for bounce, too */
    bool is_in_memory;  /* its cleanup may have to keep it yet: until then it stands in a memory file, always loaded */
    bool has_file;      /* in its place */
    size_t heap_at;
    loaded *loaded;
    struct message *next; /* in ready */
};

/* How mail leaves: a delivery process and the parameters of its destinations. */
typedef struct transport {
    const char *name, *peer;
    parameter_index initial, limit, positive, negative, failed_cohorts, rate_delay;
} transport;

typedef struct carrier { /* a transport at work */
    const transport *transport;
    fair ready; /* destinations that have something to do and may */
    uint32_t running;
} carrier;

/* A queue of deliveries to one place, with its concurrency. */
struct destination {
    qmgr *qmgr;
    str key; /* transport, NUL, nexthop */
    carrier *carrier;
    fair lots;
    fair_item turn; /* in its carrier */
    uint32_t waiting, running;
    window window;
    uint64_t dead_until_ms; /* left alone until then, by the clock that never jumps */
    fault why;             /* it is dead */
    timer pause;           /* after a delivery, as *_destination_rate_delay says */
    bool is_pausing;
};

typedef struct fresh { /* a file, or only an id, that a cleanup has in its hands */
    uint64_t id;
    peer *holder;
    bool has_file;
} fresh;

typedef struct spare { /* an empty file, open to read and write */
    uint64_t id; /* its name in active/ */
    int fd;
} spare;

typedef struct removals { /* of messages that are gone */
    timer soon;
    bool is_due;
} removals;

enum { TRANSPORTS_MAX = 8 };

typedef struct readies { /* first come, first served */
    message *first, **last;
} readies;

typedef struct learning { /* deferred messages whose next try is to be read from their files yet */
    VEC(uint64_t) ids;
    size_t at;
    task task;
} learning;
typedef struct direct { /* a message whose results go back at once */
    uint64_t id;
    peer *holder; /* the cleanup that is to be told; NULL: it is gone, or does not care any more */
} direct;

typedef struct offer { /* a message that is not durable yet */
    uint64_t id;
    peer *holder;   /* the cleanup that makes it durable if need be */
    bool is_parked; /* its round is over, and what follows waits until it is durable */
} offer;

struct qmgr {
    process *process;
    int root_fd;
    map messages; /* by id */
    map fresh;    /* by id */
    map directs;  /* by id */
    map offers;   /* by id */
    VEC(spare) spares; /* the oldest first */
    bool mixes_names; /* a name that a file had before may come back (os/journal.h), with the next message's content too */
    removals removals;
    bool has_journal;   /* prepared files are worth it */
    map destinations;
    VEC(message *) waiting; /* a heap by next_try_s */
    readies ready[2];       /* to be loaded: mail that is new, mail that failed before; served in turn */
    bool is_retry_next;
    carrier carriers[TRANSPORTS_MAX];
    deliveries known; /* whose results are known without a try */
    learning learning;
    refs running;                            /* deliveries that a process has */
    refs questions;                          /* to policy */
    refs reports;                            /* that bounce has */
    notice *report_line, **report_line_last; /* that wait for their turn */
    size_t report_count;                     /* that bounce has */
    task report_task;
    bool has_unreported; /* messages wait for a bounce */
    admin_desk desk;
    size_t active_count;
    task schedule;
    timer wake;
    uint64_t wake_s; /* 0: not set */
    uint64_t seen_s; /* what the clock showed last */
    uint64_t id_next, id_reserved;
    uint64_t accepted, delivered, deferred, failed; /* since the start */
};

#define ID_KEY(id) ((str){ (const char *)&(id), sizeof(id) })

/* ids.c */
fault ids_open(qmgr *q);
fault ids_next(qmgr *q,
               uint64_t *out); /* greater than every one before, also before a restart or a step of the clock */
bool ids_is_free(const qmgr *q, uint64_t id); /* it was given out once, and nothing here has it */

/* fresh.c */
extern const talk cleanup_talk;
bool fresh_prepare(process *p); /* looks, before confinement, what the file system needs */
fresh *fresh_add(qmgr *q, peer *holder, uint64_t id); /* without a file */
void fresh_hold(fresh *f, peer *holder); /* another one has it from now on */
void result_say(peer *to, uint16_t type, uint64_t id, fault f); /* a queue_result to a cleanup */
void fresh_forget(qmgr *q, fresh *f); /* its file stays, if it has one */
int fresh_open(qmgr *q, uint64_t id); /* makes the file of one, read-write, the caller's; -1: errno */
void fresh_holder_lost(peer *p);

/* memory.c: files for what a cleanup has in memory */
bool memory_on_name(void *context, channel *c, received *r);
bool memory_on_unnamed(void *context, channel *c, received *r);

/* spare.c: files that are used again */
bool spare_keep(qmgr *q, message *m);    /* empties its file; false: it is as it was */
int spare_take(qmgr *q, uint64_t id);    /* under that name now, read-write, the caller's; -1: there is none */
void spares_remove(process *p);          /* of a qmgr that leaves */

/* removed.c: that messages are gone becomes durable soon */
void removals_open(qmgr *q);
void removals_note(qmgr *q); /* a file was removed */

/* direct.c: messages that whoever brought them keeps until the results are said: tried once, told, and gone */
fault direct_add(qmgr *q, uint64_t id, peer *holder);         /* a fault: there is no room for one now */
void direct_forget(qmgr *q, uint64_t id, const peer *holder); /* the holder does not wait for it any more */
void direct_holder_lost(const peer *p);
bool is_direct(const qmgr *q, const message *m);
void direct_finish(qmgr *q, message *m);          /* says what is known of each recipient, and removes it */
void direct_fail(qmgr *q, message *m, fault why); /* the same for all of them */

/* offer.c: messages that may be delivered before they are durable */
void offer_add(qmgr *q, uint64_t id, peer *holder);
void offer_keep_say(peer *holder, uint64_t id); /* that it is to be made durable now */
bool offer_park(qmgr *q, const message *m); /* true: not durable yet; finish_round is called again when it is */
bool offer_is_durable(qmgr *q, uint64_t id, const peer *holder);   /* false: not of this holder, or gone */
void offer_is_dropped(qmgr *q, uint64_t id, const peer *holder);   /* the same; the message goes when it can */
void offer_over(qmgr *q, uint64_t id, fault why); /* it is gone: delivered, or why not */
void offer_holder_lost(const peer *p);
message *offer_of_holder(const qmgr *q, uint64_t id, const peer *holder); /* its message; NULL: none that this one offers */
void offer_adopt(qmgr *q, uint64_t id, peer *holder); /* one in memory, whose holder began another conversation */

/* scan.c */
fault scan_own(const qmgr *q); /* the queue is this qmgr's alone; waits for an earlier one */
fault scan_all(qmgr *q);       /* what earlier runs left */

/* message.c */
message *message_add(qmgr *q, uint64_t id, queue_place place, uint64_t arrived_s);
message *message_find(const qmgr *q, uint64_t id);
fault message_load(qmgr *q, message *m);
fault message_load_memory(message *m, int fd); /* takes the descriptor of its memory file */
void message_is_kept(qmgr *q, message *m);     /* one in memory: its file is durable, and it is like any other now */
int message_fd(qmgr *q, message *m);       /* to read; stays the message's; -1: errno */
int message_fd_give(qmgr *q, message *m);  /* to read; the caller's; -1: errno */
int message_write_fd(qmgr *q, message *m); /* to keep states; stays the message's; -1: errno */
bool message_is_held(qmgr *q, message *m); /* a cleanup has it in its hands */
void message_unload(qmgr *q, message *m);
bool message_move(qmgr *q, message *m, queue_place to);
void message_remove(qmgr *q, message *m); /* the file, too */
void message_forget(qmgr *q, message *m);
void message_damaged(qmgr *q, message *m, fault why);

/* schedule.c */
void schedule_open(qmgr *q);
void schedule_soon(qmgr *q);
void schedule_ready(qmgr *q, message *m); /* deliver it as soon as there is room */
void schedule_at(qmgr *q, message *m, uint64_t next_try_s);
void schedule_never(qmgr *q, message *m); /* neither waits nor is ready any more */

/* transports.c */
extern const transport transports[];
extern const size_t transport_count;
const transport *transport_find(str name); /* NULL: none */

/* destination.c */
void destinations_open(qmgr *q);
destination *destination_get(qmgr *q, const transport *t, str nexthop);
void destination_add(destination *d, delivery *one); /* waits for its turn */
delivery *destination_take(destination *d);          /* whose turn it is: it runs from now on; NULL: nothing waits */
void destination_done(destination *d);               /* one that ran has ended */
void destination_succeeded(destination *d);
void destination_failed(destination *d, fault why); /* may let all that waits for it be deferred */
bool destination_is_dead(const destination *d);
void destinations_revive(qmgr *q); /* an admin wants all tried */
void destinations_sweep(qmgr *q);  /* forgets those that nothing is known of any more */

/* resolve.c: recipients that had no route when the message came are asked for at each try */
extern const talk policy_talk;
bool resolve_is_due(const message *m, const envelope_recipient *r);
void resolve_ask(qmgr *q, message *m, uint32_t index);
void resolve_lost(peer *p);

/* deliver.c */
extern const talk delivery_talk;
void deliver_start(qmgr *q, message *m); /* its pending recipients into their destinations' queues */
void deliver_add(qmgr *q, message *m, uint32_t index, const envelope_recipient *to); /* one more part */
void deliver_some(qmgr *q);
void deliver_known(qmgr *q, delivery *d, fault result); /* without a try */
void deliver_done(qmgr *q, delivery *d);                /* its destination has room again */
void deliver_peer_opened(peer *p);
void deliver_carrier_lost(peer *p);

/* finish.c */
void result_part_over(qmgr *q, message *m, uint32_t index, str reason); /* the recipient is done with its last part */
void finish_asked(qmgr *q, message *m); /* holds or deletes, at once if it can be, else later */
void finish_dropped(qmgr *q, message *m); /* one whose round is over: as was asked, and nothing is reported */
void finish_round(qmgr *q, message *m); /* no recipient is open: gone, held, or tried again */
void result_put(qmgr *q, delivery *d, fault outcome, str reason);

/* report.c */
extern const talk bounce_talk;
void report_bounce_opened(peer *p);
void report_bounce_lost(peer *p);
bool report_start(qmgr *q, message *m);                  /* true: finish_round is called again when it is made */
bool report_is_missing(const qmgr *q, const message *m); /* there are results that are to be reported and were not */
bool report_is_double(const qmgr *q, const message *m);  /* a copy for a postmaster: its failure is told to nobody */
bool report_wishes_success(const envelope_recipient *r);

/* The reverse-path of a recipient's copy, where its failure is reported: of its alias's owner, or its own with VERP. */
str report_sender(const queue_message *file, const envelope_recipient *r, arena *mem);

/* admin.c */
void admin_start(qmgr *q);
void admin_connection(listener *l, const accepted *a);
