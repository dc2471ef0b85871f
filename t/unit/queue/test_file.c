/* A queue file comes back as it was written; cut anywhere or with any bit flipped it is refused, or what is left of it is whole
 * (HOSTILE 37). */
#include "queue/file.h"
#include "base/checksum.h"
#include "queue/id.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define CONTENT "Subject: x\r\n\r\nbody\r\n"
#define ADDED "Received: from here\r\n"

static const envelope envelope_given = {
    .reverse_path = STR_ROW("a@b.example"),
    .session = STR_ROW("S1"),
    .client_name = STR_ROW("unknown"),
    .client_address = STR_ROW("192.0.2.1"),
    .helo = STR_ROW("h"),
    .protocol = STR_ROW("ESMTPS"),
    .tls = STR_ROW("TLSv1.3"),
    .login = STR_ROW("u"),
    .envelope_id = STR_ROW("e"),
    .returns = STR_ROW("HDRS"),
    .flags = ENVELOPE_8BIT | ENVELOPE_SUBMITTED,
};
static const envelope_recipient to_given[2] = {
    { .address = STR_ROW("c@d.example"),
      .original = STR_ROW("C@d.example"),
      .transport = STR_ROW("local"),
      .nexthop = STR_ROW("c"),
      .orcpt = STR_ROW("rfc822;c"),
      .notify = NOTIFY_NEVER },
    { .address = STR_ROW("e@f.example"),
      .original = STR_ROW("e@f.example"),
      .transport = STR_ROW("error"),
      .nexthop = STR_ROW("5.1.1 User unknown") },
};

static int file_finish(uint64_t start, str content, uint32_t recipients, bool is_given, uint32_t prepared)
{
    int fd = memfd_create("queue-file", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, prepared), 0);
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    assert_true(queue_records_envelope(&records, &envelope_given));
    for (uint32_t i = 0; i < recipients; i++)
        assert_true(queue_records_recipient(&records, &to_given[i % 2]));
    if (!is_given)
        assert_int_equal(pwrite(fd, content.p, content.n, (off_t)start), content.n);
    queue_finish_args a = { .id = 4711,
                            .content = is_given ? content : STR_NONE,
                            .content_start = start,
                            .arrived_us = 5000000,
                            .content_bytes = content.n,
                            .content_checksum = checksum(0, content),
                            .recipient_count = recipients,
                            .prepared_bytes = prepared,
                            .added = STR(ADDED),
                            .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &a)));
    buf_free(&records);
    return fd;
}

static int file_make_at(uint64_t start, str content, uint32_t recipients)
{
    return file_finish(start, content, recipients, false, 0);
}

static int file_make(str content, uint32_t recipients)
{
    return file_make_at(QUEUE_CONTENT_START, content, recipients);
}

static fault read_back(int fd, arena *a, queue_message *out)
{
    *a = arena_new(0);
    return queue_read(fd, a, out);
}

static size_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (size_t)st.st_size;
}

static void same_recipient(const envelope_recipient *got, const envelope_recipient *want)
{
    assert_true(str_equal(got->address, want->address));
    assert_true(str_equal(got->original, want->original));
    assert_true(str_equal(got->transport, want->transport));
    assert_true(str_equal(got->nexthop, want->nexthop));
    assert_true(str_equal(got->orcpt, want->orcpt));
    assert_int_equal(got->notify, want->notify);
}

static void what_was_written_comes_back(void **state)
{
    int fd = file_make(STR(CONTENT), 2);
    arena a;
    queue_message m;
    char bytes[sizeof ADDED CONTENT];
    (void)state;
    assert_false(is_fault(read_back(fd, &a, &m)));
    assert_int_equal(m.head.id, 4711);
    assert_int_equal(m.head.arrived_us, 5000000);
    assert_int_equal(m.head.content_bytes, strlen(ADDED CONTENT));
    assert_int_equal(pread(fd, bytes, m.head.content_bytes, (off_t)m.head.content_offset), m.head.content_bytes);
    assert_memory_equal(bytes, ADDED CONTENT, m.head.content_bytes);
    assert_true(str_equal(m.envelope.reverse_path, envelope_given.reverse_path));
    assert_true(str_equal(m.envelope.returns, envelope_given.returns));
    assert_int_equal(m.envelope.flags, envelope_given.flags);
    assert_int_equal(m.head.recipient_count, 2);
    for (size_t i = 0; i < 2; i++) {
        same_recipient(&m.recipients[i], &to_given[i]);
        assert_int_equal(m.slots[i].state, SLOT_PENDING);
    }
    assert_int_equal(m.schedule.next_try_s, 0);
    assert_false(is_fault(queue_content_check(fd, &m.head)));
    arena_free(&a);
    close(fd);
}

