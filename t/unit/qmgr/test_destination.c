/* SOURCES: qmgr/destination.c qmgr/fair.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Destinations: who is served next, how many at a time, when a place is left alone. */
#include "qmgr/qmgr.h"
#include "t/unit/base/moved_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MESSAGES = 4, RECIPIENTS = 12000 };

static qmgr q;
static process p;
static generation g;
static message messages[MESSAGES];
static loaded loads[MESSAGES];
static size_t known;
static char known_text[240];

void schedule_soon(qmgr *of)
{
    (void)of;
}

void deliver_known(qmgr *of, delivery *d, fault result)
{
    (void)of;
    d->destination = NULL;
    memcpy(known_text, result.text, sizeof known_text);
    known++;
}

static int setup(void **state)
{
    (void)state;
    g = (generation){ .holders = 1 };
    config *c = &g.snapshot.base;
    *c = (config){ .minimal_backoff_time = 300,
                   .local_initial_destination_concurrency = 2,
                   .local_destination_concurrency_limit = 4,
                   .local_destination_concurrency_positive_feedback = STR("1"),
                   .local_destination_concurrency_negative_feedback = STR("1"),
                   .local_destination_concurrency_failed_cohort_limit = 1 };
    p = (process){ .loop = loop_new(), .current = &g };
    q = (qmgr){ .process = &p };
    destinations_open(&q);
    for (size_t i = 0; i < MESSAGES; i++) {
        loads[i] = (loaded){ .open = 1 };
        messages[i] = (message){ .id = i + 1, .loaded = &loads[i] };
    }
    known = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    destinations_revive(&q);
    assert_int_equal(q.destinations.n, 0); /* each is forgotten when nothing is left of it */
    map_free(&q.destinations);
    for (size_t i = 0; i < MESSAGES; i++)
        arena_free(&loads[i].arena);
    loop_free(p.loop);
    return 0;
}

static destination *to(const char *name)
{
    return destination_get(&q, transport_find(STR("local")), str_c(name));
}

static void add(const char *name, size_t m)
{
    delivery *d = ARENA_NEW(&loads[m].arena, delivery);
    *d = (delivery){ .message = &messages[m] };
    destination_add(to(name), d);
}

/* Whom qmgr would serve next; 0: nobody may run. */
static uint64_t serve(destination **out)
{
    fair_item *i = fair_next(&q.carriers[0].ready);
    if (i == NULL)
        return 0;
    *out = FAIR_OWNER(i, destination, turn);
    return destination_take(*out)->message->id;
}

static void end(destination *d, bool is_good)
{
    if (is_good)
        destination_succeeded(d);
    destination_done(d);
}

static void only_so_many_at_a_time_and_more_with_success(void **state)
{
    destination *d;
    (void)state;
    for (int i = 0; i < 8; i++)
        add("user1", 0);
    assert_int_equal(serve(&d), 1);
    assert_int_equal(serve(&d), 1);
    assert_int_equal(serve(&d), 0); /* two at first */
    end(d, true);
    assert_int_equal(serve(&d), 1);
    assert_int_equal(serve(&d), 1);
    assert_int_equal(serve(&d), 0);
    assert_int_equal(d->running, 3);
    for (int i = 0; i < 3; i++)
        end(d, true);
    int n = 0;
    while (serve(&d))
        n++;
    assert_int_equal(n, 4); /* the limit */
    for (int i = 0; i < 4; i++)
        end(d, true);
}

static void destinations_take_turns(void **state)
{
    destination *d, *first;
    (void)state;
    for (int i = 0; i < 3; i++) {
        add("user1", 0);
        add("user2", 1);
    }
    serve(&first);
    serve(&d);
    assert_ptr_not_equal(d, first);
    end(d, true);
    end(first, true);
    while (serve(&d))
        end(d, true);
}

