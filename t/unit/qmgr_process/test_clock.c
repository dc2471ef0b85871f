/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* HOSTILE 43: the wall clock jumps by a day either way while mail comes and waits. */
#include "t/unit/base/moved_clock.h"
#include "t/unit/qmgr_process/world.h"
#include "base/log.h"
#include <sys/mman.h>

static int setup_clock(void **state)
{
    moved_s = 0;
    return setup(state);
}

static void ids_only_grow(void **state)
{
    static const int64_t jumps[] = { 0, DAY_S, 0, -DAY_S, 2 * DAY_S };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(jumps); i++) {
        moved_s = jumps[i];
        take(2);
    }
    assert_int_equal(w->given, GIVEN_MAX);
    for (size_t i = 1; i < GIVEN_MAX; i++)
        assert_true(w->ids[i] > w->ids[i - 1]);
}

/* Brought and deferred at one time; a second one that is deferred lets qmgr look at the clock, which it does once a minute. */
static message *deferred(size_t i)
{
    take(1);
    write_message(i);
    say(QUEUE_DURABLE, w->ids[i]);
    assert_int_equal(w->delivering, w->ids[i]);
    deliver(FAULT_TRY_LATER);
    message *m = message_find(&w->qmgr, w->ids[i]);
    assert_int_equal(m->state, MESSAGE_WAITING);
    return m;
}

static void a_day_ahead_all_is_tried(void **state)
{
    (void)state;
    deferred(0);
    moved_s = DAY_S;
    deferred(1);
    for (int i = 0; i < 100 && w->requests < 3; i++)
        rounds();
    assert_int_equal(w->requests, 3);
    assert_int_equal(w->delivering, w->ids[0]);
    deliver(FAULT_NONE);
    assert_null(message_find(&w->qmgr, w->ids[0]));
}

static void a_day_back_nobody_waits_longer_than_ever(void **state)
{
    (void)state;
    const message *first = deferred(0);
    moved_s = -DAY_S;
    const message *second = deferred(1);
    assert_in_range(first->next_try_s, clock_s() + 3990, clock_s() + 4000);
    assert_in_range(second->next_try_s, clock_s() + 290, clock_s() + 300);
    moved_s += 4001;
    deferred(2);
    for (int i = 0; i < 100 && w->requests < 5; i++)
        rounds();
    assert_int_equal(w->requests, 5);
    for (size_t i = 3; i < 5; i++) {
        w->ref = w->refs[i];
        w->delivering = i == 3 ? second->id : first->id;
        deliver(FAULT_NONE);
    }
    assert_int_equal(w->qmgr.messages.n, 1);
}

/* The log, while a message is delivered a day before it came. */
static void a_delay_is_never_less_than_nothing(void **state)
{
    char text[2048] = "";
    int fd = memfd_create("log", 0);
    (void)state;
    take(1);
    write_message(0);
    say(QUEUE_DURABLE, w->ids[0]);
    moved_s = -DAY_S;
    log_open(fd, LOG_FORMAT_TEXT, "qmgr", false);
    deliver(FAULT_NONE);
    log_flush();
    log_open(2, LOG_FORMAT_TEXT, "qmgr", false);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    close(fd);
    if (strstr(text, " delivered ") == NULL || strstr(text, " delay_s=0 ") == NULL)
        fail_msg("%s", text);
}

#define CLOCK_TEST(name) cmocka_unit_test_setup_teardown(name, setup_clock, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOCK_TEST(ids_only_grow),
        CLOCK_TEST(a_day_ahead_all_is_tried),
        CLOCK_TEST(a_delay_is_never_less_than_nothing),
        CLOCK_TEST(a_day_back_nobody_waits_longer_than_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
