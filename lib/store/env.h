/* An LMDB environment with one unnamed table, opened beneath a folder, closed while idle, its map grown as needed.
 * Runs in: the mail user's workers. Never MDB_WRITEMAP; no read transaction outlives a call of the store (but the
 * cache's). Any failed commit closes the environment: the next call starts from what the disk has.
 * Fails: FAULT_TRY_LATER; is_damaged is set when the file is no environment, or a broken one: env_set_aside then. */
#pragma once
#include "base/fault.h"
#include <lmdb.h>

typedef struct env {
    const char *file; /* in the folder dirfd; static */
    int dirfd;        /* the holder's */
    unsigned flags;   /* MDB_NOMETASYNC or MDB_NOSYNC */
    MDB_env *env;     /* NULL: closed */
    MDB_txn *read;    /* kept for renewal */
    unsigned readers; /* nested env_read calls */
    bool is_full, is_damaged, is_unsynced;
} env;

enum { ENV_TABLE = 1 }; /* LMDB's handle of the unnamed table: the same in every environment and process */

fault env_open(env *e); /* no-op when open */
void env_close(env *e);
void env_set_aside(env *e); /* closes; the file becomes FILE.damaged */

/* A snapshot; pairs may be nested, and all see the outermost one's. */
fault env_read(env *e, MDB_txn **out);
void env_read_end(env *e);

/* Runs `write` in a transaction and commits it; runs it again from the start with a larger map when the map was
 * full, so it must start afresh each time. A fault from it aborts. `write` turns LMDB's results into faults by
 * env_fault. */
fault env_write(env *e, fault (*write)(MDB_txn *txn, void *context), void *context);
fault env_fault(env *e, int result, const char *what); /* NO_FAULT for MDB_SUCCESS */

/* After this the commits so far outlive a power cut (with MDB_NOMETASYNC the last one may not). */
fault env_sync(env *e);
