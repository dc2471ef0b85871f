/* SOURCES: meter/counter.c  NEEDS: base */
#include "meter/counter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

typedef struct fixture {
    counter counter;
    holder a, b;
    uint64_t now_ms;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .counter = counter_new(8), .now_ms = 1000000 };
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    counter_close_all(&f->counter, &f->a);
    counter_close_all(&f->counter, &f->b);
    counter_free(&f->counter);
    return 0;
}

static count_answer enter(fixture *f, holder *h, const char *address, uint32_t count, uint32_t rate)
{
    count_limits limits = { count, rate, 60 };
    return counter_open(&f->counter, h, &(counted_by){ STR("smtp"), str_c(address), 0, 0, 0 }, &limits, f->now_ms);
}

static void leave(fixture *f, holder *h, const char *address)
{
    counter_close(&f->counter, h, &(counted_by){ STR("smtp"), str_c(address), 0, 0, 0 });
}

static void connections_are_counted_by_client(void **state)
{
    fixture *f = *state;
    assert_true(enter(f, &f->a, "192.0.2.1", 2, 0).is_allowed);
    assert_true(enter(f, &f->b, "192.0.2.1", 2, 0).is_allowed);
    count_answer third = enter(f, &f->a, "192.0.2.1", 2, 0);
    assert_false(third.is_allowed);
    assert_int_equal(third.count, 3);
    assert_true(enter(f, &f->a, "192.0.2.2", 2, 0).is_allowed);
    leave(f, &f->a, "192.0.2.1");
    leave(f, &f->a, "192.0.2.1");
    assert_true(enter(f, &f->a, "192.0.2.1", 2, 0).is_allowed);
}

static void a_64_is_one_client(void **state)
{
    fixture *f = *state;
    assert_true(enter(f, &f->a, "2001:db8::1", 1, 0).is_allowed);
    assert_false(enter(f, &f->a, "2001:db8::2", 1, 0).is_allowed);
    assert_true(enter(f, &f->a, "2001:db8:0:1::1", 1, 0).is_allowed);
}

static void services_are_counted_apart(void **state)
{
    fixture *f = *state;
    count_limits limits = { 1, 0, 0 };
    assert_true(enter(f, &f->a, "192.0.2.1", 1, 0).is_allowed);
    counted_by imap = { STR("imap"), STR("192.0.2.1"), 0, 0, 0 };
    assert_true(counter_open(&f->counter, &f->a, &imap, &limits, f->now_ms).is_allowed);
}

static void a_process_that_dies_gives_its_counts_back(void **state)
{
    fixture *f = *state;
    enter(f, &f->a, "192.0.2.1", 0, 0);
    enter(f, &f->a, "192.0.2.1", 0, 0);
    enter(f, &f->b, "192.0.2.1", 0, 0);
    counter_close_all(&f->counter, &f->a);
    assert_int_equal(enter(f, &f->a, "192.0.2.1", 0, 0).count, 2);
}

static void a_process_cannot_close_what_another_opened(void **state)
{
    fixture *f = *state;
    enter(f, &f->a, "192.0.2.1", 0, 0);
    leave(f, &f->b, "192.0.2.1");
    leave(f, &f->b, "192.0.2.9");
    assert_int_equal(enter(f, &f->a, "192.0.2.1", 0, 0).count, 2);
}

static void rates_slide_with_time(void **state)
{
    fixture *f = *state;
    for (uint32_t i = 1; i <= 10; i++) {
        assert_int_equal(enter(f, &f->a, "192.0.2.1", 0, 10).rate, i);
        leave(f, &f->a, "192.0.2.1");
    }
    assert_false(enter(f, &f->a, "192.0.2.1", 0, 10).is_allowed);
    f->now_ms += 60 * 1000; /* a whole unit counts the one before in full at first */
    assert_false(enter(f, &f->a, "192.0.2.1", 0, 10).is_allowed);
    f->now_ms += 30 * 1000; /* then half of it */
    assert_true(enter(f, &f->a, "192.0.2.1", 0, 10).is_allowed);
    f->now_ms += 200 * 1000;
    assert_int_equal(enter(f, &f->a, "192.0.2.1", 0, 10).rate, 1);
}

static count_answer add(fixture *f, uint32_t kind, const char *address, uint32_t rate)
{
    count_limits limits = { 1, rate, 60 };
    counted_by by = { STR("smtp"), str_c(address), kind, 0, 0 };
    return counter_add(&f->counter, &by, &limits, f->now_ms);
}

