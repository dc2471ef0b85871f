/* SOURCES: qmgr/finish.c  NEEDS: daemon queue */
/* What becomes of a message when none of its recipients is open: removed, tried again, held; only after all that is to be reported
 * was. The other parts of qmgr are the test's. */
#include "base/clock.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/report.h"
#include "qmgr/qmgr.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum { COUNT = 3 };

static struct world {
    process process;
    generation generation;
    qmgr qmgr;
    message message;
    queue_slot slots[COUNT];
    envelope_recipient recipients[COUNT];
    progress progress[COUNT];
    delivery deliveries[COUNT];
    /* what was done */
    queue_place moved_to;
    uint64_t scheduled_s;
    unsigned moves, removals, damages, reports, told, readied;
    /* what the others answer */
    bool is_direct, is_missing, has_reports, moves_fail, is_double, wishes_success;
} * w;

bool message_move(qmgr *q, message *m, queue_place to)
{
    (void)q;
    w->moves++;
    if (w->moves_fail)
        return false;
    m->place = (uint8_t)(w->moved_to = to);
    return true;
}

int message_write_fd(qmgr *of, message *m)
{
    (void)of;
    return m->loaded->fd;
}

void message_unload(qmgr *q, message *m)
{
    (void)q;
    if (m->loaded)
        close(m->loaded->fd);
    free(m->loaded);
    m->loaded = NULL;
}

void message_remove(qmgr *q, message *m)
{
    w->removals++;
    message_unload(q, m);
}

void message_damaged(qmgr *q, message *m, fault why)
{
    (void)why;
    w->damages++;
    message_unload(q, m);
}

void schedule_at(qmgr *q, message *m, uint64_t next_try_s)
{
    (void)q, (void)m;
    w->scheduled_s = next_try_s;
}

void schedule_never(qmgr *q, message *m)
{
    (void)q, (void)m;
}

void schedule_ready(qmgr *q, message *m)
{
    (void)q, (void)m;
    w->readied++;
}

void schedule_soon(qmgr *q)
{
    (void)q;
}

void deliver_done(qmgr *q, delivery *d)
{
    (void)q, (void)d;
}

bool is_direct(const qmgr *q, const message *m)
{
    (void)q, (void)m;
    return w->is_direct;
}

bool offer_park(qmgr *q, const message *m)
{
    (void)q, (void)m;
    return false; /* t/unit/qmgr_process/test_offer.c */
}

void direct_finish(qmgr *q, message *m)
{
    (void)q, (void)m;
    w->told++;
}

bool report_start(qmgr *q, message *m)
{
    (void)q, (void)m;
    w->reports++;
    return w->has_reports;
}

bool report_is_missing(const qmgr *q, const message *m)
{
    (void)q, (void)m;
    return w->is_missing;
}

bool report_is_double(const qmgr *q, const message *m)
{
    (void)q, (void)m;
    return w->is_double;
}

bool report_wishes_success(const envelope_recipient *r)
{
    (void)r;
    return w->wishes_success;
}

static int setup(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    w->generation.snapshot.base = (config){ .minimal_backoff_time = 300,
                                            .maximal_backoff_time = 4000,
                                            .maximal_queue_lifetime = 1000,
                                            .bounce_queue_lifetime = 500 };
    w->process.current = &w->generation;
    w->qmgr.process = &w->process;
    w->qmgr.active_count = 1;
    loaded *l = calloc(1, sizeof *l);
    l->fd = memfd_create("queue-file", MFD_CLOEXEC);
    l->file = (queue_message){ .head = { .slots_offset = 1000, .recipient_count = COUNT },
                               .envelope = { .reverse_path = STR("a@b.example") },
                               .recipients = w->recipients,
                               .slots = w->slots };
    l->progress = w->progress;
    l->open = COUNT;
    w->message =
        (message){ .id = 1, .place = QUEUE_ACTIVE, .state = MESSAGE_ACTIVE, .loaded = l, .arrived_s = clock_s() };
    for (uint32_t i = 0; i < COUNT; i++) {
        w->progress[i].parts = 1;
        w->deliveries[i] = (delivery){ .message = &w->message, .index = i };
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    message_unload(&w->qmgr, &w->message);
    free(w);
    return 0;
}

static void result(uint32_t i, fault_kind kind)
{
    fault f = kind == FAULT_NONE ? NO_FAULT : fault_make(kind, "1.1", "words");
    result_put(&w->qmgr, &w->deliveries[i], f, STR("words"));
}

static void results(fault_kind a, fault_kind b, fault_kind c)
{
    result(0, a);
    result(1, b);
    assert_int_equal(w->reports, 0); /* one is open still */
    result(2, c);
}

static void all_delivered(void **state)
{
    (void)state;
    results(FAULT_NONE, FAULT_NONE, FAULT_NONE);
    assert_int_equal(w->removals, 1);
    assert_int_equal(w->qmgr.active_count, 0);
    assert_int_equal(w->qmgr.delivered, 3);
}

static void nothing_happens_before_it_is_reported(void **state)
{
    (void)state;
    w->has_reports = true;
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->reports, 1);
    assert_int_equal(w->removals + w->moves, 0);
    assert_int_equal(w->qmgr.active_count, 1);
    w->has_reports = false;
    finish_round(&w->qmgr, &w->message);
    assert_int_equal(w->removals, 1);
    assert_int_equal(w->qmgr.active_count, 0);
}

