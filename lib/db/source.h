/* The text that tables are made from: "key value" lines as in access(5), virtual(5), …, and "name: value, …" of
 * aliases(5). Runs in: the postrider command, and whoever opens texthash tables. No I/O. Views point into the arena of
 * the lines. Fails: never as a whole; each mistake becomes a problem with file and line, and reading goes on behind it.
 */
#pragma once
#include "conf/problems.h"

typedef enum source_format { SOURCE_TABLE, SOURCE_ALIASES } source_format;

typedef struct source_entry {
    str key;      /* lower case, quotes taken off */
    str value;
    unsigned line; /* where the entry begins */
} source_entry;

typedef struct source_list {
    VEC(source_entry) rows; /* in order; of a key that stands twice the first only */
} source_list;

/* Reads a whole text; `file` is for the problems. A key that stands twice is a warning. source_free in any case. */
void source_read(str file, str text, source_format format, arena *a, source_list *out, problems *ps);
void source_free(source_list *s);

/* Lower case, ASCII. */
str key_fold(str key, arena *a);
