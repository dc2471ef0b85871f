/* SOURCES: qmgr/schedule.c  NEEDS: daemon queue */
/* The heap of waiting messages and the list of ready ones: who comes when, whatever is put in and taken out. */
#include "qmgr/qmgr.h"
#include "t/unit/base/moved_clock.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { COUNT = 400 };

static qmgr q;
static process p;
static generation g;
static message messages[COUNT];
static uint64_t started[COUNT];
static size_t started_count;
static bool load_fails;
static fault_kind load_kind;

fault message_load(qmgr *of, message *m)
{
    (void)of, (void)m;
    return load_fails ? fault_make(load_kind, "3.0", "the test says so") : NO_FAULT;
}

bool is_direct(const qmgr *of, const message *m)
{
    (void)of, (void)m;
    return false;
}

bool message_move(qmgr *of, message *m, queue_place to)
{
    (void)of;
    m->place = (uint8_t)to;
    return true;
}

void message_damaged(qmgr *of, message *m, fault why)
{
    (void)of, (void)why;
    m->place = QUEUE_CORRUPT;
}

void deliver_start(qmgr *of, message *m)
{
    (void)of;
    started[started_count++] = m->id;
}

void deliver_some(qmgr *of)
{
    (void)of;
}

void destinations_sweep(qmgr *of)
{
    (void)of;
}

void message_unload(qmgr *of, message *m)
{
    (void)of, (void)m;
}

static bool is_held;

bool message_is_held(qmgr *of, message *m)
{
    (void)of, (void)m;
    return is_held;
}

static size_t removed;

void message_remove(qmgr *of, message *m)
{
    (void)of, (void)m;
    removed++;
}

void finish_asked(qmgr *of, message *m)
{
    (void)of;
    m->asked = ASKED_NOTHING;
    m->place = QUEUE_HOLD;
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    timer stop;
    timer_open(&stop, p.loop, on_stop, p.loop);
    for (int i = 0; i < 3; i++) {
        timer_set(&stop, 2);
        loop_run(p.loop);
    }
    timer_close(&stop);
}

static int setup(void **state)
{
    (void)state;
    g = (generation){ .holders = 1 };
    g.snapshot.base =
        (config){ .minimal_backoff_time = 300, .maximal_backoff_time = 4000, .qmgr_message_active_limit = 1000 };
    p = (process){ .loop = loop_new(), .current = &g };
    q = (qmgr){ .process = &p };
    schedule_open(&q);
    for (size_t i = 0; i < COUNT; i++)
        messages[i] = (message){ .id = i + 1, .place = QUEUE_DEFERRED };
    started_count = 0;
    load_fails = false;
    load_kind = FAULT_BROKEN;
    removed = 0;
    is_held = false;
    moved_s = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    timer_close(&q.wake);
    vec_free(&q.waiting);
    loop_free(p.loop);
    return 0;
}

static void heap_check(void)
{
    for (size_t i = 0; i < q.waiting.n; i++) {
        assert_int_equal(q.waiting.p[i]->heap_at, i);
        assert_int_equal(q.waiting.p[i]->state, MESSAGE_WAITING);
        if (i)
            assert_true(q.waiting.p[(i - 1) / 2]->next_try_s <= q.waiting.p[i]->next_try_s);
    }
}

static void the_heap_holds_whatever_goes_in_and_out(void **state)
{
    uint64_t now = clock_s();
    (void)state;
    schedule_soon(&q);
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        message *m = &messages[random() % COUNT];
        if (random() % 3 == 0)
            schedule_never(&q, m);
        else
            schedule_at(&q, m, now + 100 + (uint64_t)(random() % 3000));
        if (i % 16 == 0)
            heap_check();
    }
    for (size_t i = 0; i < COUNT; i++)
        schedule_never(&q, &messages[i]);
    assert_int_equal(q.waiting.n, 0);
}

