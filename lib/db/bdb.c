/* Berkeley DB 5.3. Each table has a private environment of its own, whose home is a place where no DB_CONFIG can be:
 * without one the library may read DB_CONFIG of the working directory. Files are verified before they are opened, as
 * the library trusts what stands in them, and are not mapped, so that one which is cut short cannot end the process. */
#include "db/table_type.h"

#ifdef POSTRIDER_BDB
#include <db.h>
#include <errno.h>

enum { READ_CACHE_BYTES = 256 * 1024, BUILD_CACHE_BYTES = 32 * 1024 * 1024 };
#define NO_HOME "/dev/null"

typedef struct bdb_state {
    DB_ENV *env;
    DB *db;
    str spec;
    char *value; /* TABLE_VALUE_MAX bytes, once a look-up has needed them */
} bdb_state;

static fault bdb_fault(const char *what, str spec, int error)
{
    return fault_make(FAULT_TRY_LATER, "3.0", "%.*s: %s: %s", STR_ARG(str_upto(spec, 100)), what, db_strerror(error));
}

static void no_words(const DB_ENV *env, const char *prefix, const char *text)
{
    (void)env;
    (void)prefix;
    (void)text;
}

static void no_message(const DB_ENV *env, const char *text)
{
    no_words(env, NULL, text);
}

static int env_open(u_int32_t cache_bytes, DB_ENV **out)
{
    DB_ENV *env;
    int error = db_env_create(&env, 0);
    if (error)
        return error;
    env->set_errcall(env, no_words);
    env->set_msgcall(env, no_message); /* verification prints damaged pages */
    env->set_cachesize(env, 0, cache_bytes, 1);
    error = env->open(env, NO_HOME, DB_CREATE | DB_INIT_MPOOL | DB_PRIVATE, 0);
    if (error)
        env->close(env, 0);
    *out = error ? NULL : env;
    return error;
}

/* Before DB->open: a handle that has verified is used up. */
static int verify(DB_ENV *env, const char *path)
{
    DB *db;
    int error = db_create(&db, env, 0);
    return error ? error : db->verify(db, path, NULL, NULL, 0);
}

static int handle_open(DB_ENV *env, const char *path, DBTYPE type, u_int32_t flags, DB **out)
{
    DB *db;
    int error = db_create(&db, env, 0);
    if (error)
        return error;
    error = db->open(db, NULL, path, NULL, type, flags, 0600);
    if (error)
        db->close(db, DB_NOSYNC);
    *out = error ? NULL : db;
    return error;
}

static fault bdb_open(const table_origin *from, DBTYPE type, void **out)
{
    bdb_state s = { .spec = from->spec };
    int error = env_open(READ_CACHE_BYTES, &s.env);
    if (error)
        return bdb_fault("Berkeley DB does not start", s.spec, error);
    error = verify(s.env, from->path);
    if (error == 0)
        error = handle_open(s.env, from->path, type, DB_RDONLY | DB_NOMMAP, &s.db);
    if (error) {
        s.env->close(s.env, 0);
        return error == EINVAL ? bdb_fault("not a table of this type", s.spec, error)
                               : bdb_fault(error == DB_VERIFY_BAD ? "damaged" : "cannot be opened", s.spec, error);
    }
    bdb_state *kept = memory_get(sizeof *kept);
    *kept = s;
    *out = kept;
    return NO_FAULT;
}

fault bdb_open_hash(const table_origin *from, void **out)
{
    return bdb_open(from, DB_HASH, out);
}

fault bdb_open_btree(const table_origin *from, void **out)
{
    return bdb_open(from, DB_BTREE, out);
}

static DBT dbt(str s)
{
    return (DBT){ .data = (void *)(uintptr_t)s.p, .size = (u_int32_t)s.n };
}

/* Without the NUL that Postfix and Sendmail store. */
static str text_of(const void *p, size_t n)
{
    return (str){ p, strnlen(p, n) };
}

