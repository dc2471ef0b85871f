#include "store/index.h"
#include "store/row.h"
#include "store/store.h"

enum { LOG_ROWS_MAX = 1024 };

bool box_writer_open(box_writer *w, MDB_txn *t, uint32_t id)
{
    memset(w, 0, sizeof *w);
    w->txn = t;
    w->id = id;
    return index_box_get(t, id, &w->box, NULL);
}

static void keep(box_writer *w, int result)
{
    if (w->result == 0)
        w->result = result;
}

static bool chunk_is_empty(const box_writer *w)
{
    for (size_t i = 0; i < CHUNK; i++)
        if (w->chunk[i].state)
            return false;
    return true;
}

static void chunk_flush(box_writer *w)
{
    key k;
    if (!w->has_chunk || !w->is_chunk_changed)
        return;
    MDB_val *at = key_make(&k, KIND_CHUNK, w->id, w->chunk_number, 4);
    keep(w, chunk_is_empty(w) ? row_delete(w->txn, at) : row_put(w->txn, at, w->chunk, sizeof w->chunk));
    w->is_chunk_changed = false;
}

static record *slot(box_writer *w, uint32_t uid)
{
    key k;
    str v;
    if (!w->has_chunk || w->chunk_number != uid / CHUNK) {
        chunk_flush(w);
        w->has_chunk = true;
        w->chunk_number = uid / CHUNK;
        if (row_get(w->txn, key_make(&k, KIND_CHUNK, w->id, w->chunk_number, 4), &v) && v.n == sizeof w->chunk)
            memcpy(w->chunk, v.p, sizeof w->chunk);
        else
            memset(w->chunk, 0, sizeof w->chunk);
    }
    return &w->chunk[uid % CHUNK];
}

const record *box_writer_get(box_writer *w, uint32_t uid)
{
    const record *r = slot(w, uid);
    return r->state & RECORD_PRESENT ? r : NULL;
}

static void counters_add(box_state *box, const record *r, uint32_t n)
{
    if (!(r->state & RECORD_PRESENT))
        return;
    box->messages += n;
    box->unseen += r->flags & MESSAGE_SEEN ? 0 : n;
    box->in_new += r->state & RECORD_IN_NEW ? n : 0;
}

static void replace(box_writer *w, uint32_t uid, const record *r)
{
    record *at = slot(w, uid);
    counters_add(&w->box, at, UINT32_MAX); /* minus one */
    *at = *r;
    counters_add(&w->box, at, 1);
    w->is_chunk_changed = w->is_box_changed = true;
}

void box_writer_put(box_writer *w, uint32_t uid, const record *r, bool is_news)
{
    record fresh = *r;
    fresh.state |= RECORD_PRESENT;
    if (is_news) {
        fresh.modseq = w->box.modseq + 1;
        uid_set_add(&w->changed, uid, uid);
    }
    replace(w, uid, &fresh);
}

void box_writer_remove(box_writer *w, uint32_t uid)
{
    static const record none;
    key k;
    if (box_writer_get(w, uid) == NULL)
        return;
    replace(w, uid, &none);
    keep(w, row_delete(w->txn, key_make(&k, KIND_NAME, w->id, uid, 4)));
    uid_set_add(&w->gone, uid, uid);
}

void box_writer_name(box_writer *w, uint32_t uid, str name)
{
    key k;
    keep(w, row_put(w->txn, key_make(&k, KIND_NAME, w->id, uid, 4), name.p, name.n));
}

static void pending_load(box_writer *w)
{
    if (!w->has_pending)
        index_pending_get(w->txn, w->id, &w->pending);
    w->has_pending = true;
}

void box_writer_pending(box_writer *w, uint32_t first, uint32_t last)
{
    pending_load(w);
    uid_set_add(&w->pending, first, last);
}

void box_writer_settled(box_writer *w, const uid_set *done)
{
    pending_load(w);
    uid_set_remove(&w->pending, done);
}

static void pending_flush(box_writer *w)
{
    key k;
    if (!w->has_pending)
        return;
    uid_set_remove(&w->pending, &w->gone);
    MDB_val *at = key_make(&k, KIND_PENDING, w->id, 0, 0);
    keep(w,
         w->pending.n ? row_put(w->txn, at, w->pending.p, w->pending.n * sizeof(uid_range)) : row_delete(w->txn, at));
}

/* One row a transaction, however many messages it changed. Old rows go: who asks for older changes reads all
 * records. */
static void log_flush(box_writer *w)
{
    key k;
    MDB_val v;
    uint32_t count = (uint32_t)w->changed.n;

    if (w->changed.n == 0 && w->gone.n == 0)
        return;
    uid_set_remove(&w->changed, &w->gone);
    count = (uint32_t)w->changed.n;
    w->box.modseq++;
    w->is_box_changed = true;
    v = (MDB_val){ sizeof count + (w->changed.n + w->gone.n) * sizeof(uid_range), NULL };
    int result = mdb_put(w->txn, ENV_TABLE, key_make(&k, KIND_LOG, w->id, w->box.modseq, 8), &v, MDB_RESERVE);
    keep(w, result);
    if (result == 0) {
        char *p = v.mv_data;
        memcpy(p, &count, sizeof count);
        if (w->changed.n)
            memcpy(p + sizeof count, w->changed.p, w->changed.n * sizeof(uid_range));
        if (w->gone.n)
            memcpy(p + sizeof count + w->changed.n * sizeof(uid_range), w->gone.p, w->gone.n * sizeof(uid_range));
    }
    for (; w->box.modseq - w->box.log_floor > LOG_ROWS_MAX; w->box.log_floor++)
        keep(w, row_delete(w->txn, key_make(&k, KIND_LOG, w->id, w->box.log_floor + 1, 8)));
}

static void box_flush(box_writer *w)
{
    char name[1024];
    box_state old;
    str view;
    if (!w->is_box_changed)
        return;
    if (!index_box_get(w->txn, w->id, &old, &view) || view.n > sizeof name) {
        keep(w, MDB_NOTFOUND);
        return;
    }
    memcpy(name, view.p, view.n);
    keep(w, index_box_put(w->txn, w->id, &w->box, (str){ name, view.n }));
}

int box_writer_finish(box_writer *w)
{
    chunk_flush(w);
    pending_flush(w);
    log_flush(w);
    box_flush(w);
    uid_set_free(&w->changed);
    uid_set_free(&w->gone);
    uid_set_free(&w->pending);
    return w->result;
}
