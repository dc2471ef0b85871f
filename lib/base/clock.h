/* Time. Wall-clock time for what is shown and stored, the monotonic clock for waiting. */
#pragma once
#include <stdint.h>

uint64_t clock_us(void);           /* since 1970, microseconds */
uint64_t clock_s(void);            /* since 1970, seconds */
uint64_t clock_monotonic_ms(void); /* for durations; never jumps */
