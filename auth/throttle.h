/* Failed logins by source (base/source.h): each makes the next answer slower, and past a limit the source is refused
 * without a look. A name is never counted: nobody can lock its owner out. Bounded. Runs in: auth. The holder owns it:
 * throttle_free. */
#pragma once
#include "base/map.h"
#include "base/source.h"

enum { THROTTLE_SOURCES_MAX = 100000 };

typedef struct throttle_rules {
    uint64_t delay_ms, delay_max_ms; /* of the first failure, doubled with each further one; at most */
    uint64_t limit, window_ms;       /* 0: no limit */
} throttle_rules;

typedef struct throttle {
    throttle_rules rules;
    map sources;
    size_t max;
    uint64_t swept_ms;
} throttle;

throttle throttle_new(throttle_rules rules, size_t max); /* `max` 0: THROTTLE_SOURCES_MAX */
void throttle_free(throttle *t);

/* Whether the source has failed lately; such logins wait behind others. */
bool throttle_is_suspect(const throttle *t, str address, uint64_t now_ms);

/* Whether the source is to be refused without a look. */
bool throttle_is_refused(const throttle *t, str address, uint64_t now_ms);

/* Counts a failure; how long its answer is to wait. */
uint64_t throttle_failed(throttle *t, str address, uint64_t now_ms);

uint64_t throttle_delay(const throttle_rules *r, uint64_t failures); /* for the n-th failure, from 1 */