/* Octet by octet: whether the content stood there or was given. */
static void a_given_content_makes_the_same_file(void **state)
{
    static char x[9000], want[20000], got[20000];
    const str contents[] = { STR_NONE, STR("x\r\n"), { x, sizeof x } };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(contents); k++) {
        int written = file_make(contents[k], 3), given = file_finish(QUEUE_CONTENT_START, contents[k], 3, true, 0);
        ssize_t n = pread(written, want, sizeof want, 0);
        assert_int_equal(pread(given, got, sizeof got, 0), n);
        assert_memory_equal(got, want, (size_t)n);
        close(written);
        close(given);
    }
}

static void sizes_at_the_edges(void **state)
{
    static char big[200000];
    const size_t sizes[] = { 0, 1, 64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, sizeof big };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (uint32_t recipients = 0; recipients < 300; recipients = recipients * 7 + 1) {
            int fd = file_make((str){ big, sizes[i] }, recipients);
            arena a;
            queue_message m;
            assert_false(is_fault(read_back(fd, &a, &m)));
            assert_int_equal(m.head.recipient_count, recipients);
            assert_false(is_fault(queue_content_check(fd, &m.head)));
            arena_free(&a);
            close(fd);
        }
}

static void states_are_rewritten_in_place(void **state)
{
    int fd = file_make(STR(CONTENT), 2);
    size_t size = size_of(fd);
    char reason[300];
    arena a;
    queue_message m;
    (void)state;
    memset(reason, 'r', sizeof reason);
    assert_false(is_fault(read_back(fd, &a, &m)));
    queue_slot s = queue_slot_make(SLOT_DEFERRED, 99, "4.2.0", (str){ reason, sizeof reason });
    assert_false(is_fault(queue_slot_write(fd, &m.head, 1, &s)));
    assert_false(is_fault(queue_schedule_write(fd, 12345, 3)));
    arena_free(&a);
    assert_false(is_fault(read_back(fd, &a, &m)));
    assert_int_equal(size_of(fd), size);
    assert_int_equal(m.slots[0].state, SLOT_PENDING);
    assert_int_equal(m.slots[1].state, SLOT_DEFERRED);
    assert_int_equal(m.slots[1].when_s, 99);
    assert_string_equal(m.slots[1].status, "4.2.0");
    assert_int_equal(strlen(m.slots[1].reason), sizeof m.slots[1].reason - 1);
    assert_int_equal(m.slots[1].told, 0);
    queue_slot_tell(&s, SLOT_TOLD_DELAY);
    queue_slot_tell(&s, SLOT_TOLD_FAILURE);
    assert_false(is_fault(queue_slot_write(fd, &m.head, 1, &s)));
    assert_false(is_fault(queue_read(fd, &a, &m)));
    assert_int_equal(m.slots[1].state, SLOT_DEFERRED);
    assert_int_equal(m.slots[1].told, SLOT_TOLD_DELAY | SLOT_TOLD_FAILURE);
    assert_int_equal(m.schedule.next_try_s, 12345);
    assert_int_equal(m.schedule.tries, 3);
    arena_free(&a);
    close(fd);
}

static void a_file_cut_anywhere_was_never_finished(void **state)
{
    int fd = file_make(STR(CONTENT), 2);
    size_t size = size_of(fd);
    (void)state;
    for (size_t n = size; n-- > 0;) {
        arena a;
        queue_message m;
        assert_int_equal(ftruncate(fd, (off_t)n), 0);
        assert_int_equal(read_back(fd, &a, &m).kind, FAULT_REFUSED);
        arena_free(&a);
    }
    close(fd);
}

static void bytes_behind_the_end_are_noticed(void **state)
{
    int fd = file_make(STR(CONTENT), 2);
    arena a;
    queue_message m;
    (void)state;
    assert_int_equal(pwrite(fd, "x", 1, (off_t)size_of(fd)), 1);
    assert_int_equal(read_back(fd, &a, &m).kind, FAULT_REFUSED);
    arena_free(&a);
    close(fd);
}

