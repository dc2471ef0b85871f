/* cleanup's state: messages that are being brought. Runs in: cleanup, which sees content through descriptors and names no file.
 * It may block in fsync: there are several of it. */
#pragma once
#include "base/map.h"
#include "base/refs.h"
#include "base/vec.h"
#include "daemon/daemon.h"
#include "db/content_checks.h"
#include "db/patterns.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/policy.h"
#include "ipc/talk/queue.h"

typedef struct cleanup cleanup;

/* A queue file that qmgr gave us and that nobody uses yet; or an id, and a memory file in the place of one. */
typedef struct blank {
    uint64_t id;
    int read_write, write_only; /* write_only: for who brings the content; -1 of others */
    uint32_t prepared_bytes;    /* zeros that it has, and blocks on the disk for them */
    bool is_in_memory;
    peer *qmgr; /* which knows of it; NULL: it is gone */
} blank;

typedef VEC(blank) stock; /* the oldest first */

/* Whether messages are committed or delivered first, and how large the committed ones are. */
typedef struct commit_habit {
    unsigned lately; /* committed ones, of the last few */
    uint32_t bytes;  /* of a file that most of them have room in */
} commit_habit;

/* Who brings messages: smtpd, pickup, bounce, local and pipe (what a user forwards), or a local
 * program over the submit socket, who is trusted with nothing. */
typedef struct bringer {
    cleanup *cleanup;
    channel *channel;
    channel submit; /* of a local program */
    bool is_trusted;
    bool may_run_programs; /* local and pipe: what users forward to */
    bool is_internal;      /* a process of ours: what it brings was checked when it came, or is our own */
    bool has_checked_size; /* under the rules of the session that brought it, which a reload does not change */
    bool has_checked_addresses;
    bool may_be_direct;    /* smtpd alone: its client has the message until the results are said */
    bool may_enclose;      /* a content within COMMIT: smtpd, which opens one message for each client only */
    uid_t uid;
    size_t open;
    struct bringer *next;
} bringer;

typedef enum intake_state {
    INTAKE_WAITING,   /* for a file: at its BEGIN, or with all that belongs into it */
    INTAKE_OPEN,      /* its bringer writes */
    INTAKE_REWRITING, /* policy is asked for its addresses */
    INTAKE_RESOLVING, /* policy is asked where it goes */
    INTAKE_COMMITTING,
    INTAKE_OFFERED, /* qmgr delivers it; when that takes too long it is committed */
    INTAKE_NAMING,  /* it is in memory, and waits for a file to be committed */
    INTAKE_DIRECT,  /* qmgr delivers it and says how that went */
} intake_state;

/* An address that policy is asked for (policy.h, REWRITE). */
typedef struct rewrite_line {
    enum policy_rewrite_line class;
    str path;
    str to, bcc; /* the answer; p NULL: none yet */
} rewrite_line;

typedef struct intake_place { /* of a recipient as it was brought, in the file */
    uint32_t brought, final;
} intake_place;

typedef struct intake {
    bringer *bringer;
    uint32_t ref;
    intake_state state;
    blank file; /* fds −1 while there is none */
    int memory; /* its memory file while it is committed from it; -1 */
    bool is_enclosed; /* it began without a file */
    str content;      /* of an enclosed one, until it stands in the file */
    arena arena;
    envelope envelope;
    bool has_envelope;
    VEC(envelope_recipient) brought; /* without a route: policy is asked at COMMIT */
    buf records;                     /* of recipients with their routes */
    map seen;                        /* final recipients, each once: its number from 1 */
    VEC(uint32_t) numbers;           /* of those in `brought`, as they came; blind copies have none */
    VEC(intake_place) places;        /* of a direct message */
    uint32_t brought_count, recipient_count, to_answer;
    buf header;                /* the header block, or its first megabyte */
    VEC(str) originals;        /* recipients as they were asked for, where recipient_bcc_maps is to be asked */
    VEC(rewrite_line) lines;
    map line_of;               /* class and path → 1 + index */
    VEC(str) bcc;              /* who gets blind copies */
    bool goes_elsewhere;       /* to others than users here */
    uint64_t file_bytes;       /* up to the end mark */
    uint64_t due_ms;           /* of one that was offered: it is committed then */
    bool was_offered;          /* before it was committed */
    bool must_be_kept;         /* qmgr has said so, as it is not delivered to all; or nobody knows of the offer any more */
    bool is_delivered;         /* while it was committed */
    bool is_local;             /* its header is completed as one of our own */
    bool is_filtered;          /* the content must be looked at, as something in it is to be changed or checked */
    buf trace;                 /* the trace field after the checks; `has_trace` */
    bool has_trace;
    uint64_t content_start, content_bytes; /* what is there after the filter */
    uint32_t content_checksum;
    fault problem; /* found before the commit; its answer */
    str first_recipient;
    cleanup_commit commit;
    struct intake *next;
} intake;

/* local_header_rewrite_clients, read. */
typedef struct local_clients {
    patterns networks;
    bool with_login;
    table_context context;
    table_pool pool;
    VEC(table *) tables;
} local_clients;

