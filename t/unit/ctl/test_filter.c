/* SOURCES: ctl/queue/filter.c  NEEDS: ctl_common */
#include "ctl/queue/filter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { NOW_S = 1000000 };

static envelope_recipient to[3] = {
    { .address = STR_ROW("done@d.example"), .transport = STR_ROW("local"), .nexthop = STR_ROW("done") },
    { .address = STR_ROW("late@D.example"),
      .original = STR_ROW("team@d.example"),
      .transport = STR_ROW("local"),
      .nexthop = STR_ROW("late") },
    { .address = STR_ROW("far@e.example"), .transport = STR_ROW("smtp"), .nexthop = STR_ROW("[mx.e.example]:25") },
};
static queue_slot slots[3];
static queue_entry entry = { .id = 1, .place = QUEUE_DEFERRED };

static int setup(void **state)
{
    (void)state;
    slots[0] = queue_slot_make(SLOT_DELIVERED, 1, "2.0.0", STR("delivered"));
    slots[1] = queue_slot_make(SLOT_DEFERRED, 1, "4.2.2", STR("Mailbox full"));
    slots[2] = queue_slot_make(SLOT_PENDING, 0, "", STR_NONE);
    entry.file = (queue_message){ .head = { .content_bytes = 5000, .recipient_count = 3 },
                                  .envelope = { .reverse_path = STR("From@one.example"), .login = STR("uid:7") },
                                  .recipients = to,
                                  .slots = slots };
    return 0;
}

static bool fits(queue_filter f)
{
    assert_false(is_fault(filter_read(&f, NOW_S, false)));
    assert_true(f.needs_files);
    return filter_fits_entry(&f, &entry);
}

static void envelopes(void **state)
{
    (void)state;
    assert_true(fits((queue_filter){ .sender = "from@ONE.example" }));
    assert_true(fits((queue_filter){ .sender = "one.example" }));
    assert_true(fits((queue_filter){ .sender = "@one.*" }));
    assert_false(fits((queue_filter){ .sender = "<>" }));
    assert_false(fits((queue_filter){ .sender = "om@one.example" }));
    assert_true(fits((queue_filter){ .login = "uid:7" }));
    assert_true(fits((queue_filter){ .login = "uid:*" }));
    assert_false(fits((queue_filter){ .login = "uid:70" }));
    entry.file.envelope.reverse_path = STR_NONE;
    assert_true(fits((queue_filter){ .sender = "<>" }));
    assert_false(fits((queue_filter){ .sender = "one.example" }));
}

static void recipients_that_wait(void **state)
{
    (void)state;
    assert_true(fits((queue_filter){ .recipient = "late@d.example" }));
    assert_true(fits((queue_filter){ .recipient = "team@d.example" }));
    assert_false(fits((queue_filter){ .recipient = "done@d.example" }));
    assert_true(fits((queue_filter){ .destination = "d.example" }));
    assert_true(fits((queue_filter){ .destination = "late" }));
    assert_true(fits((queue_filter){ .destination = "smtp:*" }));
    assert_false(fits((queue_filter){ .destination = "done" }));
    assert_true(fits((queue_filter){ .reason = "mailbox FULL" }));
    assert_true(fits((queue_filter){ .reason = "4.2" }));
    assert_false(fits((queue_filter){ .reason = "delivered" }));
    assert_true(fits((queue_filter){ .destination = "d.example", .reason = "full" }));
    assert_false(fits((queue_filter){ .destination = "e.example", .reason = "full" })); /* of the same recipient */
}

static void sizes(void **state)
{
    (void)state;
    assert_true(fits((queue_filter){ .size = ">4999" }));
    assert_false(fits((queue_filter){ .size = ">5000" }));
    assert_true(fits((queue_filter){ .size = "5000" }));
    assert_false(fits((queue_filter){ .size = "5001" }));
    assert_true(fits((queue_filter){ .size = "<5001" }));
    assert_false(fits((queue_filter){ .size = "<5000" }));
    assert_true(fits((queue_filter){ .size = "<5k" }));
    entry.fault = fault_make(FAULT_BROKEN, "", "damaged");
    assert_false(fits((queue_filter){ .size = "<5k" }));
    entry.fault = NO_FAULT;
}

static bool row_fits(queue_filter f, queue_place place, uint64_t age_s, bool with_damaged)
{
    queue_row r = { .place = (uint8_t)place, .arrived_s = NOW_S - age_s };
    assert_false(is_fault(filter_read(&f, NOW_S, with_damaged)));
    assert_false(f.needs_files);
    return filter_fits_row(&f, &r);
}

static void rows(void **state)
{
    (void)state;
    assert_true(row_fits((queue_filter){ 0 }, QUEUE_HOLD, 5, false));
    assert_false(row_fits((queue_filter){ 0 }, QUEUE_CORRUPT, 5, false));
    assert_true(row_fits((queue_filter){ 0 }, QUEUE_CORRUPT, 5, true));
    assert_true(row_fits((queue_filter){ .status = "corrupt" }, QUEUE_CORRUPT, 5, false));
    assert_false(row_fits((queue_filter){ .status = "deferred,active" }, QUEUE_HOLD, 5, false));
    assert_true(row_fits((queue_filter){ .status = "deferred,active" }, QUEUE_ACTIVE, 5, false));
    assert_true(row_fits((queue_filter){ .older = "2h" }, QUEUE_HOLD, 7200, false));
    assert_false(row_fits((queue_filter){ .older = "2h" }, QUEUE_HOLD, 7199, false));
    assert_false(row_fits((queue_filter){ .newer = "2h" }, QUEUE_HOLD, 7200, false));
    assert_true(row_fits((queue_filter){ .newer = "2h" }, QUEUE_HOLD, 7199, false));
}

static void mistakes(void **state)
{
    queue_filter wrong[] = { { .older = "soon" },     { .older = "" },          { .newer = "-1" },
                             { .size = "big" },       { .size = ">" },          { .size = "<0" },
                             { .status = "lost" },    { .status = "incoming" }, { .size = "1x" },
                             { .status = "hold;all" } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        fault f = filter_read(&wrong[i], NOW_S, false);
        assert_int_equal(f.kind, FAULT_REFUSED);
        assert_string_equal(f.status, "5.4");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(envelopes, setup),
        cmocka_unit_test_setup(recipients_that_wait, setup),
        cmocka_unit_test_setup(sizes, setup),
        cmocka_unit_test(rows),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