/* What a flipped bit may do: nothing, where no information stands; make a state pending; else it must be noticed. */
static void flip_check(int fd, size_t at, unsigned bit, const queue_head *head)
{
    unsigned char was, now;
    arena a;
    queue_message m;
    assert_int_equal(pread(fd, &was, 1, (off_t)at), 1);
    now = (unsigned char)(was ^ 1u << bit);
    assert_int_equal(pwrite(fd, &now, 1, (off_t)at), 1);
    fault f = read_back(fd, &a, &m);
    size_t end_at = size_of(fd) - sizeof(queue_end), slots_end = head->slots_offset + 2 * sizeof(queue_slot);
    bool is_gap = (at >= sizeof *head && at < head->content_offset) || (at >= slots_end && at < end_at);
    bool is_slot = at >= head->slots_offset && at < head->slots_offset + 2 * sizeof(queue_slot);
    bool is_content = at >= QUEUE_CONTENT_START && at < head->envelope_offset;
    if (is_gap || is_slot || is_content) {
        if (is_fault(f))
            fail_msg("bit %u at %zu: %s", bit, at, f.text);
        size_t in_slot = at - head->slots_offset;
        bool is_end_of_text = in_slot == offsetof(queue_slot, reason) - 1 || in_slot == sizeof(queue_slot) - 1;
        bool is_hit = is_slot && in_slot < sizeof(queue_slot) && !is_end_of_text; /* those NULs are known to be there */
        assert_int_equal(m.slots[0].state, is_hit ? SLOT_PENDING : SLOT_DELIVERED);
        assert_int_equal(queue_content_check(fd, &m.head).kind, is_content ? FAULT_BROKEN : FAULT_NONE);
    } else {
        assert_true(f.kind == FAULT_BROKEN || f.kind == FAULT_REFUSED);
    }
    arena_free(&a);
    assert_int_equal(pwrite(fd, &was, 1, (off_t)at), 1);
}

/* A content that cleanup changed stands behind the one that came; of that nothing is left. */
static void a_content_behind_another_comes_back(void **state)
{
    static char old[3 * QUEUE_CONTENT_START];
    char bytes[sizeof ADDED CONTENT];
    arena a;
    queue_message m;
    (void)state;
    for (size_t n = 0; n <= sizeof old; n += n < 2 ? 1 : QUEUE_CONTENT_START / 2 - 1) {
        uint64_t start = queue_content_behind(n);
        assert_true(start >= QUEUE_CONTENT_START + n + QUEUE_ADDED_MAX && start % QUEUE_CONTENT_START == 0);
        int fd = file_make_at(start, STR(CONTENT), 2);
        assert_false(is_fault(read_back(fd, &a, &m)));
        assert_int_equal(queue_content_start(&m.head), start);
        assert_int_equal(m.head.checked_bytes, strlen(CONTENT));
        assert_int_equal(pread(fd, bytes, m.head.content_bytes, (off_t)m.head.content_offset), m.head.content_bytes);
        assert_memory_equal(bytes, ADDED CONTENT, m.head.content_bytes);
        assert_false(is_fault(queue_content_check(fd, &m.head)));
        assert_int_equal(pwrite(fd, "Y", 1, (off_t)start), 1);
        assert_int_equal(queue_content_check(fd, &m.head).kind, FAULT_BROKEN);
        assert_int_equal(pwrite(fd, "Y", 1, (off_t)start - 3), 1); /* of the added fields */
        arena_free(&a);
        assert_int_equal(read_back(fd, &a, &m).kind, FAULT_BROKEN);
        arena_free(&a);
        close(fd);
    }
}

