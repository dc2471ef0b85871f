/* The rows behind the filters: which call belongs to which family, and what is denied to everyone. Used by seccomp.c
 * and seccomp_args.c only. Names that an architecture does not have are left out there. */
#pragma once
#include "os/contract.h"
#include "os/filter.h"
#include "os/seccomp.h"
#include <stddef.h>

typedef struct call_row {
    const char *name;
    unsigned families; /* allowed for any of these */
} call_row;

typedef struct soft_row { /* an error instead of death, unless a family allows it */
    const char *name;
    int error;
    bool in_workers_only; /* what worker_confine tries on itself */
} soft_row;

extern const call_row seccomp_calls[];
extern const size_t seccomp_call_count;
extern const soft_row seccomp_soft[];
extern const size_t seccomp_soft_count;
extern const char *const seccomp_denied[];
extern const size_t seccomp_denied_count;

/* Writes the deny-style program for `families` into `out`: its last program and the pids in it. */
fault seccomp_args_compile(const contract *c, unsigned families, const id_ranges *ids, filter *out);
