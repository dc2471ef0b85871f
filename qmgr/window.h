/* How many deliveries of a destination run at a time: grows while they succeed, shrinks while the destination fails, and says when
 * it is to be left alone (Postfix's SCHEDULER_README). Runs in: qmgr. A plain value; no memory, no I/O. */
#pragma once
#include "conf/feedback.h"
#include <stdint.h>

typedef struct window_rules {
    uint64_t initial, limit; /* limit 0: none */
    feedback positive, negative;
    uint64_t failed_cohorts; /* so many windows full of failures in a row: it is dead. 0: never */
} window_rules;

typedef struct window {
    uint32_t width;
    double success, failure, cohorts;
} window;

window window_new(const window_rules *r);
void window_success(window *w, const window_rules *r);
bool window_failure(window *w, const window_rules *r); /* true: dead; it begins anew */
