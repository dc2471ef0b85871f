/* The cache is written without syncs, so a power cut may leave it broken in a way that only shows when it is read.
 * It is trusted when another process has it open (a shared lock says so), or when it is exactly as it was when the
 * last writer synced it, closed it and noted its transaction's number in cache.mark. Otherwise it is thrown away. */
#include "base/clock.h"
#include "os/fd.h"
#include "os/file.h"
#include "store/internal.h"
#include "store/row.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

enum { CACHE_VERSION = 1, PENDING_BYTES_MAX = 1 << 20 };
#define CACHE_BYTES_MAX ((uint64_t)4 << 30)

typedef struct cache_head {
    uint64_t version, generation; /* generation: of the index that the UIDs are from */
    uint64_t instance;            /* random: this file */
} cache_head;

typedef struct cache_mark {
    uint64_t instance, transaction;
} cache_mark;

/* The lock and the note are one file: bytes of the note, the lock on all of it. */
static bool lock_set(int fd, short kind)
{
    struct flock l = { .l_type = kind, .l_whence = SEEK_SET };
    return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

static cache_mark mark_now(store *s)
{
    MDB_envinfo info;
    bool has_info = mdb_env_info(s->cache.env, &info) == 0;
    return (cache_mark){ s->cache_instance, has_info ? info.me_last_txnid : 0 };
}

static bool mark_is_right(store *s)
{
    cache_mark noted, now = mark_now(s);
    size_t n;
    return file_pread_all(s->cache_lockfd, &noted, sizeof noted, 0, &n) && n == sizeof noted && now.transaction &&
           noted.instance == now.instance && noted.transaction == now.transaction;
}

static void files_remove(store *s)
{
    env_close(&s->cache);
    unlinkat(s->metafd, "cache", 0);
    unlinkat(s->metafd, "cache-lock", 0);
}

static fault head_write(MDB_txn *t, void *context)
{
    store *s = context;
    cache_head h = { CACHE_VERSION, s->generation, 0 };
    key k;
    if (getrandom(&h.instance, sizeof h.instance, 0) < 0)
        h.instance = clock_us();
    s->cache_instance = h.instance;
    return env_fault(&s->cache, row_put(t, key_make(&k, KIND_HEAD, 0, 0, 0), &h, sizeof h), "write");
}

static bool head_is_right(store *s)
{
    MDB_txn *t;
    cache_head h;
    key k;
    str v;
    if (is_fault(env_read(&s->cache, &t)))
        return false;
    bool is_right = row_get(t, key_make(&k, KIND_HEAD, 0, 0, 0), &v) && v.n == sizeof h;
    if (is_right) {
        memcpy(&h, v.p, sizeof h);
        is_right = h.version == CACHE_VERSION && h.generation == s->generation;
        s->cache_instance = h.instance;
    }
    env_read_end(&s->cache);
    return is_right;
}

/* The first to come, alone with the files: keeps them or makes new ones. */
static bool open_first(store *s)
{
    cache_mark noted;
    size_t n; /* without a note the file is not even opened: it may be broken */
    bool is_kept = file_pread_all(s->cache_lockfd, &noted, sizeof noted, 0, &n) && n == sizeof noted &&
                   !is_fault(env_open(&s->cache)) && mark_now(s).transaction == noted.transaction && head_is_right(s) &&
                   mark_is_right(s);
    if (is_kept)
        return true;
    files_remove(s);
    return !is_fault(env_open(&s->cache)) && !is_fault(env_write(&s->cache, head_write, s));
}

static bool open_shared(store *s)
{
    return !is_fault(env_open(&s->cache)) && head_is_right(s);
}

static bool cache_open(store *s)
{
    if (s->cache.env)
        return true;
    if (is_fault(store_index(s)))
        return false;
    s->cache_lockfd = file_open_beneath(s->metafd, "cache.mark", O_RDWR | O_CREAT, MAIL_FILE_MODE);
    bool is_first = s->cache_lockfd >= 0 && lock_set(s->cache_lockfd, F_WRLCK);
    bool done = is_first && open_first(s);
    /* Between the two locks another process may be first as well, and find the same. */
    done = s->cache_lockfd >= 0 && lock_set(s->cache_lockfd, F_RDLCK) && (is_first ? done : open_shared(s));
    s->is_cache_written = is_first && done && !mark_is_right(s);
    if (!done) {
        env_close(&s->cache);
        fd_close(&s->cache_lockfd);
    }
    return done;
}

static void pending_free(store *s)
{
    for (size_t i = 0; i < s->cached.n; i++)
        free(s->cached.p[i].p);
    s->cached.n = 0;
    s->cached_bytes = 0;
}

static MDB_val *blob_key(key *k, uint32_t id, uint32_t uid, char kind)
{
    return key_make(k, KIND_BLOB, id, (uint64_t)uid << 8 | (unsigned char)kind, 5);
}

static fault pending_write(MDB_txn *t, void *context)
{
    store *s = context;
    int result = 0;
    key k;
    for (size_t i = 0; i < s->cached.n && result == 0; i++) {
        const cached *c = &s->cached.p[i];
        result = row_put(t, blob_key(&k, c->id, c->uid, c->kind), c->p, c->n);
    }
    return env_fault(&s->cache, result, "write");
}

static void pending_flush(store *s)
{
    MDB_envinfo info;

    if (s->cached.n == 0 || s->cache.readers)
        return;
    if (cache_open(s)) {
        s->is_cache_written = true;
        bool is_big = mdb_env_info(s->cache.env, &info) == 0 && info.me_last_pgno * 4096 > CACHE_BYTES_MAX;
        if (is_big || is_fault(env_write(&s->cache, pending_write, s)))
            files_remove(s);
    }
    pending_free(s);
}

void mailbox_cache_put(mailbox *m, uint32_t uid, char kind, str bytes)
{
    store *s = m->box.s;
    if (s->cached_bytes + bytes.n > PENDING_BYTES_MAX)
        pending_flush(s);
    if (bytes.n > PENDING_BYTES_MAX)
        return;
    char *copy = memory_get(bytes.n);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    *vec_add(&s->cached) = (cached){ m->box.id, uid, kind, copy, bytes.n };
    s->cached_bytes += bytes.n + sizeof(cached);
}

void mailbox_cache_flush(mailbox *m)
{
    pending_flush(m->box.s);
}

bool mailbox_cache_get(mailbox *m, uint32_t uid, char kind, str *out)
{
    store *s = m->box.s;
    MDB_txn *t;
    key k;

    for (size_t i = s->cached.n; i-- > 0;)
        if (s->cached.p[i].uid == uid && s->cached.p[i].kind == kind && s->cached.p[i].id == m->box.id) {
            *out = (str){ s->cached.p[i].p, s->cached.p[i].n };
            return true;
        }
    if (!cache_open(s))
        return false;
    if (s->cache.readers == 0 && is_fault(env_read(&s->cache, &t)))
        return false;
    return row_get(s->cache.read, blob_key(&k, m->box.id, uid, kind), out);
}

void mailbox_cache_release(mailbox *m)
{
    if (m->box.s->cache.readers)
        env_read_end(&m->box.s->cache);
}

typedef struct forgetting {
    store *s;
    uint32_t id;
    const uid_set *uids;
} forgetting;

/* One range; the views of a found key die with its deletion. */
static int range_forget(MDB_txn *t, uint32_t id, uid_range r)
{
    uint64_t number = (uint64_t)r.first << 8;
    int result = 0;
    str v;

    while (result == 0) {
        key found, again;
        MDB_val *at = key_make(&found, KIND_BLOB, id, number, 5);
        if (!row_get_from(t, at, &v) || !key_is(at, KIND_BLOB, id, 5, &number) || number >> 8 > r.last)
            break;
        result = row_delete(t, key_make(&again, KIND_BLOB, id, number, 5));
    }
    return result;
}

static fault forget_write(MDB_txn *t, void *context)
{
    forgetting *f = context;
    uid_range all = { 0, UINT32_MAX };
    int result = f->uids ? 0 : range_forget(t, f->id, all);

    for (size_t i = 0; f->uids && i < f->uids->n && result == 0; i++)
        result = range_forget(t, f->id, f->uids->p[i]);
    return env_fault(&f->s->cache, result, "write");
}

void cache_forget(store *s, uint32_t id, const uid_set *uids)
{
    for (size_t i = 0; i < s->cached.n; i++)
        if (s->cached.p[i].id == id && (uids == NULL || uid_set_has(uids, s->cached.p[i].uid)))
            s->cached.p[i].id = 0; /* written to nobody's rows */
    bool has_cache = s->cache.env || faccessat(s->metafd, "cache", F_OK, 0) == 0;
    if (s->cache.readers || !has_cache || !cache_open(s))
        return;
    s->is_cache_written = true;
    if (is_fault(env_write(&s->cache, forget_write, &(forgetting){ s, id, uids })))
        files_remove(s);
}

void cache_close(store *s)
{
    pending_flush(s);
    pending_free(s);
    if (s->cache.readers)
        env_read_end(&s->cache);
    if (s->cache.env && s->is_cache_written && !is_fault(env_sync(&s->cache))) {
        cache_mark mark = mark_now(s);
        (void)file_pwrite_all(s->cache_lockfd, (str){ (char *)&mark, sizeof mark }, 0);
    }
    s->is_cache_written = false;
    env_close(&s->cache);
    fd_close(&s->cache_lockfd);
}
