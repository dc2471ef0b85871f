/* Tables that are lists of rules: cidr and pcre. Their text has "pattern result" lines, of which the first that fits
 * answers, and "if pattern … endif" around others. Inside lib/db only. */
#pragma once
#include "base/vec.h"
#include "db/table_type.h"

enum { RULE_NESTING_MAX = 100 };

typedef enum rule_kind { RULE_RESULT, RULE_IF, RULE_ENDIF } rule_kind;

typedef struct rule {
    rule_kind kind;
    bool is_negated;
    str pattern; /* without '!' */
    str result;
    unsigned line;
    size_t behind; /* RULE_IF: index of its endif */
} rule;

typedef struct rules {
    arena arena;
    VEC(rule) rows;
} rules;

/* The length of the pattern that a line begins with, '!' not counted; 0: there is none. */
typedef size_t rule_pattern_length(str line);

/* Reads the file. The fault names file and line of the first mistake. rules_free in any case. */
fault rules_load(const table_origin *from, rule_pattern_length *length, rules *out);
void rules_free(rules *rs);

fault rule_fault(const table_origin *from, unsigned line, const char *wrong);
