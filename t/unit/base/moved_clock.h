/* A clock that a test moves, in the place of lib/base/clock.c: by moved_s, the wall clock alone. */
#pragma once
#include "base/clock.h"
#include <time.h>

enum { DAY_S = 86400 };

static int64_t moved_s;

static inline uint64_t clock_read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_us(void)
{
    return clock_read_us(CLOCK_REALTIME) + (uint64_t)(moved_s * 1000000);
}

uint64_t clock_s(void)
{
    return clock_us() / 1000000;
}

uint64_t clock_monotonic_ms(void)
{
    return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

/* No process of these tests is short of time. */
uint64_t clock_cpu_us(void)
{
    return 0;
}