static void the_blocks_of_the_old_content_are_freed(void **state)
{
    static char old[64 * QUEUE_CONTENT_START];
    struct stat st;
    int fd = memfd_create("queue-file", MFD_CLOEXEC);
    (void)state;
    memset(old, 'x', sizeof old);
    assert_int_equal(pwrite(fd, old, sizeof old, QUEUE_CONTENT_START), sizeof old);
    uint64_t start = queue_content_behind(sizeof old);
    assert_int_equal(pwrite(fd, "x\r\n", 3, (off_t)start), 3);
    queue_finish_args a = { .id = 1, .content_start = start, .content_bytes = 3, .records = STR("") };
    assert_false(is_fault(queue_finish(fd, &a)));
    assert_int_equal(fstat(fd, &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 < sizeof old / 4);
    close(fd);
}

static void flips_check(int fd)
{
    size_t size = size_of(fd);
    arena a;
    queue_message m;
    assert_false(is_fault(read_back(fd, &a, &m)));
    queue_head head = m.head;
    arena_free(&a);
    queue_slot s = queue_slot_make(SLOT_DELIVERED, 1, "2.0.0", STR("done"));
    assert_false(is_fault(queue_slot_write(fd, &head, 0, &s)));
    for (size_t at = 0; at < size; at++)
        for (unsigned bit = 0; bit < 8; bit++)
            flip_check(fd, at, bit, &head);
    close(fd);
}

static void a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    flips_check(file_make(STR(CONTENT), 2));
    flips_check(file_finish(QUEUE_CONTENT_START, STR(CONTENT), 2, true, 2 * QUEUE_CONTENT_START));
}

/* It keeps its size while there is room, and grows when there is none. */
static void a_prepared_file_keeps_its_size(void **state)
{
    static char content[3 * QUEUE_CONTENT_START];
    const uint32_t prepared = 3 * QUEUE_CONTENT_START;
    (void)state;
    for (size_t n = 0; n < sizeof content; n += n < 2 ? 1 : 101) {
        int plain = file_make((str){ content, n }, 2);
        int fd = file_finish(QUEUE_CONTENT_START, (str){ content, n }, 2, true, prepared);
        arena a;
        queue_message m;
        assert_int_equal(size_of(fd), size_of(plain) > prepared ? size_of(plain) : prepared);
        assert_string_equal(read_back(fd, &a, &m).text, "");
        assert_int_equal(m.head.recipient_count, 2);
        assert_true(str_equal(m.recipients[1].nexthop, to_given[1].nexthop));
        assert_false(is_fault(queue_content_check(fd, &m.head)));
        arena_free(&a);
        close(plain);
        close(fd);
    }
}

/* The power goes while it is written over: some of its blocks are on the disk, of the others the zeros are. */
static void a_prepared_file_of_which_a_block_is_missing_is_no_message(void **state)
{
    enum { BLOCKS = 4, SIZE = BLOCKS * QUEUE_CONTENT_START };
    static char content[2 * QUEUE_CONTENT_START], whole[SIZE];
    (void)state;
    memset(content, 'x', sizeof content);
    int fd = file_finish(QUEUE_CONTENT_START, (str){ content, sizeof content }, 2, true, SIZE);
    assert_int_equal(pread(fd, whole, SIZE, 0), SIZE);
    for (unsigned there = 0; there < (1u << BLOCKS) - 1; there++) {
        arena a;
        queue_message m;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(ftruncate(fd, SIZE), 0);
        for (unsigned i = 0; i < BLOCKS; i++)
            if (there >> i & 1)
                assert_int_equal(pwrite(fd, whole + i * QUEUE_CONTENT_START, QUEUE_CONTENT_START,
                                        (off_t)(i * QUEUE_CONTENT_START)),
                                 QUEUE_CONTENT_START);
        fault f = read_back(fd, &a, &m);
        bool has_end = there >> (BLOCKS - 1);
        assert_int_equal(is_fault(f) ? f.kind : queue_content_check(fd, &m.head).kind,
                         has_end ? FAULT_BROKEN : FAULT_REFUSED);
        arena_free(&a);
    }
    close(fd);
}

/* A head that says less than there is leaves room for more than was prepared. */
static void too_much_between_slots_and_end_is_noticed(void **state)
{
    int fd = file_finish(QUEUE_CONTENT_START, STR(CONTENT), 2, true, QUEUE_PREPARED_MAX);
    int more = file_finish(QUEUE_CONTENT_START, STR(CONTENT), 2, true, 2 * QUEUE_PREPARED_MAX);
    arena a;
    queue_message m;
    (void)state;
    assert_false(is_fault(read_back(fd, &a, &m)));
    arena_free(&a);
    assert_int_equal(read_back(more, &a, &m).kind, FAULT_BROKEN);
    arena_free(&a);
    close(fd);
    close(more);
}