/* A list to 12,000 users, then one message with one recipient: it is the next or the one after. */
static void a_long_list_does_not_hold_up_a_single_one(void **state)
{
    destination *d;
    char name[20];
    unsigned before = 0;
    (void)state;
    loads[0].open = RECIPIENTS;
    for (int i = 0; i < RECIPIENTS; i++) {
        snprintf(name, sizeof name, "user%d", i);
        add(name, 0);
    }
    add("other", 1);
    for (uint64_t id; (id = serve(&d)) != 2; before++)
        end(d, true);
    end(d, true);
    assert_true(before <= 1);
    while (serve(&d))
        end(d, true);
}

/* The same to one place, as a relay is. */
static void also_within_a_destination(void **state)
{
    destination *d;
    unsigned before = 0;
    (void)state;
    loads[0].open = RECIPIENTS;
    for (int i = 0; i < RECIPIENTS; i++)
        add("relay", 0);
    add("relay", 1);
    for (uint64_t id; (id = serve(&d)) != 2; before++)
        end(d, true);
    end(d, true);
    assert_true(before <= 1);
    while (serve(&d))
        end(d, true);
}

static void failures_kill_it_and_what_waits_is_deferred(void **state)
{
    destination *d;
    fault why = fault_make(FAULT_TRY_LATER, "4.1", "no answer");
    (void)state;
    for (int i = 0; i < 10; i++)
        add("user1", 0);
    serve(&d);
    serve(&d);
    destination_failed(d, why);
    destination_done(d);
    assert_int_equal(known, 0);
    assert_int_equal(serve(&d), 0); /* it became one at a time */
    destination_failed(d, why);
    assert_true(destination_is_dead(d));
    assert_int_equal(known, 8);
    assert_non_null(strstr(known_text, "no answer"));
    destination_done(d);
    assert_ptr_equal(to("user1"), d); /* it is remembered */
    uint64_t now_ms = clock_monotonic_ms();
    assert_in_range(d->dead_until_ms, now_ms + 299000, now_ms + 300000);
    for (moved_s = -DAY_S; moved_s <= DAY_S; moved_s += DAY_S)
        assert_true(destination_is_dead(d));
    moved_s = 0;
    destinations_sweep(&q);
    assert_int_equal(q.destinations.n, 1);
}

static void an_admin_revives_all(void **state)
{
    destination *d;
    (void)state;
    g.snapshot.base.local_initial_destination_concurrency = 1;
    add("user1", 0);
    serve(&d);
    destination_failed(d, fault_make(FAULT_TRY_LATER, "4.1", "no answer"));
    destination_done(d);
    assert_int_equal(q.destinations.n, 1);
    destinations_revive(&q);
    assert_int_equal(q.destinations.n, 0);
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void a_rate_delay_makes_a_pause_after_each(void **state)
{
    destination *d;
    timer stop;
    (void)state;
    g.snapshot.base.local_destination_rate_delay = 1;
    add("user1", 0);
    add("user1", 0);
    assert_int_equal(serve(&d), 1);
    assert_int_equal(serve(&d), 0); /* one at a time */
    uint64_t before = clock_monotonic_ms();
    end(d, true);
    assert_int_equal(serve(&d), 0);
    timer_open(&stop, p.loop, on_stop, p.loop);
    while (fair_is_empty(&q.carriers[0].ready)) {
        timer_set(&stop, 50);
        loop_run(p.loop);
    }
    timer_close(&stop);
    assert_true(clock_monotonic_ms() - before >= 900);
    g.snapshot.base.local_destination_rate_delay = 0;
    assert_int_equal(serve(&d), 1);
    end(d, true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_so_many_at_a_time_and_more_with_success), TEST(destinations_take_turns),
        TEST(a_long_list_does_not_hold_up_a_single_one),    TEST(also_within_a_destination),
        TEST(failures_kill_it_and_what_waits_is_deferred),  TEST(an_admin_revives_all),
        TEST(a_rate_delay_makes_a_pause_after_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
