/* SOURCES:  NEEDS: ctl_common */
/* How one message is told. */
#include "t/unit/ctl/queue.h"
#include <fcntl.h>
#include <unistd.h>

static void a_file_is_read_or_says_what_is_wrong(void **state)
{
    char path[200];
    arena a = arena_new(0);
    queue_entry e = { .id = 1000, .place = QUEUE_ACTIVE };
    (void)state;
    snprintf(path, sizeof path, "%s/spool/queue/active/%s", folder, queue_id_text(1000).text);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    queue_entry_read(fd, &a, &e);
    assert_false(is_fault(e.fault));
    assert_int_equal(e.file.head.recipient_count, 1);
    assert_true(slot_is_open(&e.file.slots[0]));
    assert_int_equal(ftruncate(fd, 5000), 0);
    e = (queue_entry){ .id = 1000, .place = QUEUE_ACTIVE };
    queue_entry_read(fd, &a, &e);
    assert_int_equal(e.fault.kind, FAULT_REFUSED);
    assert_int_equal(e.file.head.recipient_count, 0);
    close(fd);
    arena_free(&a);
}

static void states_have_names(void **state)
{
    (void)state;
    assert_string_equal(slot_state_text(SLOT_DEFERRED), "deferred");
    assert_string_equal(slot_state_text(200), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_or_says_what_is_wrong, setup, teardown),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