struct cleanup {
    process *process;
    content_checks checks;
    local_clients local;
    str own_addresses; /* of the interfaces */
    bringer *bringers;
    intake *intakes;
    size_t intake_count;
    stock stock[FRESH_KINDS]; /* by fresh_kind; qmgr's `asked` counts those that are due */
    bool takes_writable; /* somebody wanted one */
    commit_habit habit;
    refs questions;    /* to policy */
    size_t offered;    /* messages */
    VEC(intake *) commits; /* that wait for the end of the round */
    size_t syncing;        /* in the background */
    task commit;
    watch synced;
    timer offers_due;
    uint64_t next_due_ms;
};

/* stock.c: blanks */
extern const talk qmgr_talk;
bool stock_take(cleanup *c, bool is_writable, blank *out); /* a memory file may be missing then: -1, errno */
void stock_refill(cleanup *c);
void stock_learn(const intake *i, uint64_t committed_bytes); /* which files are worth it; 0: it was delivered first */
void blank_close(blank *b);
void blank_tell(const blank *b, uint16_t type); /* a queue_file to qmgr, if that is there */
bool blank_give(const blank *b, uint16_t type); /* the same; a memory file is sealed, and goes along. False, errno: nothing was said */
fault result_fault(const queue_result *m); /* as qmgr said it */
void stock_opened(peer *p);
void stock_lost(peer *p);

/* bring.c: the bringers' requests */
extern const talk bring_talk;
void bring_opened(peer *p);
void bring_lost(peer *p);
void bring_submit(listener *l, const accepted *a);

/* intake.c */
intake *intake_new(bringer *b, uint32_t ref, intake_state state);
intake *intake_find(bringer *b, uint32_t ref);
intake *intake_by_id(cleanup *c, uint64_t id);
intake *intake_of_qmgr(const peer *from, uint64_t id); /* one that this qmgr knows of */
bool intake_read(const peer *from, const received *r, intake **out); /* the same from a queue_file; false: it is none */
void intake_serve(cleanup *c, fault full); /* gives blanks to those who wait; with a fault they are told */
void intake_start(intake *i); /* an enclosed one is there: it goes on when it has a file */
void intake_end(intake *i, fault outcome); /* answers and frees; a fault drops the file */
void intake_drop(intake *i);               /* without an answer */
uint32_t intake_add_recipient(intake *i, const envelope_recipient *r); /* final, with its route; once; its index */
void intake_finish(intake *i); /* all recipients have routes: write, make it durable, answer */
void intake_log_queued(const intake *i);

/* commit.c */
void commit_put(intake *i);  /* its end mark stands: it is made durable at the end of this round, and answered */
bool commit_on_named(void *context, channel *ch, received *r); /* of qmgr: the file of one in memory */
bool commit_on_unnamed(void *context, channel *ch, received *r);
void commit_adopt(cleanup *c); /* a qmgr is there: those of an earlier one, in memory, ask it for files */
void commit_all(cleanup *c); /* those that were put; returns when they are answered */

/* offer.c: messages that qmgr may deliver before they are durable here */
bool offer_is_worth(const intake *i);
void offer_start(intake *i);
void offer_end(intake *i); /* it leaves the state OFFERED */
void offer_go_on(intake *i); /* it cannot be committed now, but may be delivered yet */
bool offer_on_keep(void *context, channel *ch, received *r); /* of qmgr */

/* direct.c: who brought it keeps it until each recipient's result is said (LMTP) */
bool is_direct(const intake *i);
void direct_place(intake *i, uint32_t brought, uint32_t final); /* where that recipient stands in the file */
void direct_resolved(intake *i, size_t index, uint32_t final);  /* the same, of one that policy was asked for */
void direct_decide(intake *i); /* whether it can be after all; before the file is finished */
void direct_start(intake *i);
bool direct_on_outcome(void *context, channel *ch, received *r); /* of qmgr */
bool direct_on_over(void *context, channel *ch, received *r);

fault intake_content_check(const intake *i);   /* the file holds what was announced */
void intake_discard(intake *i);                /* the bringer hears yes; it goes nowhere */
void recipients_clear(intake *i);

/* clients.c */
void clients_open(cleanup *c, problems *ps); /* before confinement, for tables; again without them at a reload */
void clients_close(cleanup *c);
bool client_is_local(const intake *i);

/* header.c: the header as it came, and what of it policy is asked for */
fault header_read(intake *i);
void header_gather(intake *i);

/* rewrite.c: from COMMIT to the point where all recipients are known */
void rewrite_start(intake *i);
void rewrite_settle(intake *i); /* policy has answered all lines */
bool rewrite_is_asked(const intake *i, str path); /* whether policy could have another form of a header's address */
void rewrite_line_add(intake *i, enum policy_rewrite_line class, str path);
str rewrite_other(const intake *i, enum policy_rewrite_line class, str path); /* p NULL: it stays */

/* content.c: the pass over the content; sets its place, or the fault is the answer */
struct message_filter;
fault content_filter(intake *i, struct message_filter *f);

/* resolve.c: questions to policy */
extern const talk policy_talk;
void resolve_start(intake *i);
fault rewrite_ask(intake *i); /* for all lines */
void resolve_forget(intake *i); /* it goes: answers that are on their way find nothing */
void resolve_lost(peer *p);

/* fields.c: what is put in front of the content, from its header */
bool trace_append(const intake *i, buf *out);
fault fields_make(intake *i, buf *out);
