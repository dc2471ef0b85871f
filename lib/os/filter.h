/* Compiled system-call filters as bytes: loaded here or handed to a worker, which needs no libseccomp for it.
 * Runs in: every daemon and worker. The holder owns the programs (filter_free). */
#pragma once
#include "base/fault.h"
#include <linux/filter.h>

enum { FILTER_PROGRAMS = 2, FILTER_INSTRUCTIONS_MAX = 4096, FILTER_PIDS_MAX = 8 };

typedef struct filter {
    struct sock_filter *programs[FILTER_PROGRAMS]; /* the list (may be empty), the checks of arguments */
    uint16_t counts[FILTER_PROGRAMS];
    uint16_t pids[FILTER_PIDS_MAX]; /* instructions of the last program whose constant becomes the loader's pid */
    uint16_t pid_count;
} filter;

void filter_free(filter *f);

/* Loads all programs into the calling thread, for good; no_new_privs must be set. Async-signal-safe.
 * False: errno says why. */
bool filter_load(const filter *f);

/* A copy that decides the same, but hands what `f` kills for to a handler of SIGSYS. */
filter filter_trapping(const filter *f);

/* As a sealed memory file (os/fd.h), and back. Reading checks every length. */
fault filter_write(const filter *f, const char *name, int *out_fd);
fault filter_read(int fd, filter *out);
