#include "store/row.h"

void big_endian(unsigned char *out, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v >>= 8)
        out[i] = (unsigned char)v;
}

uint64_t from_big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

MDB_val *key_make(key *k, enum kind kind, uint32_t id, uint64_t number, size_t number_bytes)
{
    k->bytes[0] = (unsigned char)kind;
    big_endian(k->bytes + 1, id, 4);
    big_endian(k->bytes + 5, number, number_bytes);
    k->val = (MDB_val){ 5 + number_bytes, k->bytes };
    return &k->val;
}

/* Is it a row of this kind and mailbox? */
bool key_is(const MDB_val *val, enum kind kind, uint32_t id, size_t number_bytes, uint64_t *number_out)
{
    const unsigned char *p = val->mv_data;
    if (val->mv_size != 5 + number_bytes || p[0] != kind || from_big_endian(p + 1, 4) != id)
        return false;
    *number_out = from_big_endian(p + 5, number_bytes);
    return true;
}

bool row_get(MDB_txn *t, MDB_val *k, str *out)
{
    MDB_val v;
    if (mdb_get(t, ENV_TABLE, k, &v))
        return false;
    *out = (str){ v.mv_data, v.mv_size };
    return true;
}

int row_put(MDB_txn *t, MDB_val *k, const void *bytes, size_t n)
{
    MDB_val v = { n, (void *)(uintptr_t)bytes };
    return mdb_put(t, ENV_TABLE, k, &v, 0);
}

int row_delete(MDB_txn *t, MDB_val *k)
{
    int result = mdb_del(t, ENV_TABLE, k, NULL);
    return result == MDB_NOTFOUND ? 0 : result;
}

/* The first row at or behind `k`. The cursor is closed again: the views live on with the transaction. */
bool row_get_from(MDB_txn *t, MDB_val *k, str *out)
{
    MDB_cursor *c;
    MDB_val v;
    if (mdb_cursor_open(t, ENV_TABLE, &c))
        return false;
    int result = mdb_cursor_get(c, k, &v, MDB_SET_RANGE);
    mdb_cursor_close(c);
    if (result == 0)
        *out = (str){ v.mv_data, v.mv_size };
    return result == 0;
}

void row_ranges(str v, uid_set *out)
{
    uid_range r;
    out->n = 0;
    for (; v.n >= sizeof r; v = str_from(v, sizeof r)) {
        memcpy(&r, v.p, sizeof r);
        uid_set_add(out, r.first, r.last);
    }
}