static void those_whose_time_has_come_start_in_order(void **state)
{
    uint64_t now = clock_s();
    (void)state;
    schedule_soon(&q);
    for (size_t i = 0; i < 50; i++)
        schedule_at(&q, &messages[i], now - 1000 + (i * 37) % 50);
    schedule_at(&q, &messages[50], now + 1000);
    rounds();
    assert_int_equal(started_count, 50);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(started[i], 1 + (i * 23) % 50); /* 37 * 23 = 1 (mod 50) */
    assert_int_equal(messages[50].state, MESSAGE_WAITING);
    assert_int_equal(messages[0].state, MESSAGE_ACTIVE);
    assert_int_equal(messages[0].place, QUEUE_ACTIVE);
}

static void no_time_is_further_than_the_longest(void **state)
{
    uint64_t now = clock_s();
    (void)state;
    schedule_soon(&q);
    schedule_at(&q, &messages[0], now + 1000000000); /* the clock was ahead when this was written */
    assert_in_range(messages[0].next_try_s, now + 4000, now + 4002);
    schedule_at(&q, &messages[1], 0);
    assert_in_range(messages[1].next_try_s, now + 300, now + 302);
}

/* HOSTILE 43. */
static void a_clock_that_goes_on_by_a_day_makes_all_due(void **state)
{
    (void)state;
    for (size_t i = 0; i < 50; i++)
        schedule_at(&q, &messages[i], clock_s() + 300 + i);
    schedule_at(&q, &messages[50], clock_s() + 1); /* wakes it: else it looks within a minute */
    moved_s = DAY_S;
    for (int i = 0; i < 1000 && started_count < 51; i++)
        rounds();
    assert_int_equal(started_count, 51);
}

static void a_clock_that_goes_back_by_a_day_keeps_nobody_waiting(void **state)
{
    (void)state;
    srandom(1);
    for (size_t i = 0; i < COUNT; i++)
        schedule_at(&q, &messages[i], clock_s() + 1 + (uint64_t)(random() % 4000));
    schedule_at(&q, &messages[0], clock_s() + 1);
    moved_s = -DAY_S;
    for (int i = 0; i < 1000 && q.waiting.p[0]->next_try_s > clock_s() + DAY_S / 2; i++)
        rounds();
    heap_check();
    for (size_t i = 0; i < COUNT; i++)
        assert_in_range(messages[i].next_try_s, clock_s() + 3990, clock_s() + 4000);
    moved_s += 4001;
    schedule_at(&q, &messages[0], clock_s() + 1); /* looks at the clock */
    rounds();
    assert_int_equal(started_count, COUNT - 1);
}

static void at_once_goes_before_its_time(void **state)
{
    (void)state;
    schedule_soon(&q);
    schedule_at(&q, &messages[0], clock_s() + 3000);
    schedule_ready(&q, &messages[0]);
    schedule_ready(&q, &messages[0]); /* twice is once */
    assert_int_equal(q.waiting.n, 0);
    rounds();
    assert_int_equal(started_count, 1);
    schedule_ready(&q, &messages[0]); /* it is active */
    rounds();
    assert_int_equal(started_count, 1);
}

static void the_active_limit(void **state)
{
    (void)state;
    g.snapshot.base.qmgr_message_active_limit = 10;
    for (size_t i = 0; i < 30; i++)
        schedule_ready(&q, &messages[i]);
    rounds();
    assert_int_equal(started_count, 10);
    for (size_t i = 0; i < 10; i++)
        messages[i].state = MESSAGE_AT_REST;
    q.active_count -= 10;
    schedule_soon(&q);
    rounds();
    assert_int_equal(started_count, 20);
    assert_int_equal(started[10], 11); /* first come, first served */
}

static void what_an_admin_asked_meanwhile_is_done_instead(void **state)
{
    (void)state;
    schedule_ready(&q, &messages[0]);
    messages[0].asked = ASKED_HOLD;
    rounds();
    assert_int_equal(started_count, 0);
    assert_int_equal(messages[0].place, QUEUE_HOLD);
}