static void one_that_waits_makes_the_message_wait(void **state)
{
    (void)state;
    results(FAULT_NONE, FAULT_TRY_LATER, FAULT_REFUSED);
    assert_int_equal(w->removals, 0);
    assert_int_equal(w->moved_to, QUEUE_DEFERRED);
    assert_in_range(w->scheduled_s, clock_s() + 299, clock_s() + 301);
    assert_int_equal(w->slots[1].state, SLOT_DEFERRED);
    assert_string_equal(w->slots[1].status, "4.1.1");
    assert_string_equal(w->slots[2].status, "5.1.1");
    assert_false(w->message.is_unreported);
}

static void what_could_not_be_reported_waits(void **state)
{
    (void)state;
    w->is_missing = true;
    w->message.loaded->report_fault = fault_make(FAULT_TRY_LATER, "3.0", "bounce is not there");
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->removals, 0);
    assert_int_equal(w->moved_to, QUEUE_DEFERRED);
    assert_true(w->message.is_unreported && w->qmgr.has_unreported);
}

static void what_can_never_be_reported_is_held(void **state)
{
    (void)state;
    w->is_missing = true;
    w->message.loaded->report_fault = fault_make(FAULT_REFUSED, "3.0", "no");
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->removals, 0);
    assert_int_equal(w->moved_to, QUEUE_HOLD);
    assert_null(w->message.loaded);
}

static void what_cannot_be_held_waits(void **state)
{
    (void)state;
    w->is_missing = true;
    w->moves_fail = true;
    w->message.loaded->report_fault = fault_make(FAULT_REFUSED, "3.0", "no");
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->removals, 0);
    assert_true(w->scheduled_s > 0);
}

static void what_is_too_old_has_failed_with_the_class_of_what_passes(void **state)
{
    (void)state;
    w->message.arrived_s -= 1000;
    results(FAULT_NONE, FAULT_TRY_LATER, FAULT_NONE);
    assert_int_equal(w->slots[1].state, SLOT_FAILED);
    assert_string_equal(w->slots[1].status, "4.1.1");
    assert_int_equal(w->removals, 1);
}

static void reports_have_a_lifetime_of_their_own(void **state)
{
    (void)state;
    w->message.arrived_s -= 500;
    w->message.loaded->file.envelope.reverse_path = STR_NONE;
    results(FAULT_NONE, FAULT_TRY_LATER, FAULT_NONE);
    assert_int_equal(w->slots[1].state, SLOT_FAILED);
}

static void what_was_told_stays_told(void **state)
{
    queue_slot on_disk;
    (void)state;
    queue_slot_tell(&w->slots[1], SLOT_TOLD_DELAY);
    w->has_reports = true;
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->slots[1].told, SLOT_TOLD_DELAY);
    assert_int_equal(pread(w->message.loaded->fd, &on_disk, sizeof on_disk, 1000 + sizeof on_disk), sizeof on_disk);
    assert_memory_equal(&on_disk, &w->slots[1], sizeof on_disk);
}

static void what_was_passed_on_is_told_of_by_others(void **state)
{
    static const struct {
        fault_kind outcome;
        uint32_t action;
        uint8_t kept;
        unsigned told;
    } rows[] = {
        { FAULT_NONE, 0, 0, 0 },
        { FAULT_NONE, DELIVER_PASSED_ON, 0, SLOT_TOLD_SUCCESS },
        { FAULT_NONE, REPORT_EXPANDED, REPORT_EXPANDED, 0 },
        { FAULT_NONE, REPORT_RELAYED, REPORT_RELAYED, 0 },
        { FAULT_NONE, REPORT_FAILED, 0, 0 }, /* no such success */
        { FAULT_NONE, 77, 0, 0 },
        { FAULT_REFUSED, DELIVER_PASSED_ON, 0, 0 },
    };
    (void)state;
    w->has_reports = true;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        queue_slot on_disk;
        w->slots[0] = (queue_slot){ 0 };
        w->progress[0] = (progress){ .parts = 1 };
        w->message.loaded->open = 2;
        w->deliveries[0].action = rows[i].action;
        result(0, rows[i].outcome);
        assert_int_equal(w->slots[0].action, rows[i].kept);
        assert_int_equal(w->slots[0].told, rows[i].told);
        assert_int_equal(pread(w->message.loaded->fd, &on_disk, sizeof on_disk, 1000), sizeof on_disk);
        assert_memory_equal(&on_disk, &w->slots[0], sizeof on_disk);
        queue_slot again = on_disk;
        queue_slot_tell(&again, 0);
        assert_int_equal(again.checksum, on_disk.checksum);
    }
}

