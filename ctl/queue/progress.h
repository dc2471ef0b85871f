/* What a person at the terminal sees while much is done, and is asked before something is lost. Runs in: postrider. */
#pragma once
#include "ctl/command.h"

typedef struct progress {
    const char *verb;
    size_t done, total;
    uint64_t shown_ms, began_ms;
    bool is_shown;
} progress;

/* A line that is written over and over, on a terminal and for what takes longer than a moment only. */
progress progress_begin(const char *verb, size_t total);
void progress_add(progress *p, size_t more);
void progress_end(progress *p); /* the line is gone */

/* Asks "what? [y/N]"; true: it is to be done, and *out_status stays. Without a terminal there is nobody to ask: false, EX_USAGE. */
bool confirm(const invocation *in, bool is_sure, int *out_status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
