/* Look-up tables, named type:name as Postfix names them. Runs in: policy, local, the postrider command. One row per
 * type stands in db/table_type.c. A table that is replaced on disk is opened again by itself, at most once a second.
 * The caller owns the table; answers live in the caller's arena. Fails: TABLE_FAILED with a fault that is always
 * FAULT_TRY_LATER, so that a missing or damaged table never refuses or accepts mail. */
#pragma once
#include "base/arena.h"
#include "base/fault.h"
#include "base/vec.h"
#include <sys/types.h>

enum { TABLE_KEY_MAX = 4096, TABLE_VALUE_MAX = 256 * 1024, TABLE_FILE_MAX = 256 * 1024 * 1024 };

/* How tables are opened; must outlive them. Zeroed is right for most. */
typedef struct table_context {
    str default_type; /* of names without one; empty: a type must be named */
    str root;         /* this process's root directory: names below it are opened without it, others are not opened
                         again. Set it when the process has been confined; empty: names are as they are */
    bool is_alias;    /* text is in the format of aliases(5), and patterns may not substitute into results */
} table_context;

typedef struct table table;

typedef enum table_result { TABLE_FOUND, TABLE_ABSENT, TABLE_FAILED } table_result;

typedef struct table_answer {
    str value;
    unsigned line; /* of the source; 0: not known, as for indexed tables */
    fault fault;   /* with TABLE_FAILED */
} table_answer;

/* Opens "type:name"; a name that is a file is an absolute path. FAULT_REFUSED: no such type or not a right name; *out
 * is NULL. FAULT_TRY_LATER: missing, unreadable or damaged; *out is a table all the same, and fails until it can be
 * opened. */
fault table_open(str spec, const table_context *context, table **out);
void table_close(table *t); /* NULL is fine */

/* Keys are folded to lower case, except for patterns. A key over TABLE_KEY_MAX is absent. */
table_result table_find(table *t, str key, arena *mem, table_answer *out);

/* As table_find for a text that is no key: of any length and any bytes, and as it is (a line of a message). Tables of other types
 * than patterns find what table_find finds. */
table_result table_match(table *t, str text, arena *mem, table_answer *out);

/* Whether the file was replaced or changed since it was opened; looks now. table_find does this by itself once a
 * second. */
bool table_changed(table *t);
fault table_reopen(table *t);

/* Calls `each` for all entries in any order, until it returns false. FAULT_REFUSED for types that cannot be listed. */
typedef bool table_each(void *context, str key, str value);
fault table_list(table *t, table_each *each, void *context);

str table_name(const table *t);        /* "hash:/etc/postrider/access" */
const char *table_path(const table *t); /* of the file that is opened, with its suffix; NULL: none */
bool table_owner(const table *t, uid_t *out); /* who owns that file, as it was when it was opened. False: there is none */
bool table_is_pattern(const table *t); /* cidr, pcre: whole keys only, never parts of an address or name */

/* Tables opened once each, however many rules name them. The holder owns them: table_pool_free. */
typedef struct table_pool {
    const table_context *context;
    VEC(table *) tables;
} table_pool;

/* As table_open, but the pool owns *out. */
fault table_pool_open(table_pool *pool, str spec, table **out);
table *table_pool_get(const table_pool *pool, str spec); /* NULL: not opened */
void table_pool_free(table_pool *pool);

/* As list_next, but braces hold a word together wherever they stand: inline:{a=b, c=d}. For lists in which tables
 * stand. */
bool table_word_next(str *rest, str *out);

/* The known types, for messages: "hash, btree, lmdb, …". */
str table_types(arena *mem);