static void a_torn_state_is_pending_and_a_torn_schedule_is_none(void **state)
{
    int fd = file_make(STR(CONTENT), 1);
    arena a;
    queue_message m;
    (void)state;
    assert_false(is_fault(read_back(fd, &a, &m)));
    queue_slot s = queue_slot_make(SLOT_DELIVERED, 1, "2.0.0", STR("done"));
    for (size_t n = 0; n <= sizeof s; n++) {
        queue_slot zero = { 0 };
        assert_false(is_fault(queue_slot_write(fd, &m.head, 0, &zero)));
        assert_int_equal(pwrite(fd, &s, n, (off_t)m.head.slots_offset), n);
        arena_free(&a);
        assert_false(is_fault(read_back(fd, &a, &m)));
        bool is_whole = memcmp(&s, &zero, sizeof s) == 0 || n >= offsetof(queue_slot, reason) + strlen("done");
        assert_int_equal(m.slots[0].state, is_whole ? SLOT_DELIVERED : SLOT_PENDING);
    }
    assert_false(is_fault(queue_schedule_write(fd, 7, 1)));
    assert_int_equal(pwrite(fd, "\377", 1, QUEUE_SCHEDULE_AT + 7), 1);
    arena_free(&a);
    assert_false(is_fault(read_back(fd, &a, &m)));
    assert_int_equal(m.schedule.next_try_s, 0);
    assert_int_equal(m.schedule.tries, 0);
    arena_free(&a);
    close(fd);
}

static void limits_hold(void **state)
{
    static char added[QUEUE_ADDED_MAX + 1];
    int fd = memfd_create("queue-file", MFD_CLOEXEC);
    buf records = buf_new(100000);
    (void)state;
    assert_true(queue_records_envelope(&records, &envelope_given));
    queue_finish_args a = { .id = 1, .records = buf_str(&records), .added = { added, QUEUE_ADDED_MAX } };
    assert_false(is_fault(queue_finish(fd, &a)));
    a.added.n++;
    assert_int_equal(queue_finish(fd, &a).kind, FAULT_BUG);
    static char huge[20000];
    envelope_recipient r = { .address = { huge, 17000 } };
    size_t before = records.n;
    assert_false(queue_records_recipient(&records, &r));
    assert_int_equal(records.n, before);
    buf small = buf_new(10);
    assert_false(queue_records_envelope(&small, &envelope_given));
    buf_free(&small);
    buf_free(&records);
    close(fd);
}

static void a_head_of_another_file_is_refused(void **state)
{
    int fd = file_make(STR(CONTENT), 2), other = file_make(STR(CONTENT CONTENT), 2);
    unsigned char heads[2][sizeof(queue_head)];
    arena a;
    queue_message m;
    (void)state;
    assert_int_equal(pread(fd, heads[0], sizeof heads[0], 0), sizeof heads[0]);
    assert_int_equal(pread(other, heads[1], sizeof heads[1], 0), sizeof heads[1]);
    assert_int_equal(pwrite(fd, heads[1], sizeof heads[1], 0), sizeof heads[1]);
    assert_int_equal(pwrite(other, heads[0], sizeof heads[0], 0), sizeof heads[0]);
    assert_int_equal(read_back(fd, &a, &m).kind, FAULT_BROKEN);
    arena_free(&a);
    assert_int_equal(read_back(other, &a, &m).kind, FAULT_BROKEN);
    arena_free(&a);
    close(fd);
    close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(a_given_content_makes_the_same_file),
        cmocka_unit_test(sizes_at_the_edges),
        cmocka_unit_test(states_are_rewritten_in_place),
        cmocka_unit_test(a_file_cut_anywhere_was_never_finished),
        cmocka_unit_test(bytes_behind_the_end_are_noticed),
        cmocka_unit_test(a_flipped_bit_is_noticed),
        cmocka_unit_test(a_prepared_file_keeps_its_size),
        cmocka_unit_test(a_prepared_file_of_which_a_block_is_missing_is_no_message),
        cmocka_unit_test(too_much_between_slots_and_end_is_noticed),
        cmocka_unit_test(a_content_behind_another_comes_back),
        cmocka_unit_test(the_blocks_of_the_old_content_are_freed),
        cmocka_unit_test(a_torn_state_is_pending_and_a_torn_schedule_is_none),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_head_of_another_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
