/* A file made from another has its content, and what it says now; a damaged content goes no further. */
#include "queue/rewrite.h"
#include "base/checksum.h"
#include "os/file.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define ADDED "Received: from here\r\n"

static const envelope from = { .reverse_path = STR_ROW("a@b.example"),
                               .login = STR_ROW("uid:7"),
                               .flags = ENVELOPE_HOLD };
static const envelope_recipient to[2] = {
    { .address = STR_ROW("c@d.example"),
      .original = STR_ROW("C@d.example"),
      .transport = STR_ROW("local"),
      .nexthop = STR_ROW("c") },
    { .address = STR_ROW("e@f.example"), .transport = STR_ROW("error"), .nexthop = STR_ROW("5.1.1 User unknown") },
};

static int file_make(str content)
{
    int fd = memfd_create("old", MFD_CLOEXEC);
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    assert_true(queue_records_envelope(&records, &from));
    assert_true(queue_records_recipient(&records, &to[0]) && queue_records_recipient(&records, &to[1]));
    assert_true(file_pwrite_all(fd, content, QUEUE_CONTENT_START));
    queue_finish_args a = { .id = 4711,
                            .arrived_us = 5,
                            .content_bytes = content.n,
                            .content_checksum = checksum(0, content),
                            .recipient_count = 2,
                            .added = STR(ADDED),
                            .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &a)));
    buf_free(&records);
    return fd;
}

static void changed_file_reads_back(str content)
{
    int old = file_make(content), new = memfd_create("new", MFD_CLOEXEC);
    arena a = arena_new(0);
    queue_message m, got;
    assert_false(is_fault(queue_read(old, &a, &m)));
    m.head.id = 4712;
    m.head.recipient_count = 1;
    m.recipients[0].nexthop = STR("a longer next hop than before");
    m.slots[0] = queue_slot_make(SLOT_DEFERRED, 9, "4.4.1", STR("no answer"));
    m.envelope.flags = 0;
    m.schedule = (queue_schedule){ .next_try_s = 77, .tries = 3 };
    assert_false(is_fault(queue_rewrite(old, &m, new)));
    assert_false(is_fault(queue_read(new, &a, &got)));
    assert_false(is_fault(queue_content_check(new, &got.head)));
    assert_int_equal(got.head.id, 4712);
    assert_int_equal(got.head.arrived_us, 5);
    assert_int_equal(got.head.recipient_count, 1);
    assert_int_equal(got.head.content_bytes, content.n + sizeof ADDED - 1);
    assert_true(str_equal(got.envelope.login, STR("uid:7")));
    assert_int_equal(got.envelope.flags, 0);
    assert_true(str_equal(got.recipients[0].nexthop, STR("a longer next hop than before")));
    assert_true(str_equal(got.recipients[0].original, STR("C@d.example")));
    assert_int_equal(got.slots[0].state, SLOT_DEFERRED);
    assert_string_equal(got.slots[0].reason, "no answer");
    assert_int_equal(got.schedule.next_try_s, 77);
    assert_int_equal(got.schedule.tries, 3);
    arena_free(&a);
    close(old);
    close(new);
}

static void what_is_changed_is_there_and_the_rest_stays(void **state)
{
    static char large[200 * 1024];
    (void)state;
    changed_file_reads_back(STR(""));
    changed_file_reads_back(STR("Subject: x\r\n\r\nbody\r\n"));
    memset(large, 'x', sizeof large);
    for (size_t n = 64 * 1024 - 1; n <= 64 * 1024 + 1; n++)
        changed_file_reads_back((str){ large, n });
    changed_file_reads_back((str){ large, sizeof large });
}

static void damage_is_not_copied(void **state)
{
    int old = file_make(STR("Subject: x\r\n\r\nbody\r\n")), new = memfd_create("new", MFD_CLOEXEC);
    arena a = arena_new(0);
    queue_message m, got;
    (void)state;
    assert_false(is_fault(queue_read(old, &a, &m)));
    assert_true(file_pwrite_all(old, STR("?"), QUEUE_CONTENT_START + 3));
    assert_int_equal(queue_rewrite(old, &m, new).kind, FAULT_BROKEN);
    assert_true(is_fault(queue_read(new, &a, &got))); /* nothing that could be taken for a message */
    arena_free(&a);
    close(old);
    close(new);
}

static void a_file_that_cannot_be_written_is_a_fault(void **state)
{
    int old = file_make(STR("Subject: x\r\n\r\nbody\r\n")), null = open("/dev/full", O_RDWR | O_CLOEXEC);
    arena a = arena_new(0);
    queue_message m;
    (void)state;
    assert_false(is_fault(queue_read(old, &a, &m)));
    assert_int_equal(queue_rewrite(old, &m, null).kind, FAULT_TRY_LATER);
    arena_free(&a);
    close(old);
    close(null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_changed_is_there_and_the_rest_stays),
        cmocka_unit_test(damage_is_not_copied),
        cmocka_unit_test(a_file_that_cannot_be_written_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