static void kinds_are_counted_apart(void **state)
{
    fixture *f = *state;
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(add(f, 1, "192.0.2.1", 2).is_allowed, i <= 2);
        assert_int_equal(add(f, 2, "192.0.2.1", 2).rate, i);
    }
    assert_int_equal(add(f, 2, "192.0.2.2", 2).rate, 1);
    assert_true(enter(f, &f->a, "192.0.2.1", 1, 1).is_allowed);
}

static void who_asks_too_often_gets_as_much_as_he_may(void **state)
{
    fixture *f = *state;
    unsigned got = 0;
    for (unsigned second = 0; second < 600; second++) {
        for (int i = 0; i < 100; i++)
            got += add(f, 1, "192.0.2.1", 10).is_allowed;
        f->now_ms += 1000;
    }
    assert_in_range(got, 60, 110); /* ten a minute, in ten minutes */
}

static void what_was_none_is_taken_back(void **state)
{
    fixture *f = *state;
    counted_by by = { STR("smtp"), STR("192.0.2.1"), 3, 0, 0 };
    for (int i = 0; i < 10; i++) {
        assert_int_equal(add(f, 3, "192.0.2.1", 1).rate, 1);
        counter_undo(&f->counter, &by);
        counter_undo(&f->counter, &by); /* once too often */
    }
    by.address = STR("192.0.2.9");
    counter_undo(&f->counter, &by); /* who was never here */
}

static void a_network_may_be_one_client(void **state)
{
    fixture *f = *state;
    count_limits limits = { 0, 1, 60 };
    counted_by one = { STR("smtp"), STR("192.0.2.1"), 1, 24, 48 }, other = one;
    other.address = STR("192.0.2.200");
    assert_true(counter_add(&f->counter, &one, &limits, f->now_ms).is_allowed);
    assert_false(counter_add(&f->counter, &other, &limits, f->now_ms).is_allowed);
    other.v4_bits = 32;
    assert_true(counter_add(&f->counter, &other, &limits, f->now_ms).is_allowed);
}

static void rates_of_many_clients_stay_in_bounds(void **state)
{
    fixture *f = *state;
    for (unsigned i = 0; i < 5000; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.%u.%u.1", i / 250, i % 250);
        f->now_ms += 500;
        add(f, i % 5, address, 1);
        assert_true(f->counter.clients.n <= 8);
    }
}

static void many_clients(fixture *f, unsigned n, bool stay)
{
    for (unsigned i = 0; i < n; i++) {
        char address[32];
        snprintf(address, sizeof address, "10.0.%u.%u", i / 250, i % 250);
        enter(f, &f->a, address, 0, 0);
        if (!stay)
            leave(f, &f->a, address);
    }
}

static void a_full_table_forgets_who_has_left(void **state)
{
    fixture *f = *state;
    enter(f, &f->b, "192.0.2.1", 0, 0);
    many_clients(f, 1000, false);
    assert_true(f->counter.clients.n <= 8);
    assert_int_equal(enter(f, &f->b, "192.0.2.1", 0, 0).count, 2);
    f->now_ms += 2000;
    enter(f, &f->a, "198.51.100.1", 1, 0);
    assert_false(enter(f, &f->a, "198.51.100.1", 1, 0).is_allowed);
}

static void a_table_full_of_open_connections_lets_others_pass(void **state)
{
    fixture *f = *state;
    many_clients(f, 8, true);
    assert_true(enter(f, &f->b, "192.0.2.1", 1, 1).is_allowed);
    assert_true(enter(f, &f->b, "192.0.2.1", 1, 1).is_allowed);
    leave(f, &f->b, "192.0.2.1");
    assert_int_equal(f->counter.clients.n, 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(connections_are_counted_by_client),
        TEST(a_64_is_one_client),
        TEST(services_are_counted_apart),
        TEST(a_process_that_dies_gives_its_counts_back),
        TEST(a_process_cannot_close_what_another_opened),
        TEST(rates_slide_with_time),
        TEST(kinds_are_counted_apart),
        TEST(who_asks_too_often_gets_as_much_as_he_may),
        TEST(what_was_none_is_taken_back),
        TEST(a_network_may_be_one_client),
        TEST(rates_of_many_clients_stay_in_bounds),
        TEST(a_full_table_forgets_who_has_left),
        TEST(a_table_full_of_open_connections_lets_others_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
