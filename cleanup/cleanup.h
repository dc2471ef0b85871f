/* cleanup's state: messages that are being brought. Runs in: cleanup, which sees content through descriptors and names no file.
 * It may block in fsync: there are several of it. */
#pragma once
#include "base/map.h"
#include "base/refs.h"
#include "base/vec.h"
#include "daemon/daemon.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/policy.h"

typedef struct cleanup cleanup;

/* A queue file that qmgr gave us and that nobody uses yet. */
typedef struct blank {
    uint64_t id;
    int read_write, write_only;
    peer *qmgr;
} blank;

/* Who brings messages: smtpd, pickup, bounce, local and pipe (what a user forwards), or a local
 * program over the submit socket, who is trusted with nothing. */
typedef struct bringer {
    cleanup *cleanup;
    channel *channel;
    channel submit; /* of a local program */
    bool is_trusted;
    bool may_run_programs; /* local and pipe: what users forward to */
    bool has_checked_size; /* under the rules of the session that brought it, which a reload does not change */
    bool has_checked_addresses;
    uid_t uid;
    size_t open;
    struct bringer *next;
} bringer;

typedef enum intake_state { INTAKE_WAITING, INTAKE_OPEN, INTAKE_RESOLVING, INTAKE_COMMITTING } intake_state;

typedef struct intake {
    bringer *bringer;
    uint32_t ref;
    intake_state state;
    blank file; /* fds −1 while waiting */
    arena arena;
    envelope envelope;
    bool has_envelope;
    VEC(envelope_recipient) brought; /* without a route: policy is asked at COMMIT */
    buf records;                     /* of recipients with their routes */
    map seen;                        /* final recipients: each once */
    uint32_t brought_count, recipient_count, to_resolve;
    fault problem; /* found before the commit; its answer */
    str first_recipient;
    cleanup_commit commit;
    struct intake *next;
} intake;

struct cleanup {
    process *process;
    bringer *bringers;
    intake *intakes;
    size_t intake_count;
    VEC(blank) blanks; /* qmgr's `asked` counts those that are due */
    refs questions;    /* to policy */
};

/* stock.c: blanks */
extern const talk qmgr_talk;
bool stock_take(cleanup *c, blank *out);
void stock_refill(cleanup *c);
void stock_drop(const blank *b); /* tells qmgr */
void blank_close(blank *b);
void stock_opened(peer *p);
void stock_lost(peer *p);

/* bring.c: the bringers' requests */
extern const talk bring_talk;
void bring_opened(peer *p);
void bring_lost(peer *p);
void bring_submit(listener *l, const accepted *a);

/* intake.c */
intake *intake_new(bringer *b, uint32_t ref);
intake *intake_find(bringer *b, uint32_t ref);
intake *intake_by_id(cleanup *c, uint64_t id);
void intake_serve(cleanup *c, fault full); /* gives blanks to those who wait; with a fault they are told */
void intake_end(intake *i, fault outcome); /* answers and frees; a fault drops the file */
void intake_drop(intake *i);               /* without an answer */
void intake_add_recipient(intake *i, const envelope_recipient *r); /* final, with its route; once */
void intake_finish(intake *i); /* all recipients have routes: write, and ask for the rename */
void intake_committed(intake *i, fault outcome);

/* resolve.c */
extern const talk policy_talk;
void resolve_start(intake *i);
void resolve_forget(intake *i); /* it goes: answers that are on their way find nothing */
void resolve_lost(peer *p);

/* fields.c: what is put in front of the content, from its header */
fault fields_make(intake *i, buf *out);
