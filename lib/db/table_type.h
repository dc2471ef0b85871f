/* The types of tables, one row each. Inside lib/db only. A type's state is what `open` makes and `close` frees. */
#pragma once
#include "db/source.h"
#include "db/table.h"

typedef struct table_origin {
    str spec;         /* "hash:/etc/x", for messages */
    str name;         /* behind the colon */
    const char *path; /* of the file; NULL: none */
    const table_context *context;
} table_origin;

typedef struct table_type {
    str name;
    const char *suffix; /* of the file, behind the name; NULL: the name is no file */
    bool is_pattern;
    fault (*open)(const table_origin *from, void **out);
    table_result (*find)(void *state, str key, arena *mem, table_answer *out);
    void (*close)(void *state);
    fault (*list)(void *state, table_each *each, void *context); /* NULL: cannot be listed */
    fault (*build)(const char *path, const source_entry *rows, size_t n); /* NULL: has no index. The file exists, empty */
} table_type;

extern const table_type table_types_known[];
extern const size_t table_type_count;

const table_type *table_type_find(str name); /* NULL: none */

/* Splits "type:name"; without a type the context's default is used. FAULT_REFUSED when there is no such type. */
fault table_spec_split(str spec, const table_context *context, const table_type **out_type, str *out_name);

/* db/bdb.c */
fault bdb_open_hash(const table_origin *from, void **out);
fault bdb_open_btree(const table_origin *from, void **out);
table_result bdb_find(void *state, str key, arena *mem, table_answer *out);
void bdb_close(void *state);
fault bdb_list(void *state, table_each *each, void *context);
fault bdb_build_hash(const char *path, const source_entry *rows, size_t n);
fault bdb_build_btree(const char *path, const source_entry *rows, size_t n);

/* db/lmdb.c */
fault lmdb_open(const table_origin *from, void **out);
table_result lmdb_find(void *state, str key, arena *mem, table_answer *out);
void lmdb_close(void *state);
fault lmdb_list(void *state, table_each *each, void *context);
fault lmdb_build(const char *path, const source_entry *rows, size_t n);

/* db/text.c */
fault texthash_open(const table_origin *from, void **out);
fault inline_open(const table_origin *from, void **out);
fault static_open(const table_origin *from, void **out);
table_result text_find(void *state, str key, arena *mem, table_answer *out);
table_result static_find(void *state, str key, arena *mem, table_answer *out);
void text_close(void *state);
fault text_list(void *state, table_each *each, void *context);

/* db/cidr.c */
fault cidr_open(const table_origin *from, void **out);
table_result cidr_find(void *state, str key, arena *mem, table_answer *out);
void cidr_close(void *state);

/* db/pcre.c */
fault pcre_open(const table_origin *from, void **out);
table_result pcre_find(void *state, str key, arena *mem, table_answer *out);
fault pcre_list(void *state, table_each *each, void *context); /* patterns as keys */
void pcre_close(void *state);
