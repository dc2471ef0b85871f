/* Reads main.cf and master.cf of a folder, whole, with every mistake; lists parameters, and edits main.cf. Runs in: master and
 * the postrider command. A parsed configuration owns all that it points to. Daemons use conf/snapshot.h instead. */
#pragma once
#include "base/buf.h"
#include "conf/parameters.h"
#include "conf/parser.h"
#include "conf/services.h"

/* One scope: main.cf alone, or with the -o of one service over it. Indexed by parameter_index. */
typedef struct config_values {
    str text[PARAMETER_COUNT]; /* expanded */
    config config;
} config_values;

typedef struct parsed {
    arena arena;
    str directory, main_file, master_file;
    settings main;           /* main.cf as written */
    services services;       /* master.cf */
    problems problems;
    str host_name, domain;   /* what an unset myhostname and mydomain mean here */
    config_values base;
    config_values *of_services; /* one for each of services.rows */
} parsed;

/* Reads `directory`/main.cf and master.cf. True: out->problems has no error and the configuration may be used.
 * parsed_free in either case. */
bool config_load(const char *directory, parsed *out);

/* The same from texts, for tests and fuzzers. `host_name` as gethostname gives it. */
bool config_parse(str directory, str host_name, str main_cf, str master_cf, parsed *out);
void parsed_free(parsed *p);

typedef enum config_list_kind {
    LIST_ALL,      /* every parameter as it is in effect, not expanded: postconf */
    LIST_SET,      /* those that main.cf sets: postconf -n */
    LIST_DEFAULTS, /* the defaults: postconf -d */
    LIST_EXPANDED, /* every parameter as it is in effect, expanded: postconf -x */
} config_list_kind;

/* Appends lines "name = value", sorted; of the parameters `names` only when name_count is not 0.
 * FAULT_REFUSED: a name is not known. */
fault config_list(const parsed *p, config_list_kind kind, const str *names, size_t name_count, buf *out);

/* The same for one value, without its name: postconf -h. */
fault config_value(const parsed *p, config_list_kind kind, str name, buf *out);

/* Sets name = value in the file, in place of its last definition or at the end; comments and order stay. The file is replaced
 * durably and at once. FAULT_REFUSED: no such parameter, or a value out of its range. */
fault config_set(const char *file, str name, str value);

/* The same on a text: appends the edited main.cf to *out. */
fault config_edit(str main_cf, str name, str value, buf *out);
