/* SOURCES:  NEEDS: ctl_common */
/* The queue of a stopped suite, read from its folders. */
#include "t/unit/ctl/queue.h"

static unsigned seen;

static void on_entry(void *context, const queue_entry *e)
{
    (void)context;
    seen++;
    assert_false(is_fault(e->fault));
    assert_int_equal(e->file.head.recipient_count, 1);
    assert_true(str_equal(e->file.recipients[0].address, STR("u@l.example")));
    assert_int_equal(e->place, strcmp(e->id.text, queue_id_text(1000).text) == 0 ? QUEUE_ACTIVE : QUEUE_HOLD);
}

static void all_are_seen_and_one_is_found(void **state)
{
    parsed p;
    (void)state;
    assert_true(config_open(folder, false, &p));
    const config *c = &p.base.config;
    seen = 0;
    queue_looked l = queue_look(c, on_entry, NULL);
    assert_false(l.is_running || is_fault(l.fault));
    assert_int_equal(l.count, 2);
    assert_int_equal(seen, 2);
    l = queue_look_one(c, str_c(queue_id_text(1001).text), on_entry, NULL);
    assert_false(is_fault(l.fault));
    assert_int_equal(seen, 3);
    l = queue_look_one(c, str_c(queue_id_text(7).text), on_entry, NULL);
    assert_int_equal(l.fault.kind, FAULT_REFUSED);
    assert_int_equal(seen, 3);
    parsed_free(&p);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(slot_state_text(SLOT_DEFERRED), "deferred");
    assert_string_equal(slot_state_text(200), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(all_are_seen_and_one_is_found, setup, teardown),
                                        cmocka_unit_test(states_have_names) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