/* A single recipient's file goes at once; but not before its report, for which the result must be kept. */
static void a_single_result_is_kept_when_it_is_to_be_reported(void **state)
{
    queue_slot on_disk;
    (void)state;
    for (int wishes = 0; wishes < 2; wishes++) {
        w->wishes_success = wishes;
        w->has_reports = true;
        w->progress[0].parts = w->message.loaded->open = w->message.loaded->file.head.recipient_count = 1;
        result(0, FAULT_NONE);
        assert_int_equal(pread(w->message.loaded->fd, &on_disk, sizeof on_disk, 1000), wishes ? sizeof on_disk : 0);
    }
}

static void the_worst_of_several_parts_counts(void **state)
{
    (void)state;
    w->progress[0].parts = 3;
    result(0, FAULT_REFUSED);
    result(0, FAULT_NONE);
    assert_int_equal(w->message.loaded->open, COUNT);
    result(0, FAULT_TRY_LATER);
    assert_int_equal(w->message.loaded->open, COUNT - 1);
    assert_int_equal(w->slots[0].state, SLOT_DEFERRED);
}

static void a_damaged_file_is_set_aside(void **state)
{
    (void)state;
    results(FAULT_NONE, FAULT_NONE, FAULT_BROKEN);
    assert_int_equal(w->damages, 1);
    assert_int_equal(w->reports, 0);
}

static void what_an_admin_asked_for_is_done(void **state)
{
    (void)state;
    w->message.asked = ASKED_HOLD;
    results(FAULT_NONE, FAULT_REFUSED, FAULT_NONE);
    assert_int_equal(w->moved_to, QUEUE_HOLD);
    assert_int_equal(w->removals, 0);
}

static void there_is_nothing_left_to_hold(void **state)
{
    (void)state;
    w->message.asked = ASKED_HOLD;
    results(FAULT_NONE, FAULT_NONE, FAULT_NONE);
    assert_int_equal(w->removals, 1);
}

static void asked_in_the_middle_it_waits_for_the_end(void **state)
{
    (void)state;
    w->message.asked = ASKED_DELETE;
    finish_asked(&w->qmgr, &w->message);
    assert_int_equal(w->removals, 0);
    results(FAULT_TRY_LATER, FAULT_NONE, FAULT_NONE);
    assert_int_equal(w->removals, 1);
}

/* Whatever it has come to, who brought it hears it, and nobody else. */
static void by_lmtp_nothing_waits_and_nothing_is_reported(void **state)
{
    (void)state;
    w->is_direct = w->has_reports = true;
    w->message.asked = ASKED_HOLD;
    results(FAULT_REFUSED, FAULT_TRY_LATER, FAULT_NONE);
    assert_int_equal(w->told, 1);
    assert_int_equal(w->reports + w->moves + w->removals, 0);
    assert_int_equal(w->scheduled_s, 0);
}

static void a_copy_for_a_postmaster_is_dropped(void **state)
{
    (void)state;
    w->is_double = true;
    results(FAULT_REFUSED, FAULT_NONE, FAULT_NONE);
    assert_int_equal(w->removals, 1);
}

/* Its cleanup may have made the file durable, and said so. Without one nobody was told anything. */
static void in_memory_one_that_nobody_speaks_of_lives_on_in_its_file(void **state)
{
    (void)state;
    for (int has_file = 0; has_file < 2; has_file++) {
        teardown(state);
        setup(state);
        w->message.is_in_memory = true;
        w->message.has_file = has_file;
        results(FAULT_NONE, FAULT_TRY_LATER, FAULT_NONE);
        assert_int_equal(w->removals, !has_file);
        assert_int_equal(w->readied, has_file);
        assert_int_equal(w->message.is_found, has_file);
        assert_int_equal(w->qmgr.active_count, 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_delivered),
        TEST(by_lmtp_nothing_waits_and_nothing_is_reported),
        TEST(nothing_happens_before_it_is_reported),
        TEST(one_that_waits_makes_the_message_wait),
        TEST(what_could_not_be_reported_waits),
        TEST(what_can_never_be_reported_is_held),
        TEST(what_cannot_be_held_waits),
        TEST(what_is_too_old_has_failed_with_the_class_of_what_passes),
        TEST(reports_have_a_lifetime_of_their_own),
        TEST(what_was_told_stays_told),
        TEST(what_was_passed_on_is_told_of_by_others),
        TEST(a_single_result_is_kept_when_it_is_to_be_reported),
        TEST(the_worst_of_several_parts_counts),
        TEST(a_damaged_file_is_set_aside),
        TEST(what_an_admin_asked_for_is_done),
        TEST(there_is_nothing_left_to_hold),
        TEST(asked_in_the_middle_it_waits_for_the_end),
        TEST(a_copy_for_a_postmaster_is_dropped),
        TEST(in_memory_one_that_nobody_speaks_of_lives_on_in_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
