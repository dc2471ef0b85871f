#include "store/index.h"
#include "base/clock.h"
#include "store/row.h"
#include <sys/random.h>

enum { VERSION = 1 };

bool index_head_get(MDB_txn *t, index_head *out)
{
    key k;
    str v;
    if (!row_get(t, key_make(&k, KIND_HEAD, 0, 0, 0), &v) || v.n != sizeof *out)
        return false;
    memcpy(out, v.p, sizeof *out);
    return out->version == VERSION;
}

static int head_put(MDB_txn *t, const index_head *h)
{
    key k;
    return row_put(t, key_make(&k, KIND_HEAD, 0, 0, 0), h, sizeof *h);
}

int index_create(MDB_txn *t)
{
    index_head h = { .version = VERSION, .next_id = 1 };
    if (getrandom(&h.generation, sizeof h.generation, 0) < 0)
        h.generation = clock_us();
    return head_put(t, &h);
}

typedef struct name_key {
    unsigned char bytes[400];
    MDB_val val;
} name_key;

/* LMDB's keys end at 511 octets, and mailbox names are longer only with a row of their own: the tail is hashed then. */
static MDB_val *name_key_make(name_key *k, str name)
{
    static const uint64_t seed[2] = { 0x706f737472696465, 0x6d61696c626f7865 };
    size_t n = name.n < 380 ? name.n : 380;

    k->bytes[0] = KIND_BY_NAME;
    memcpy(k->bytes + 1, name.p, n);
    k->val = (MDB_val){ 1 + n, k->bytes };
    if (n < name.n) {
        big_endian(k->bytes + 1 + n, name.n, 2);
        for (unsigned i = 0; i < 2; i++) {
            uint64_t hash = 0xcbf29ce484222325 ^ seed[i];
            for (size_t at = n; at < name.n; at++)
                hash = (hash ^ (unsigned char)name.p[at]) * 0x100000001b3;
            big_endian(k->bytes + 3 + n + i * 8, hash, 8);
        }
        k->val.mv_size += 18;
    }
    return &k->val;
}

bool index_box_find(MDB_txn *t, str name, uint32_t *id_out)
{
    name_key k;
    str v;
    if (!row_get(t, name_key_make(&k, name), &v) || v.n != sizeof *id_out)
        return false;
    memcpy(id_out, v.p, sizeof *id_out);
    return true;
}

bool index_box_get(MDB_txn *t, uint32_t id, box_state *out, str *name_out)
{
    key k;
    str v;
    if (!row_get(t, key_make(&k, KIND_BOX, id, 0, 0), &v) || v.n < sizeof *out)
        return false;
    memcpy(out, v.p, sizeof *out);
    if (name_out)
        *name_out = str_from(v, sizeof *out);
    return true;
}

int index_box_put(MDB_txn *t, uint32_t id, const box_state *box, str name)
{
    unsigned char bytes[sizeof *box + 1024];
    key k;
    if (name.n > 1024)
        return MDB_BAD_VALSIZE;
    memcpy(bytes, box, sizeof *box);
    memcpy(bytes + sizeof *box, name.p, name.n);
    return row_put(t, key_make(&k, KIND_BOX, id, 0, 0), bytes, sizeof *box + name.n);
}

int index_box_create(MDB_txn *t, str name, uint32_t uidvalidity, uint32_t *id_out)
{
    name_key k;
    index_head h;

    if (!index_head_get(t, &h))
        return MDB_INVALID;
    if (uidvalidity == 0) {
        uint64_t now = clock_s();
        uidvalidity = now > h.last_uidvalidity && now < UINT32_MAX ? (uint32_t)now : h.last_uidvalidity + 1;
    }
    *id_out = h.next_id++;
    if (h.last_uidvalidity < uidvalidity)
        h.last_uidvalidity = uidvalidity;
    box_state box = { .uidvalidity = uidvalidity, .uidnext = 1, .recent_from = 1, .modseq = 1, .log_floor = 1 };
    int result = head_put(t, &h);
    if (result == 0)
        result = index_box_put(t, *id_out, &box, name);
    if (result == 0)
        result = row_put(t, name_key_make(&k, name), id_out, sizeof *id_out);
    return result;
}

int index_box_rename(MDB_txn *t, uint32_t id, str to)
{
    unsigned char from[1024];
    name_key k;
    box_state box;
    str name;

    if (!index_box_get(t, id, &box, &name) || name.n > sizeof from)
        return MDB_NOTFOUND;
    memcpy(from, name.p, name.n); /* the view dies with the next write */
    int result = row_delete(t, name_key_make(&k, (str){ (char *)from, name.n }));
    if (result == 0)
        result = index_box_put(t, id, &box, to);
    if (result == 0)
        result = row_put(t, name_key_make(&k, to), &id, sizeof id);
    return result;
}