static void a_damaged_one_does_not_hold_up_the_others(void **state)
{
    (void)state;
    load_fails = true;
    schedule_ready(&q, &messages[0]);
    schedule_ready(&q, &messages[1]);
    rounds();
    assert_int_equal(messages[0].place, QUEUE_CORRUPT);
    assert_int_equal(messages[1].place, QUEUE_CORRUPT);
    assert_int_equal(q.active_count, 0);
    load_fails = false;
    schedule_ready(&q, &messages[2]);
    rounds();
    assert_int_equal(started_count, 1);
}

static void new_mail_and_old_take_turns(void **state)
{
    (void)state;
    g.snapshot.base.qmgr_message_active_limit = 0; /* all wait first */
    for (size_t i = 0; i < 8; i++) {
        messages[i].tries = i < 5;
        schedule_ready(&q, &messages[i]);
    }
    g.snapshot.base.qmgr_message_active_limit = 100;
    schedule_soon(&q);
    rounds();
    const uint64_t order[] = { 6, 1, 7, 2, 8, 3, 4, 5 };
    assert_int_equal(started_count, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_int_equal(started[i], order[i]);
}

static void who_is_ready_may_be_taken_back(void **state)
{
    static const size_t taken[] = { 0, 3, 7 }; /* the first, one between, the last */
    (void)state;
    g.snapshot.base.qmgr_message_active_limit = 0;
    for (size_t i = 0; i < 8; i++)
        schedule_ready(&q, &messages[i]);
    messages[3].tries = 1; /* as a look into its file told since */
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        schedule_never(&q, &messages[taken[i]]);
        assert_int_equal(messages[taken[i]].state, MESSAGE_AT_REST);
    }
    schedule_ready(&q, &messages[8]);
    schedule_at(&q, &messages[1], clock_s() + 100); /* ready no more */
    g.snapshot.base.qmgr_message_active_limit = 100;
    schedule_soon(&q);
    rounds();
    const uint64_t order[] = { 3, 5, 6, 7, 9 };
    assert_int_equal(started_count, COUNT_OF(order));
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_int_equal(started[i], order[i]);
    assert_int_equal(messages[1].state, MESSAGE_WAITING);
}

static void what_was_never_finished_goes_only_when_a_scan_found_it(void **state)
{
    (void)state;
    load_fails = true;
    load_kind = FAULT_REFUSED;
    messages[0].place = messages[1].place = QUEUE_ACTIVE;
    messages[0].is_found = messages[2].is_found = true;
    for (size_t i = 0; i < 3; i++)
        schedule_ready(&q, &messages[i]);
    rounds();
    assert_int_equal(removed, 1);
    assert_int_equal(messages[0].place, QUEUE_ACTIVE);
    assert_int_equal(messages[1].place, QUEUE_CORRUPT); /* it was accepted: an admin may look at it */
    assert_int_equal(messages[2].place, QUEUE_CORRUPT); /* deferred: the same */
}

static void what_a_cleanup_still_has_waits_for_it(void **state)
{
    static loaded whole;
    (void)state;
    is_held = true;
    messages[0].place = QUEUE_ACTIVE;
    messages[0].is_found = true;
    messages[0].loaded = &whole;
    schedule_ready(&q, &messages[0]);
    rounds();
    assert_int_equal(started_count, 0);
    assert_int_equal(messages[0].state, MESSAGE_WAITING);
    assert_true(messages[0].next_try_s <= clock_s() + 1);
    is_held = false;
    schedule_ready(&q, &messages[0]);
    rounds();
    assert_int_equal(started_count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_heap_holds_whatever_goes_in_and_out),
        TEST(those_whose_time_has_come_start_in_order),
        TEST(no_time_is_further_than_the_longest),
        TEST(a_clock_that_goes_on_by_a_day_makes_all_due),
        TEST(a_clock_that_goes_back_by_a_day_keeps_nobody_waiting),
        TEST(at_once_goes_before_its_time),
        TEST(the_active_limit),
        TEST(what_an_admin_asked_meanwhile_is_done_instead),
        TEST(a_damaged_one_does_not_hold_up_the_others),
        TEST(new_mail_and_old_take_turns),
        TEST(who_is_ready_may_be_taken_back),
        TEST(what_a_cleanup_still_has_waits_for_it),
        TEST(what_was_never_finished_goes_only_when_a_scan_found_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
