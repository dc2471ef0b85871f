/* Time. Wall-clock time for what is shown and stored, the monotonic clock for waiting, CPU time for the load. */
#pragma once
#include <stdint.h>

uint64_t clock_us(void);           /* since 1970, microseconds */
uint64_t clock_s(void);            /* since 1970, seconds */
uint64_t clock_monotonic_ms(void); /* for durations; never jumps */
uint64_t clock_cpu_us(void);       /* that this process has used; a system call, unlike the others */
