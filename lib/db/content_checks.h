/* header_checks(5): tables of patterns for the lines of a message, and the actions that their results ask for. Runs in: cleanup,
 * and the postrider command, which says what is wrong with them. The holder owns tables and lists: content_checks_free. What a
 * check found lives in the caller's arena. Fails: FAULT_TRY_LATER when a table did not open or a pattern takes too long. */
#pragma once
#include "conf/parameters.h"
#include "conf/problems.h"
#include "db/table.h"

typedef enum check_kind { CHECKS_HEADER, CHECKS_MIME, CHECKS_NESTED, CHECKS_BODY, CHECK_KINDS } check_kind;

typedef enum check_verb {
    CHECK_DUNNO, /* the next line */
    CHECK_BCC,
    CHECK_DISCARD,
    CHECK_FILTER, /* not supported yet */
    CHECK_HOLD,
    CHECK_IGNORE, /* the line goes */
    CHECK_INFO,
    CHECK_PASS, /* nothing more of this message is checked */
    CHECK_PREPEND,
    CHECK_REDIRECT,
    CHECK_REJECT,
    CHECK_REPLACE,
    CHECK_STRIP, /* the line goes, with a word in the log */
    CHECK_WARN,
    CHECK_UNKNOWN,
} check_verb;

typedef struct check_action {
    check_verb verb;
    str name; /* as written */
    str text; /* behind it; may be empty */
    str table;
    unsigned line; /* of its source; 0: not known */
} check_action;

typedef struct content_checks {
    table_context context;
    table_pool pool;
    VEC(table *) lists[CHECK_KINDS];
} content_checks;

/* Opens what the four parameters name. Mistakes are in *ps: tables that do not open, types that have to be looked into by name,
 * actions that do not exist or lack their text. A table that does not open fails all the same when it is looked into. The struct
 * stays where it is. */
void content_checks_open(const config *c, content_checks *out, problems *ps);
void content_checks_free(content_checks *cs);

/* True: an entry fits, *out has its action. False: none does; or, with *out_fault set, it cannot be told. */
bool content_check(const content_checks *cs, check_kind kind, str text, arena *mem, check_action *out, fault *out_fault);

check_action check_action_read(str value);
