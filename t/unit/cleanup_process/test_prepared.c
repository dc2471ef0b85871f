/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* Files that are prepared: where messages are committed one after the other, and as large as they need them. */
#include "t/unit/cleanup_process/world.h"

#define CONTENT "Subject: x\r\n\r\ny\r\n"

enum { SOON = 8, BLOCK = 4096, WANTED = 56 };

static void messages_bring(size_t count, size_t content_bytes)
{
    static char content[CLEANUP_ENCLOSED_MAX];
    static uint32_t ref;
    memset(content, 'x', sizeof content);
    memcpy(content, CONTENT, sizeof CONTENT - 1);
    for (size_t i = 0; i < count; i++) {
        enclosed_put(&w->smtpd, ++ref, (str){ content, content_bytes }, content_bytes);
        if (i % SOON == SOON - 1 || i == count - 1)
            rounds();
    }
    assert_int_equal(w->outcome, FAULT_NONE);
}

static int setup_large(void **state)
{
    setup(state);
    w->generation.snapshot.base.message_size_limit = 100000;
    qmgr_start(0);
    return 0;
}

static uint64_t largest(void)
{
    uint64_t found = 0;
    for (uint64_t id = 1; id <= w->last_id; id++)
        found = size_of(id) > found ? size_of(id) : found;
    return found;
}

static void the_first_ones_are_not(void **state)
{
    (void)state;
    messages_bring(SOON - 1, 100);
    assert_int_equal(w->qmgr[0].how.prepared_bytes, 0);
    assert_int_equal(w->qmgr[0].how.kind, FRESH_ID);
    assert_int_equal(w->cleanup.stock[FRESH_PLAIN].n, 0);
}

static void they_are_when_messages_are_committed(void **state)
{
    (void)state;
    messages_bring(3 * SOON, 100);
    assert_int_equal(w->qmgr[0].how.prepared_bytes, 2 * BLOCK);
    assert_true(w->qmgr[0].how.count > WANTED / 2);
    unsigned durables = w->qmgr[0].durables;
    messages_bring(SOON, 100);
    assert_int_equal(w->qmgr[0].durables, durables + SOON);
    assert_int_equal(largest(), 2 * BLOCK);
}

/* The oldest first: what was written to it is on the disk by then. */
static void those_that_came_first_are_used_first(void **state)
{
    (void)state;
    messages_bring(3 * SOON, 100);
    uint64_t first = w->cleanup.stock[FRESH_PLAIN].p[0].id;
    messages_bring(1, 100);
    assert_goes_to(first, "local");
    assert_true(w->cleanup.stock[FRESH_PLAIN].p[0].id > first);
}

static void larger_ones_grow_and_then_have_room(void **state)
{
    (void)state;
    messages_bring(3 * SOON, 100);
    messages_bring(1, 3 * BLOCK);
    assert_true(largest() > 4 * BLOCK && largest() < 5 * BLOCK);
    messages_bring(WANTED, 3 * BLOCK);
    assert_int_equal(w->qmgr[0].how.prepared_bytes, 5 * BLOCK);
    assert_int_equal(largest(), 5 * BLOCK);
    messages_bring(WANTED, 100);
    assert_true(w->qmgr[0].how.prepared_bytes < 5 * BLOCK);
}

/* All that was offered is delivered. */
static void over_say_all(void)
{
    for (const intake *i = w->cleanup.intakes; i; i = i->next) {
        queue_result over = { .queue_id = i->file.id };
        channel_put(&w->qmgr[0].channel, QUEUE_OVER, 0, queue_result, &over);
    }
    rounds();
}

static void they_are_not_while_messages_are_delivered_first(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 100000;
    messages_bring(2 * SOON, 100);
    assert_int_equal(w->cleanup.offered, 2 * SOON);
    assert_int_equal(w->qmgr[0].how.kind, FRESH_ID);
    over_say_all();
    w->generation.snapshot.base.queue_commit_delay_ms = 0;
    messages_bring(3 * SOON, 100);
    assert_int_equal(w->qmgr[0].how.prepared_bytes, 2 * BLOCK);
    w->generation.snapshot.base.queue_commit_delay_ms = 100000;
    messages_bring(2 * SOON, 100);
    unsigned drops = w->qmgr[0].drops, there = (unsigned)w->cleanup.stock[FRESH_PLAIN].n;
    assert_true(there > 0);
    over_say_all();
    messages_bring(1, 100);
    assert_true(w->cleanup.intakes->file.is_in_memory);
    assert_int_equal(w->cleanup.stock[FRESH_PLAIN].n, 0);
    assert_true(w->qmgr[0].drops > drops + there / 2); /* they are given back */
}

/* Where a delivery takes longer than a message is kept back, a file that stands ready is better than one that is asked for. */
static void what_is_due_before_it_is_delivered_counts_as_committed(void **state)
{
    (void)state;
    w->generation.snapshot.base.queue_commit_delay_ms = 1;
    messages_bring(3 * SOON, 100);
    for (int i = 0; i < 1000 && w->qmgr[0].durables < 3 * SOON; i++)
        rounds();
    assert_int_equal(w->qmgr[0].offers, 3 * SOON);
    assert_int_equal(w->qmgr[0].durables, 3 * SOON);
    messages_bring(1, 100);
    assert_int_equal(w->qmgr[0].how.kind, FRESH_PLAIN);
}

static void what_qmgr_did_not_prepare_is_used_as_well(void **state)
{
    (void)state;
    messages_bring(3 * SOON, 100);
    for (size_t i = 0; i < w->cleanup.stock[FRESH_PLAIN].n; i++)
        w->cleanup.stock[FRESH_PLAIN].p[i].prepared_bytes = 0;
    uint64_t first = w->cleanup.stock[FRESH_PLAIN].p[0].id;
    assert_int_equal(ftruncate(w->files[first], 0), 0);
    messages_bring(1, 100);
    assert_goes_to(first, "local");
    assert_true(size_of(first) < 2 * BLOCK);
}

#define LARGE(name) cmocka_unit_test_setup_teardown(name, setup_large, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LARGE(the_first_ones_are_not),
        LARGE(they_are_when_messages_are_committed),
        LARGE(those_that_came_first_are_used_first),
        LARGE(larger_ones_grow_and_then_have_room),
        LARGE(they_are_not_while_messages_are_delivered_first),
        LARGE(what_is_due_before_it_is_delivered_counts_as_committed),
        LARGE(what_qmgr_did_not_prepare_is_used_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
