/* The parameters as one reader sees them: the defaults, main.cf over them and the -o of one service over both; expanded
 * on demand, each once. The arena of the parsed configuration owns the texts; problems go to its list. scope_close frees
 * the rest. */
#pragma once
#include "base/map.h"
#include "conf/config.h"

typedef enum slot_state { SLOT_NEW, SLOT_BUSY, SLOT_DONE, SLOT_FAILED } slot_state;

typedef struct slot {
    str name, raw; /* as written */
    str file;      /* where it was set; empty: a default */
    unsigned line;
    const parameter *row; /* NULL: a name of the administrator's own */
    bool is_set;          /* by main.cf or -o */
    slot_state state;
    str value; /* expanded */
} slot;

typedef struct scope {
    parsed *parsed;
    const service *over;
    map slots; /* name → slot */
    slot *of[PARAMETER_COUNT];
} scope;

void scope_open(scope *s, parsed *p, const service *over); /* over NULL: main.cf alone */
void scope_close(scope *s);

/* The expanded value; empty, and a problem said, when it has none. */
str scope_value(scope *s, slot *at);
slot *scope_find(const scope *s, str name); /* NULL: not defined */

/* Expands, checks and types every parameter; a bad one gets its default. Names of the administrator's own are expanded
 * too, for the mistakes in them. */
void scope_read(scope *s, config_values *out);

/* A problem with a parameter, said where it was set; with a default, where the service stands. */
void scope_error(scope *s, parameter_index at, const char *format, ...) __attribute__((format(printf, 3, 4)));
void scope_warning(scope *s, parameter_index at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* What an unset myhostname and mydomain mean on a host of this name. */
void host_defaults(str host_name, arena *a, str *out_name, str *out_domain);
