/* LMDB, one file, read without its lock file as Postfix does. A file that is shorter than its own record says is
 * refused at opening: a look-up in it would end the process. The read transaction is reset between look-ups, so that
 * nothing is pinned. */
#include "db/table_type.h"
#include <lmdb.h>
#include <sys/stat.h>

enum { MAP_BYTES_LEAST = 1024 * 1024, BYTES_PER_ENTRY = 64 };

typedef struct lmdb_state {
    MDB_env *env;
    MDB_txn *txn; /* reset: renewed for each look-up */
    MDB_dbi dbi;
    str spec;
} lmdb_state;

static fault lmdb_fault(const char *what, str spec, int error)
{
    return fault_make(FAULT_TRY_LATER, "3.0", "%.*s: %s: %s", STR_ARG(str_upto(spec, 100)), what, mdb_strerror(error));
}

static bool is_whole(MDB_env *env, const char *path)
{
    MDB_envinfo info;
    MDB_stat stat_of_env;
    struct stat st;

    if (mdb_env_info(env, &info) || mdb_env_stat(env, &stat_of_env) || stat(path, &st))
        return false;
    return (uint64_t)st.st_size / stat_of_env.ms_psize > info.me_last_pgno;
}

static int reader_start(lmdb_state *s, const char *path)
{
    int error = mdb_env_open(s->env, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0);
    if (error)
        return error;
    if (!is_whole(s->env, path))
        return MDB_CORRUPTED;
    error = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &s->txn);
    if (error)
        return error;
    error = mdb_dbi_open(s->txn, NULL, 0, &s->dbi);
    mdb_txn_reset(s->txn);
    return error;
}

fault lmdb_open(const table_origin *from, void **out)
{
    lmdb_state *s = memory_get(sizeof *s);
    s->spec = from->spec;
    int error = mdb_env_create(&s->env);
    if (error == 0)
        error = reader_start(s, from->path);
    if (error) {
        lmdb_close(s);
        return lmdb_fault("cannot be opened", from->spec, error);
    }
    *out = s;
    return NO_FAULT;
}

static MDB_val val(const char *p, size_t n)
{
    return (MDB_val){ .mv_data = (void *)(uintptr_t)p, .mv_size = n };
}

static str text_of(MDB_val v)
{
    return (str){ v.mv_data, strnlen(v.mv_data, v.mv_size) };
}

static table_result look(lmdb_state *s, str key, arena *mem, table_answer *out)
{
    str with_nul = arena_copy(mem, key);
    size_t longest = (size_t)mdb_env_get_maxkeysize(s->env);
    int error = MDB_NOTFOUND;
    MDB_val value;

    for (size_t nul = 2; nul-- > 0 && error == MDB_NOTFOUND;) {
        MDB_val k = val(with_nul.p, key.n + nul);
        if (k.mv_size <= longest)
            error = mdb_get(s->txn, s->dbi, &k, &value);
    }
    if (error == MDB_NOTFOUND)
        return TABLE_ABSENT;
    if (error) {
        out->fault = lmdb_fault("cannot be read", s->spec, error);
        return TABLE_FAILED;
    }
    out->value = arena_copy(mem, text_of(value));
    return TABLE_FOUND;
}

table_result lmdb_find(void *state, str key, arena *mem, table_answer *out)
{
    lmdb_state *s = state;
    int error = mdb_txn_renew(s->txn);
    if (error) {
        out->fault = lmdb_fault("cannot be read", s->spec, error);
        return TABLE_FAILED;
    }
    table_result r = look(s, key, mem, out);
    mdb_txn_reset(s->txn);
    return r;
}

void lmdb_close(void *state)
{
    lmdb_state *s = state;
    if (s->txn)
        mdb_txn_abort(s->txn);
    if (s->env)
        mdb_env_close(s->env);
    free(s);
}

fault lmdb_list(void *state, table_each *each, void *context)
{
    lmdb_state *s = state;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    bool goes_on = true;
    int error = mdb_txn_renew(s->txn);
    if (error)
        return lmdb_fault("cannot be read", s->spec, error);

    error = mdb_cursor_open(s->txn, s->dbi, &cursor);
    while (error == 0 && goes_on && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        goes_on = each(context, text_of(key), text_of(value));
    if (cursor)
        mdb_cursor_close(cursor);
    mdb_txn_reset(s->txn);
    return error && error != MDB_NOTFOUND ? lmdb_fault("cannot be read", s->spec, error) : NO_FAULT;
}

static size_t map_bytes(const source_entry *rows, size_t n)
{
    size_t bytes = MAP_BYTES_LEAST;

    /* Pages fill by half at worst; a value over half a page has pages of its own. */
    for (size_t i = 0; i < n; i++)
        bytes += 3 * (rows[i].key.n + rows[i].value.n + BYTES_PER_ENTRY) + (rows[i].value.n > 1000 ? 8192 : 0);
    return (bytes + 4095) & ~(size_t)4095;
}

static int put_all(MDB_env *env, const source_entry *rows, size_t n)
{
    MDB_txn *txn;
    MDB_dbi dbi;
    int error = mdb_txn_begin(env, NULL, 0, &txn);
    if (error)
        return error;
    error = mdb_dbi_open(txn, NULL, 0, &dbi);
    for (size_t i = 0; i < n && error == 0; i++) {
        MDB_val key = val(rows[i].key.p, rows[i].key.n + 1), value = val(rows[i].value.p, rows[i].value.n + 1);
        error = mdb_put(txn, dbi, &key, &value, MDB_NOOVERWRITE);
    }
    if (error == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

fault lmdb_build(const char *path, const source_entry *rows, size_t n)
{
    MDB_env *env;
    int error = mdb_env_create(&env);
    if (error)
        return lmdb_fault("LMDB does not start", str_c(path), error);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].key.n + 1 > (size_t)mdb_env_get_maxkeysize(env)) {
            mdb_env_close(env);
            return fault_make(FAULT_REFUSED, "3.5", "line %u: keys of lmdb tables have 510 bytes at most",
                              rows[i].line);
        }
    }
    error = mdb_env_set_mapsize(env, map_bytes(rows, n));
    if (error == 0)
        error = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC, 0600);
    if (error == 0)
        error = put_all(env, rows, n);
    mdb_env_close(env);
    return error ? lmdb_fault("cannot be written", str_c(path), error) : NO_FAULT;
}
