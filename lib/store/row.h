/* Rows of the index and the cache: a key is kind, mailbox, number, so that a mailbox's rows of a kind lie together,
 * in order.
 * Runs in: the mail user's workers. Views live until the transaction ends or writes. */
#pragma once
#include "store/env.h"
#include "store/uid_set.h"

enum kind {
    KIND_HEAD = 'a',     /* -> index_head */
    KIND_BOX = 'b',      /* id -> box_state, name */
    KIND_BY_NAME = 'm',  /* name -> id; the name is hashed when it is too long for a key */
    KIND_CHUNK = 'r',    /* id, uid / CHUNK -> records */
    KIND_NAME = 'n',     /* id, uid -> file name as last seen */
    KIND_LOG = 'c',      /* id, modseq -> count of changed ranges, changed ranges, gone ranges */
    KIND_PENDING = 'p',  /* id -> ranges */
    KIND_KEYWORDS = 'k', /* id -> names */
    KIND_BLOB = 'x',     /* the cache: id, uid, kind -> bytes */
};

typedef struct key {
    unsigned char bytes[16];
    MDB_val val;
} key;

void big_endian(unsigned char *out, uint64_t v, size_t n); /* keys sort by number */
uint64_t from_big_endian(const unsigned char *p, size_t n);

MDB_val *key_make(key *k, enum kind kind, uint32_t id, uint64_t number, size_t number_bytes);
bool key_is(const MDB_val *val, enum kind kind, uint32_t id, size_t number_bytes, uint64_t *number_out);

bool row_get(MDB_txn *t, MDB_val *k, str *out);
bool row_get_from(MDB_txn *t, MDB_val *k, str *out); /* the first row at or behind k; sets *k */
int row_put(MDB_txn *t, MDB_val *k, const void *bytes, size_t n);
int row_delete(MDB_txn *t, MDB_val *k); /* 0 also when there is none */
void row_ranges(str v, uid_set *out);   /* a value that is uid_ranges; replaces *out */