/* Keys stand with a trailing NUL or without, by who made the file: both are tried, as Postfix does. */
table_result bdb_find(void *state, str key, arena *mem, table_answer *out)
{
    bdb_state *s = state;
    str with_nul = arena_copy(mem, key);
    int error = DB_NOTFOUND;

    if (s->value == NULL)
        s->value = memory_resize(NULL, TABLE_VALUE_MAX, 1);
    DBT value = { .data = s->value, .ulen = TABLE_VALUE_MAX, .flags = DB_DBT_USERMEM };
    for (size_t nul = 2; nul-- > 0 && error == DB_NOTFOUND;) {
        DBT k = dbt((str){ with_nul.p, key.n + nul });
        error = s->db->get(s->db, NULL, &k, &value, 0);
    }
    if (error == DB_NOTFOUND)
        return TABLE_ABSENT;
    if (error) {
        out->fault = bdb_fault("cannot be read", s->spec, error);
        return TABLE_FAILED;
    }
    out->value = arena_copy(mem, text_of(value.data, value.size));
    return TABLE_FOUND;
}

void bdb_close(void *state)
{
    bdb_state *s = state;
    s->db->close(s->db, DB_NOSYNC);
    s->env->close(s->env, 0);
    free(s->value);
    free(s);
}

fault bdb_list(void *state, table_each *each, void *context)
{
    bdb_state *s = state;
    DBC *cursor;
    DBT key = { 0 }, value = { 0 };
    bool goes_on = true;
    int error = s->db->cursor(s->db, NULL, &cursor, 0);
    if (error)
        return bdb_fault("cannot be read", s->spec, error);

    while (goes_on && (error = cursor->get(cursor, &key, &value, DB_NEXT)) == 0)
        goes_on = each(context, text_of(key.data, key.size), text_of(value.data, value.size));
    cursor->close(cursor);
    return error && error != DB_NOTFOUND ? bdb_fault("cannot be read", s->spec, error) : NO_FAULT;
}

static int put_all(DB *db, const source_entry *rows, size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && error == 0; i++) {
        /* Entries of a source end in a NUL that n does not count; it is stored, as Debian's postmap does. */
        DBT key = dbt((str){ rows[i].key.p, rows[i].key.n + 1 });
        DBT value = dbt((str){ rows[i].value.p, rows[i].value.n + 1 });
        error = db->put(db, NULL, &key, &value, DB_NOOVERWRITE);
    }
    return error;
}

static fault bdb_build(const char *path, DBTYPE type, const source_entry *rows, size_t n)
{
    DB_ENV *env;
    DB *db;
    int error = env_open(BUILD_CACHE_BYTES, &env);
    if (error)
        return bdb_fault("Berkeley DB does not start", str_c(path), error);

    error = handle_open(env, path, type, DB_CREATE | DB_TRUNCATE, &db);
    if (error == 0) {
        error = put_all(db, rows, n);
        int at_close = db->close(db, 0);
        error = error ? error : at_close;
    }
    env->close(env, 0);
    return error ? bdb_fault("cannot be written", str_c(path), error) : NO_FAULT;
}

fault bdb_build_hash(const char *path, const source_entry *rows, size_t n)
{
    return bdb_build(path, DB_HASH, rows, n);
}

fault bdb_build_btree(const char *path, const source_entry *rows, size_t n)
{
    return bdb_build(path, DB_BTREE, rows, n);
}

#else

static fault without(str spec)
{
    return fault_make(FAULT_REFUSED, "3.5", "%.*s: built without Berkeley DB: use lmdb:", STR_ARG(str_upto(spec, 100)));
}

fault bdb_open_hash(const table_origin *from, void **out)
{
    *out = NULL;
    return without(from->spec);
}

fault bdb_open_btree(const table_origin *from, void **out)
{
    return bdb_open_hash(from, out);
}

table_result bdb_find(void *state, str key, arena *mem, table_answer *out)
{
    (void)state;
    (void)key;
    (void)mem;
    out->fault = without(STR("hash"));
    return TABLE_FAILED;
}

void bdb_close(void *state)
{
    (void)state;
}

fault bdb_list(void *state, table_each *each, void *context)
{
    (void)state;
    (void)each;
    (void)context;
    return without(STR("hash"));
}

fault bdb_build_hash(const char *path, const source_entry *rows, size_t n)
{
    (void)rows;
    (void)n;
    return without(str_c(path));
}

fault bdb_build_btree(const char *path, const source_entry *rows, size_t n)
{
    return bdb_build_hash(path, rows, n);
}
#endif
