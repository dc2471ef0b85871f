/* Lists of domains or networks as mydestination, relay_domains and mynetworks have them: words, "!word", "/file" with
 * more of them, "!/file", type:name tables. The first that fits decides. Runs in: policy, cleanup, the postrider command.
 * The list owns its memory but not its tables. Fails: problems, with file and line of what stands in a file. */
#pragma once
#include "base/vec.h"
#include "conf/networks.h"
#include "conf/problems.h"
#include "db/table.h"

typedef enum pattern_kind { PATTERN_DOMAINS, PATTERN_NETWORKS } pattern_kind;

typedef struct pattern {
    bool is_excluded;
    str text;
    table *table;    /* NULL: text, or the network */
    network network;
} pattern;

typedef struct patterns {
    arena arena;
    pattern_kind kind;
    bool has_subdomains; /* a domain stands for those below it too */
    VEC(pattern) rows;
} patterns;

typedef enum match_result { MATCH_NO, MATCH_YES, MATCH_FAILED } match_result;

/* Appends the words of `value`; `where` is in front of each problem. */
void patterns_read(str where, str value, table_pool *pool, patterns *out, problems *ps);
void patterns_free(patterns *p);

/* Whether a domain (lower case) or an address is in the list. MATCH_FAILED: a table failed before anything fitted. */
match_result patterns_match(const patterns *p, str subject, arena *mem, fault *out_fault);

/* Opens a table for `where`: an unknown type or bad name is an error, one that cannot be opened now a warning. NULL:
 * error. */
table *rule_table(str where, str spec, table_pool *pool, problems *ps);
