#include "store/env.h"
#include "base/log.h"
#include "os/fd.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAP_BYTES_FIRST ((size_t)16 << 20)
#define MAP_BYTES_MAX ((size_t)1 << 38)
enum { READERS_MAX = 16, LOCK_BYTES = 4096 };

static bool is_damage(int result)
{
    return result == MDB_CORRUPTED || result == MDB_PAGE_NOTFOUND || result == MDB_INVALID ||
           result == MDB_VERSION_MISMATCH || result == MDB_BAD_TXN || result == MDB_BAD_VALSIZE;
}

fault env_fault(env *e, int result, const char *what)
{
    if (result == MDB_SUCCESS)
        return NO_FAULT;
    if (result == MDB_MAP_FULL)
        e->is_full = true;
    if (is_damage(result))
        e->is_damaged = true;
    if (result > 0) {
        errno = result;
        return fault_errno("cannot %s the mail %s", what, e->file);
    }
    return fault_make(FAULT_TRY_LATER, "3.0", "cannot %s the mail %s: %s", what, e->file, mdb_strerror(result));
}

/* LMDB takes a path only, and in a chroot there is no /proc to name a descriptor by. */
static int open_in_folder(env *e)
{
    int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fchdir(e->dirfd) != 0) {
        fd_close(&here);
        return errno;
    }
    int result = mdb_env_open(e->env, e->file, e->flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (here >= 0 && fchdir(here) != 0)
        result = result ? result : errno;
    fd_close(&here);
    return result;
}

/* Neither of LMDB's two files may be a link or anything else than a file. */
static int files_check(env *e)
{
    char lock[32];
    snprintf(lock, sizeof lock, "%s-lock", e->file);
    const char *names[] = { e->file, lock };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        int fd = file_open_beneath(e->dirfd, names[i], O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0 && errno != ENOENT)
            return errno;
        fd_close(&fd);
    }
    return 0;
}

/* LMDB maps this file and writes through the map: a disk that is full must say so here, not by SIGBUS there. */
static int lock_allocate(env *e)
{
    char lock[32];
    snprintf(lock, sizeof lock, "%s-lock", e->file);
    int fd = file_open_beneath(e->dirfd, lock, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int result = posix_fallocate(fd, 0, LOCK_BYTES);
    fd_close(&fd);
    return result;
}

static int read_begin(env *e)
{
    return e->read ? mdb_txn_renew(e->read) : mdb_txn_begin(e->env, NULL, MDB_RDONLY, &e->read);
}

/* Takes the reader's slot that is kept, and lets LMDB set up the order of the unnamed table. */
static int table_open(env *e)
{
    MDB_dbi table;
    int result = read_begin(e);
    if (result == MDB_MAP_RESIZED) {
        mdb_env_set_mapsize(e->env, 0);
        result = read_begin(e);
    }
    if (result)
        return result;
    result = mdb_dbi_open(e->read, NULL, 0, &table);
    mdb_txn_reset(e->read);
    return result;
}

fault env_open(env *e)
{
    int dead;

    if (e->env)
        return NO_FAULT;
    int result = files_check(e);
    if (result == 0)
        result = lock_allocate(e);
    if (result == 0)
        result = mdb_env_create(&e->env);
    if (result == 0)
        result = mdb_env_set_maxreaders(e->env, READERS_MAX);
    if (result == 0)
        result = mdb_env_set_mapsize(e->env, MAP_BYTES_FIRST);
    if (result == 0)
        result = open_in_folder(e);
    if (result == 0)
        result = mdb_reader_check(e->env, &dead); /* a dead reader's slot would keep pages from being used again */
    if (result == 0)
        result = table_open(e);
    if (result)
        env_close(e);
    return env_fault(e, result, "open");
}

void env_close(env *e)
{
    if (e->read)
        mdb_txn_abort(e->read);
    if (e->env)
        mdb_env_close(e->env);
    e->env = NULL;
    e->read = NULL;
    e->readers = 0;
}

void env_set_aside(env *e)
{
    char name[32];

    env_close(e);
    e->is_damaged = false;
    snprintf(name, sizeof name, "%s.damaged", e->file);
    renameat(e->dirfd, e->file, e->dirfd, name);
    snprintf(name, sizeof name, "%s-lock", e->file);
    unlinkat(e->dirfd, name, 0);
    log_event(LOG_WARNING, "set-aside", LOG_C("file", e->file));
}

fault env_read(env *e, MDB_txn **out)
{
    int dead;
    fault f = env_open(e);
    if (is_fault(f))
        return f;
    if (e->readers == 0) {
        int result = read_begin(e);
        if (result == MDB_MAP_RESIZED) { /* another process grew it */
            mdb_env_set_mapsize(e->env, 0);
            result = read_begin(e);
        } else if (result == MDB_READERS_FULL) {
            mdb_reader_check(e->env, &dead);
            result = read_begin(e);
        }
        if (result) {
            f = env_fault(e, result, "read");
            env_close(e);
            return f;
        }
    }
    e->readers++;
    *out = e->read;
    return NO_FAULT;
}

void env_read_end(env *e)
{
    if (e->readers && --e->readers == 0)
        mdb_txn_reset(e->read);
}

static int grow(env *e)
{
    MDB_envinfo info;
    int result = mdb_env_info(e->env, &info);
    if (result)
        return result;
    if (info.me_mapsize >= MAP_BYTES_MAX)
        return MDB_MAP_FULL;
    return mdb_env_set_mapsize(e->env, info.me_mapsize * 2);
}

static int write_begin(env *e, MDB_txn **out)
{
    int result = mdb_txn_begin(e->env, NULL, 0, out);
    if (result != MDB_MAP_RESIZED)
        return result;
    mdb_env_set_mapsize(e->env, 0);
    return mdb_txn_begin(e->env, NULL, 0, out);
}

/* One try; is_full asks for another. */
static fault write_once(env *e, fault (*write)(MDB_txn *txn, void *context), void *context)
{
    MDB_txn *txn;
    fault f = env_fault(e, write_begin(e, &txn), "write");
    if (is_fault(f)) {
        env_close(e);
        return f;
    }
    f = write(txn, context);
    if (is_fault(f)) {
        mdb_txn_abort(txn);
        return f;
    }
    f = env_fault(e, mdb_txn_commit(txn), "write");
    if (is_fault(f) && !e->is_full)
        env_close(e);
    return f;
}

fault env_write(env *e, fault (*write)(MDB_txn *txn, void *context), void *context)
{
    for (;;) {
        fault f = env_open(e);
        if (is_fault(f))
            return f;
        if (e->readers)
            return fault_make(FAULT_BUG, "3.0", "a write to the mail %s within a read", e->file);
        e->is_full = false;
        f = write_once(e, write, context);
        if (!e->is_full)
            return f;
        f = env_fault(e, e->env ? grow(e) : 0, "grow");
        if (is_fault(f))
            return f;
    }
}

fault env_sync(env *e)
{
    if (e->env == NULL)
        return e->is_unsynced ? fault_make(FAULT_TRY_LATER, "3.0", "the mail %s is not durable", e->file) : NO_FAULT;
    fault f = env_fault(e, mdb_env_sync(e->env, 1), "sync");
    e->is_unsynced = is_fault(f);
    if (is_fault(f))
        env_close(e);
    return f;
}
