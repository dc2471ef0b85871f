/* The index: every mailbox's UIDs, flags and file names in one LMDB table, keyed by kind, mailbox and number
 * (STORE.md).
 * Runs in: the mail user's workers. One box_writer changes one mailbox within one transaction; its changes share one
 * MODSEQ.
 * Fails: the writer keeps LMDB's first bad result; box_writer_finish tells it. */
#pragma once
#include "store/env.h"
#include "store/maildir_name.h"
#include "store/uid_set.h"

enum { CHUNK = 120 }; /* records in one value: with LMDB's header just under a page */

enum record_state {
    RECORD_PRESENT = 1,
    RECORD_IN_NEW = 2, /* the file stands in new/ */
};

typedef struct record {
    uint64_t modseq;
    uint32_t keywords;
    uint32_t date_s;     /* 0: not asked for yet */
    uint32_t stored_bytes, wire_bytes; /* SIZE_UNKNOWN: not asked for yet */
    uint16_t flags;      /* message_flag */
    uint16_t state;      /* record_state; 0: no such message */
    uint32_t spare;
} record;
_Static_assert(sizeof(record) == 32, "STORE.md: 32 octets a message");

typedef struct dir_stamp { /* of cur/ or new/ as it was before it was last listed */
    int64_t mtime_ns, ctime_ns;
    uint64_t inode;
    uint64_t is_sure; /* had not changed for 2 s then: an equal stamp means equal content */
} dir_stamp;

typedef struct box_state {
    uint64_t modseq;    /* the highest given */
    uint64_t log_floor; /* changes with a MODSEQ above this stand in the log, if any */
    uint32_t uidvalidity, uidnext;
    uint32_t recent_from; /* messages from here on were shown as \Recent to nobody */
    uint32_t messages, unseen, in_new;
    dir_stamp cur, new;
} box_state;

typedef struct index_head {
    uint32_t version, next_id, last_uidvalidity, spare;
    uint64_t generation; /* random: tells one index from the next, for the cache */
} index_head;

/* Reading; `out` views live as long as the transaction. */
bool index_head_get(MDB_txn *t, index_head *out);
bool index_box_find(MDB_txn *t, str name, uint32_t *id_out);
bool index_box_get(MDB_txn *t, uint32_t id, box_state *out, str *name_out); /* name_out may be NULL */
bool index_record_get(MDB_txn *t, uint32_t id, uint32_t uid, record *out);
bool index_name_get(MDB_txn *t, uint32_t id, uint32_t uid, str *out);
bool index_keywords_get(MDB_txn *t, uint32_t id, str *out); /* names by bit, each ended by LF */
void index_pending_get(MDB_txn *t, uint32_t id, uid_set *out); /* whose files wait for a rename */
bool index_pending_next(MDB_txn *t, uint32_t from_id, uint32_t *id_out); /* a mailbox that has such */

/* The first chunk at or behind `from` (number: uid / CHUNK) that has records. */
bool index_chunk_next(MDB_txn *t, uint32_t id, uint32_t from, uint32_t *number_out, record out[CHUNK]);

/* The log's next row above `modseq`: UIDs that got this MODSEQ, and UIDs that went. Both sets are replaced. */
bool index_log_next(MDB_txn *t, uint32_t id, uint64_t *modseq, uid_set *changed, uid_set *gone);

/* Walks the names of a mailbox: start with *uid = 0. */
bool index_name_next(MDB_cursor *c, uint32_t id, uint32_t *uid, str *out);

/* Writing. */
int index_create(MDB_txn *t); /* the head of a new index */
int index_box_create(MDB_txn *t, str name, uint32_t uidvalidity, uint32_t *id_out); /* 0: the next UIDVALIDITY */
int index_box_put(MDB_txn *t, uint32_t id, const box_state *box, str name);
int index_box_rename(MDB_txn *t, uint32_t id, str to);
int index_box_delete(MDB_txn *t, uint32_t id); /* and all that is of it */
int index_keywords_put(MDB_txn *t, uint32_t id, str names);

typedef struct box_writer {
    MDB_txn *txn;
    uint32_t id, chunk_number;
    int result;
    bool has_chunk, is_chunk_changed, is_box_changed, has_pending;
    box_state box;
    record chunk[CHUNK];
    uid_set changed, gone, pending;
} box_writer;

bool box_writer_open(box_writer *w, MDB_txn *t, uint32_t id); /* false: no such mailbox */
const record *box_writer_get(box_writer *w, uint32_t uid);     /* NULL: none; lives until the next call */
void box_writer_put(box_writer *w, uint32_t uid, const record *r, bool is_news); /* is_news: gets a MODSEQ */
void box_writer_remove(box_writer *w, uint32_t uid);
void box_writer_name(box_writer *w, uint32_t uid, str name);
void box_writer_pending(box_writer *w, uint32_t first, uint32_t last);
void box_writer_settled(box_writer *w, const uid_set *done); /* their files have their names */
int box_writer_finish(box_writer *w); /* also frees */