/* All rows of a kind and mailbox. */
static int rows_delete(MDB_txn *t, enum kind kind, uint32_t id)
{
    unsigned char found[16];
    int result = 0;
    str v;

    while (result == 0) {
        key k;
        MDB_val *at = key_make(&k, kind, id, 0, 0);
        if (!row_get_from(t, at, &v) || at->mv_size < 5 || at->mv_size > sizeof found ||
            memcmp(at->mv_data, k.bytes, 5) != 0)
            break;
        memcpy(found, at->mv_data, at->mv_size); /* the view dies with the delete */
        result = row_delete(t, &(MDB_val){ at->mv_size, found });
    }
    return result;
}

int index_box_delete(MDB_txn *t, uint32_t id)
{
    static const enum kind kinds[] = { KIND_CHUNK, KIND_NAME, KIND_LOG, KIND_PENDING, KIND_KEYWORDS };
    name_key by_name;
    box_state box;
    str name;
    key k;

    if (!index_box_get(t, id, &box, &name))
        return 0;
    int result = row_delete(t, name_key_make(&by_name, name));
    for (size_t i = 0; i < COUNT_OF(kinds) && result == 0; i++)
        result = rows_delete(t, kinds[i], id);
    return result ? result : row_delete(t, key_make(&k, KIND_BOX, id, 0, 0));
}

bool index_chunk_next(MDB_txn *t, uint32_t id, uint32_t from, uint32_t *number_out, record out[CHUNK])
{
    key k;
    str v;
    uint64_t number;
    MDB_val *at = key_make(&k, KIND_CHUNK, id, from, 4);
    if (!row_get_from(t, at, &v) || !key_is(at, KIND_CHUNK, id, 4, &number) || v.n != CHUNK * sizeof *out)
        return false;
    memcpy(out, v.p, v.n);
    *number_out = (uint32_t)number;
    return true;
}

bool index_record_get(MDB_txn *t, uint32_t id, uint32_t uid, record *out)
{
    key k;
    str v;
    if (!row_get(t, key_make(&k, KIND_CHUNK, id, uid / CHUNK, 4), &v) || v.n != CHUNK * sizeof *out)
        return false;
    memcpy(out, v.p + uid % CHUNK * sizeof *out, sizeof *out);
    return out->state & RECORD_PRESENT;
}

bool index_name_get(MDB_txn *t, uint32_t id, uint32_t uid, str *out)
{
    key k;
    return row_get(t, key_make(&k, KIND_NAME, id, uid, 4), out);
}

bool index_name_next(MDB_cursor *c, uint32_t id, uint32_t *uid, str *out)
{
    key k;
    MDB_val v, *at = key_make(&k, KIND_NAME, id, 0, 4);
    uint64_t number;
    if (mdb_cursor_get(c, at, &v, *uid ? MDB_NEXT : MDB_SET_RANGE) || !key_is(at, KIND_NAME, id, 4, &number))
        return false;
    *uid = (uint32_t)number;
    *out = (str){ v.mv_data, v.mv_size };
    return true;
}

bool index_keywords_get(MDB_txn *t, uint32_t id, str *out)
{
    key k;
    return row_get(t, key_make(&k, KIND_KEYWORDS, id, 0, 0), out);
}

int index_keywords_put(MDB_txn *t, uint32_t id, str names)
{
    key k;
    return row_put(t, key_make(&k, KIND_KEYWORDS, id, 0, 0), names.p, names.n);
}

void index_pending_get(MDB_txn *t, uint32_t id, uid_set *out)
{
    key k;
    str v = STR_NONE;
    (void)row_get(t, key_make(&k, KIND_PENDING, id, 0, 0), &v);
    row_ranges(v, out);
}

bool index_pending_next(MDB_txn *t, uint32_t from_id, uint32_t *id_out)
{
    key k;
    str v;
    MDB_val *at = key_make(&k, KIND_PENDING, from_id, 0, 0);
    if (!row_get_from(t, at, &v) || at->mv_size != 5 || *(const char *)at->mv_data != KIND_PENDING)
        return false;
    *id_out = (uint32_t)from_big_endian((const unsigned char *)at->mv_data + 1, 4);
    return true;
}

bool index_log_next(MDB_txn *t, uint32_t id, uint64_t *modseq, uid_set *changed, uid_set *gone)
{
    key k;
    str v;
    uint32_t count;
    MDB_val *at = key_make(&k, KIND_LOG, id, *modseq + 1, 8);
    if (!row_get_from(t, at, &v) || !key_is(at, KIND_LOG, id, 8, modseq) || v.n < sizeof count)
        return false;
    memcpy(&count, v.p, sizeof count);
    v = str_from(v, sizeof count);
    row_ranges(str_upto(v, count * sizeof(uid_range)), changed);
    row_ranges(str_from(v, count * sizeof(uid_range)), gone);
    return true;
}
