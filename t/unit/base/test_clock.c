/* The clocks agree with the system's and with each other. */
#include "base/clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

static void wall_time_is_the_systems(void **state)
{
    (void)state;
    uint64_t before = (uint64_t)time(NULL);
    uint64_t us = clock_us(), s = clock_s();
    uint64_t after = (uint64_t)time(NULL);
    /* time() may lag one tick behind the precise clock. */
    assert_in_range(us / 1000000, before, after + 1);
    assert_in_range(s, us / 1000000, after + 1);
}

static void monotonic_time_counts_milliseconds_and_never_falls(void **state)
{
    struct timespec t;
    uint64_t last = clock_monotonic_ms();
    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t system = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    assert_in_range(system, last, last + 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_the_systems),
        cmocka_unit_test(monotonic_time_counts_milliseconds_and_never_falls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
