/* SOURCES: ctl/queue/again.c  NEEDS: queue */
/* Which recipients begin again, and from which address. */
#include "ctl/queue/again.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct given {
    const char *address, *original;
    slot_state state;
    uint8_t told;
} given;

static void expect(const given *rows, uint32_t count, const char *wanted)
{
    arena a = arena_new(0);
    queue_message m = { .head = { .recipient_count = count },
                        .schedule = { .next_try_s = 99, .tries = 7 },
                        .envelope = { .flags = ENVELOPE_HOLD | ENVELOPE_8BIT },
                        .recipients = ARENA_ARRAY(&a, envelope_recipient, count),
                        .slots = ARENA_ARRAY(&a, queue_slot, count) };
    char got[400] = "";
    for (uint32_t i = 0; i < count; i++) {
        m.recipients[i] = (envelope_recipient){ .address = str_c(rows[i].address),
                                                .original = str_c(rows[i].original),
                                                .transport = STR("local"),
                                                .nexthop = STR("x"),
                                                .sender = STR("owner@x") };
        m.slots[i] = queue_slot_make(rows[i].state, 5, "4.0.0", STR("why"));
        queue_slot_tell(&m.slots[i], rows[i].told);
    }
    bool is_changed = again_change(NULL, &m, &a);
    for (uint32_t i = 0; i < m.head.recipient_count && is_changed; i++) {
        size_t n = strlen(got);
        snprintf(got + n, sizeof got - n, "%.*s%s ", STR_ARG(m.recipients[i].address),
                 m.slots[i].state == SLOT_PENDING && m.recipients[i].transport.n == 0 ? "" : "=");
    }
    assert_string_equal(got, wanted);
    if (is_changed) {
        assert_int_equal(m.schedule.tries, 0);
        assert_int_equal(m.envelope.flags, ENVELOPE_8BIT);
    }
    arena_free(&a);
}

#define EXPECT(rows, wanted) expect(rows, COUNT_OF(rows), wanted)

static void what_is_open_begins_with_what_was_said(void **state)
{
    static const given one[] = { { "a@x", "A@x", SLOT_DEFERRED, 0 } };
    static const given none_said[] = { { "a@x", "", SLOT_PENDING, 0 } };
    static const given failed[] = { { "a@x", "team@x", SLOT_FAILED, 0 } };
    (void)state;
    EXPECT(one, "A@x ");
    EXPECT(none_said, "a@x ");
    EXPECT(failed, "team@x ");
}

static void siblings_are_expanded_once(void **state)
{
    static const given team[] = { { "a@x", "team@x", SLOT_DEFERRED, 0 },
                                  { "b@x", "team@x", SLOT_FAILED, 0 },
                                  { "c@x", "c@x", SLOT_PENDING, 0 } };
    (void)state;
    EXPECT(team, "team@x c@x ");
}

static void what_has_it_does_not_get_it_again(void **state)
{
    static const given some[] = { { "a@x", "team@x", SLOT_DEFERRED, 0 },
                                  { "b@x", "team@x", SLOT_DELIVERED, 0 },
                                  { "c@x", "team@x", SLOT_PENDING, 0 } };
    static const given all[] = { { "b@x", "b@x", SLOT_DELIVERED, 0 } };
    (void)state;
    EXPECT(some, "a@x b@x= c@x ");
    EXPECT(all, "");
}

static void what_was_reported_stays_failed(void **state)
{
    static const given told[] = { { "a@x", "a@x", SLOT_FAILED, SLOT_TOLD_FAILURE },
                                  { "b@x", "b@x", SLOT_DEFERRED, SLOT_TOLD_DELAY } };
    static const given only[] = { { "a@x", "a@x", SLOT_FAILED, SLOT_TOLD_FAILURE } };
    (void)state;
    EXPECT(told, "a@x= b@x ");
    EXPECT(only, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_open_begins_with_what_was_said),
        cmocka_unit_test(siblings_are_expanded_once),
        cmocka_unit_test(what_has_it_does_not_get_it_again),
        cmocka_unit_test(what_was_reported_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
