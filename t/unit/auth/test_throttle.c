/* SOURCES: auth/throttle.c  NEEDS: base */
#include "auth/throttle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const throttle_rules rules = { .delay_ms = 2000, .delay_max_ms = 15000, .limit = 5, .window_ms = 600000 };

static void delays_double_up_to_the_most(void **state)
{
    const throttle_rules none = { 0 };
    (void)state;
    assert_int_equal(throttle_delay(&rules, 1), 2000);
    assert_int_equal(throttle_delay(&rules, 2), 4000);
    assert_int_equal(throttle_delay(&rules, 3), 8000);
    assert_int_equal(throttle_delay(&rules, 4), 15000);
    assert_int_equal(throttle_delay(&rules, UINT64_MAX), 15000);
    assert_int_equal(throttle_delay(&none, UINT64_MAX), 0);
}

static void fail_times(throttle *t, const char *address, unsigned n, uint64_t now_ms)
{
    while (n-- > 0)
        throttle_failed(t, str_c(address), now_ms);
}

static void a_source_is_refused_and_forgiven_with_time(void **state)
{
    throttle t = throttle_new(rules, 0);
    (void)state;
    fail_times(&t, "192.0.2.1", 4, 1000);
    assert_false(throttle_is_refused(&t, STR("192.0.2.1"), 1000));
    fail_times(&t, "192.0.2.1", 1, 1000);
    assert_true(throttle_is_refused(&t, STR("192.0.2.1"), 1000 + 599999));
    assert_false(throttle_is_refused(&t, STR("192.0.2.1"), 1000 + 600000));
    assert_int_equal(throttle_failed(&t, STR("192.0.2.1"), 700000), 2000);
    throttle_free(&t);
}

static void other_sources_are_not_touched(void **state)
{
    throttle t = throttle_new(rules, 0);
    (void)state;
    fail_times(&t, "192.0.2.1", 100, 1000);
    fail_times(&t, "2001:db8::1", 100, 1000);
    assert_false(throttle_is_suspect(&t, STR("192.0.2.2"), 1000));
    assert_true(throttle_is_refused(&t, STR("2001:db8::ffff"), 1000)); /* the same /64 */
    assert_false(throttle_is_suspect(&t, STR("2001:db8:0:1::1"), 1000));
    throttle_free(&t);
}

static void no_limit_refuses_nobody(void **state)
{
    throttle t = throttle_new((throttle_rules){ .window_ms = 1000 }, 0);
    (void)state;
    fail_times(&t, "192.0.2.1", 100, 1000);
    assert_false(throttle_is_refused(&t, STR("192.0.2.1"), 1000));
    throttle_free(&t);
}

static void memory_is_bounded(void **state)
{
    throttle t = throttle_new(rules, 100);
    char address[32];
    (void)state;
    fail_times(&t, "192.0.2.1", 5, 1000);
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(address, sizeof address, "10.0.%u.%u", i / 250, i % 250);
        fail_times(&t, address, 1, 1000 + i);
        assert_true(t.sources.n <= 100);
    }
    assert_true(throttle_is_refused(&t, STR("192.0.2.1"), 6000)); /* who failed often is kept */
    throttle_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_most),
        cmocka_unit_test(a_source_is_refused_and_forgiven_with_time),
        cmocka_unit_test(other_sources_are_not_touched),
        cmocka_unit_test(no_limit_refuses_nobody),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
