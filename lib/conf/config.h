/* Reads main.cf and master.cf of a folder, whole, with every mistake. Runs in: master and the postrider command; daemons
 * use conf/snapshot.h instead. A parsed configuration owns all that it points to and stays where it is in memory. */
#pragma once
#include "conf/parameters.h"
#include "conf/parser.h"
#include "conf/services.h"

/* One scope: main.cf alone, or with the -o of one service over it. Indexed by parameter_index. */
typedef struct config_values {
    str text[PARAMETER_COUNT]; /* expanded */
    config config;
} config_values;

enum { CONFIG_MEMORY_MAX = 256 * 1024 * 1024 }; /* of all that a parsed configuration owns */

typedef struct parsed {
    arena arena;
    str directory, main_file, master_file;
    settings main;     /* main.cf as written */
    services services; /* master.cf */
    problems problems;
    str host_name, domain; /* what an unset myhostname and mydomain mean here */
    config_values base;
    config_values *of_services; /* one for each of services.rows */
} parsed;

/* Reads `directory`/main.cf and master.cf. True: out->problems has no error and the configuration may be used.
 * parsed_free in either case. */
bool config_load(const char *directory, parsed *out);

/* The same from texts, for tests and fuzzers. `host_name` as gethostname gives it. */
bool config_parse(str directory, str host_name, str main_cf, str master_cf, parsed *out);
void parsed_free(parsed *p);
