#include "queue/file.h"
#include "base/checksum.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "queue files are little-endian"
#endif

_Static_assert(sizeof(queue_head) == 88 && sizeof(queue_slot) == 128 && sizeof(queue_end) == 32, "as on disk");
_Static_assert(sizeof(queue_head) <= QUEUE_SCHEDULE_AT, "head and schedule do not overlap");

static const char head_magic[8] = "PRQUEUE1", end_magic[8] = "PRQ-END1";
enum { RECORD_MAX = 16 * 1024 };

#define CHECKSUM_UPTO(s, member) checksum(0, (str){ (const char *)(s), offsetof(__typeof__(*(s)), member) })

static fault damaged(const char *what)
{
    return fault_make(FAULT_BROKEN, "3.0", "the queue file is damaged: %s", what);
}

static fault unfinished(void)
{
    return fault_make(FAULT_REFUSED, "3.0", "the queue file was never finished");
}

static fault bytes_write(int fd, str bytes, uint64_t offset)
{
    return file_pwrite_all(fd, bytes, (off_t)offset) ? NO_FAULT : fault_errno("write the queue file");
}

static fault bytes_read(int fd, void *out, size_t n, uint64_t offset)
{
    size_t got;
    if (!file_pread_all(fd, out, n, (off_t)offset, &got))
        return fault_errno("read the queue file");
    return got == n ? NO_FAULT : damaged("it is too short");
}

/* Appends a length and then what `encode` writes. */
#define RECORD_APPEND(records, message, m)                                \
    do {                                                                  \
        if (!buf_reserve((records), RECORD_MAX))                          \
            return false;                                                 \
        unsigned char *at = (unsigned char *)(records)->p + (records)->n; \
        frame f = { at, sizeof(uint32_t), RECORD_MAX, false };            \
        if (!message##_encode((m), &f))                                   \
            return false;                                                 \
        uint32_t bytes = (uint32_t)(f.n - sizeof(uint32_t));              \
        memcpy(at, &bytes, sizeof bytes);                                 \
        (records)->n += f.n;                                              \
        return true;                                                      \
    } while (0)

bool queue_records_envelope(buf *records, const envelope *e)
{
    RECORD_APPEND(records, envelope, e);
}

bool queue_records_recipient(buf *records, const envelope_recipient *r)
{
    RECORD_APPEND(records, envelope_recipient, r);
}

str queue_domain(str address)
{
    return str_from(address, str_find_last(address, '@') + 1);
}

uint64_t queue_content_behind(uint64_t content_bytes)
{
    uint64_t end = QUEUE_CONTENT_START + content_bytes;
    return (end + QUEUE_CONTENT_START - 1) / QUEUE_CONTENT_START * QUEUE_CONTENT_START + QUEUE_CONTENT_START;
}

/* The blocks of a content that was replaced, where the file system can free them; nobody reads them any more. */
static void old_content_free(int fd, uint64_t content_start)
{
    off_t bytes = (off_t)(content_start - 2 * QUEUE_CONTENT_START);
    if (bytes > 0)
        (void)fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, QUEUE_CONTENT_START, bytes);
}

static fault parts_write(int fd, const struct iovec *parts, int count, uint64_t bytes)
{
    ssize_t n = pwritev(fd, parts, count, 0);
    if (n >= 0 && (uint64_t)n != bytes)
        errno = ENOSPC;
    return n >= 0 && (uint64_t)n == bytes ? NO_FAULT : fault_errno("write the queue file");
}

/* The parts that are neighbours in one call: added fields stand in front of the content, which may be given. */
static fault all_write(int fd, const queue_head *head, const queue_finish_args *a, str tail)
{
    static const char zeros[QUEUE_CONTENT_START];
    uint64_t start = queue_content_start(head);
    bool is_behind = start != QUEUE_CONTENT_START;
    const struct iovec parts[] = {
        { (void *)(uintptr_t)head, sizeof *head },
        { (void *)(uintptr_t)zeros, QUEUE_CONTENT_START - sizeof *head - (is_behind ? 0 : a->added.n) },
        { (void *)(uintptr_t)a->added.p, a->added.n },
        { (void *)(uintptr_t)a->content.p, a->content.n },
        { (void *)(uintptr_t)tail.p, tail.n },
    };
    if (a->content.n)
        return parts_write(fd, parts, 5, QUEUE_CONTENT_START + a->content.n + tail.n);
    fault f = parts_write(fd, parts, is_behind ? 2 : 3, QUEUE_CONTENT_START);
    if (is_behind && !is_fault(f)) {
        old_content_free(fd, start);
        f = bytes_write(fd, a->added, head->content_offset);
    }
    return is_fault(f) ? f : bytes_write(fd, tail, head->envelope_offset);
}

/* Slots are zeros at first, and so is what is left of a prepared file. */
static buf tail_make(str records, size_t zeros, const queue_end *end)
{
    buf tail = buf_new(records.n + zeros + sizeof *end);
    buf_reserve(&tail, tail.max);
    buf_append(&tail, records);
    memset(tail.p + tail.n, 0, zeros);
    tail.n += zeros;
    buf_append(&tail, (str){ (const char *)end, sizeof *end });
    return tail;
}

static uint64_t content_start(const queue_finish_args *a)
{
    return a->content_start ? a->content_start : QUEUE_CONTENT_START;
}

uint64_t queue_finished_bytes(const queue_finish_args *a)
{
    return content_start(a) + a->content_bytes + a->records.n + sizeof(queue_slot) * (uint64_t)a->recipient_count +
           sizeof(queue_end);
}

fault queue_finish(int fd, const queue_finish_args *a)
{
    if (a->added.n > QUEUE_ADDED_MAX)
        return fault_make(FAULT_BUG, "3.0", "too much in front of the content: %zu", a->added.n);
    uint64_t start = content_start(a), least = queue_finished_bytes(a);
    queue_head head = {
        .id = a->id,
        .arrived_us = a->arrived_us,
        .content_offset = start - a->added.n,
        .content_bytes = a->added.n + a->content_bytes,
        .checked_bytes = a->content_bytes,
        .envelope_offset = start + a->content_bytes,
        .envelope_bytes = a->records.n,
        .slots_offset = start + a->content_bytes + a->records.n,
        .recipient_count = a->recipient_count,
        .content_checksum = a->content_checksum,
    };
    memcpy(head.magic, head_magic, sizeof head.magic);
    head.head_checksum = CHECKSUM_UPTO(&head, head_checksum);
    queue_end end = {
        .id = a->id,
        .file_bytes = least < a->prepared_bytes ? a->prepared_bytes : least,
        .envelope_checksum = checksum(checksum(0, a->added), a->records),
    };
    memcpy(end.magic, end_magic, sizeof end.magic);
    end.end_checksum = CHECKSUM_UPTO(&end, end_checksum);
    buf tail = tail_make(a->records, end.file_bytes - sizeof end - head.slots_offset, &end);
    fault f = all_write(fd, &head, a, buf_str(&tail));
    buf_free(&tail);
    return f;
}

/* The sizes in a head must fit each other and the file before anything is read by them. */
static bool is_plausible(const queue_head *h, uint64_t file_bytes)
{
    uint64_t slots_bytes = sizeof(queue_slot) * (uint64_t)h->recipient_count;
    uint64_t least = h->slots_offset + slots_bytes + sizeof(queue_end);
    return h->content_offset < file_bytes && h->checked_bytes < file_bytes && h->content_bytes >= h->checked_bytes &&
           h->content_bytes - h->checked_bytes <= QUEUE_ADDED_MAX && queue_content_start(h) >= QUEUE_CONTENT_START &&
           queue_content_start(h) % QUEUE_CONTENT_START == 0 && h->envelope_bytes <= QUEUE_ENVELOPE_MAX &&
           h->envelope_offset == queue_content_start(h) + h->checked_bytes &&
           h->slots_offset == h->envelope_offset + h->envelope_bytes &&
           least <= file_bytes && file_bytes - least < QUEUE_PREPARED_MAX;
}

static bool record_next(str *rest, str *out)
{
    uint32_t bytes;
    if (rest->n < sizeof bytes)
        return false;
    memcpy(&bytes, rest->p, sizeof bytes);
    *rest = str_from(*rest, sizeof bytes);
    if (bytes > rest->n)
        return false;
    *out = str_upto(*rest, bytes);
    *rest = str_from(*rest, bytes);
    return true;
}

static fault records_decode(str records, arena *a, queue_message *out)
{
    str record;
    if (!record_next(&records, &record) || envelope_decode(record, &out->envelope) != PARSE_DONE)
        return damaged("envelope");
    out->recipients = ARENA_ARRAY(a, envelope_recipient, out->head.recipient_count);
    for (uint32_t i = 0; i < out->head.recipient_count; i++)
        if (!record_next(&records, &record) || envelope_recipient_decode(record, &out->recipients[i]) != PARSE_DONE)
            return damaged("recipients");
    return records.n == 0 ? NO_FAULT : damaged("envelope");
}

static void slots_check(queue_message *m)
{
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        queue_slot *s = &m->slots[i];
        str covered = { (const char *)s + sizeof s->checksum, sizeof *s - sizeof s->checksum };
        s->status[sizeof s->status - 1] = s->reason[sizeof s->reason - 1] = '\0';
        if (s->state > SLOT_FAILED || s->checksum != checksum(0, covered))
            *s = (queue_slot){ 0 };
    }
}

static bool is_head(const queue_head *h)
{
    return memcmp(h->magic, head_magic, sizeof head_magic) == 0 && h->head_checksum == CHECKSUM_UPTO(h, head_checksum);
}

static void schedule_check(queue_schedule *s)
{
    if (s->checksum != CHECKSUM_UPTO(s, checksum))
        *s = (queue_schedule){ 0 };
}

/* Head and schedule stand in the first so many octets. */
typedef struct queue_front {
    queue_head head;
    char gap[QUEUE_SCHEDULE_AT - sizeof(queue_head)];
    queue_schedule schedule;
} queue_front;

fault queue_times_read(int fd, uint64_t *arrived_s_out, queue_schedule *out)
{
    queue_front front;
    fault f = bytes_read(fd, &front, sizeof front, 0);
    if (!is_fault(f) && !is_head(&front.head))
        f = damaged("head");
    if (is_fault(f))
        return f;
    schedule_check(&front.schedule);
    *arrived_s_out = front.head.arrived_us / 1000000;
    *out = front.schedule;
    return NO_FAULT;
}

static bool is_end(const queue_end *e, uint64_t file_bytes)
{
    return memcmp(e->magic, end_magic, sizeof e->magic) == 0 && e->file_bytes == file_bytes &&
           e->end_checksum == CHECKSUM_UPTO(e, end_checksum);
}

/* What stands behind the content and in front of the end: envelope, slots. */
static fault tail_decode(str added, char *tail, const queue_end *end, arena *a, queue_message *out)
{
    queue_head *h = &out->head;
    size_t slots_bytes = sizeof(queue_slot) * h->recipient_count;
    str records = { tail, h->envelope_bytes };
    if (end->id != h->id)
        return damaged("head");
    if (checksum(checksum(0, added), records) != end->envelope_checksum)
        return damaged("checksum of the envelope");
    out->slots = ARENA_ARRAY(a, queue_slot, h->recipient_count);
    memcpy(out->slots, tail + records.n, slots_bytes);
    slots_check(out);
    return records_decode(records, a, out);
}

/* A file whose end mark is not there was never finished, whatever else is wrong with it. */
static fault end_check(int fd, uint64_t file_bytes)
{
    queue_end end;
    fault f = bytes_read(fd, &end, sizeof end, file_bytes - sizeof end);
    return is_fault(f) || is_end(&end, file_bytes) ? f : unfinished();
}

/* In front of a content that was changed they stand elsewhere than in the first octets. */
static fault added_read(int fd, const char *first, const queue_head *h, arena *a, str *out)
{
    *out = (str){ first + h->content_offset, (size_t)(h->content_bytes - h->checked_bytes) };
    if (queue_content_start(h) == QUEUE_CONTENT_START)
        return NO_FAULT;
    char *bytes = arena_get(a, out->n);
    out->p = bytes;
    return bytes_read(fd, bytes, out->n, h->content_offset);
}

/* A small file is read at once, of a large one what stands in front of the content and what stands behind it. */
fault queue_read(int fd, arena *a, queue_message *out)
{
    static char start[4 * QUEUE_CONTENT_START]; /* one loop, one thread */
    queue_front front;
    struct stat st;
    *out = (queue_message){ 0 };
    if (fstat(fd, &st) != 0)
        return fault_errno("stat the queue file");
    uint64_t file_bytes = (uint64_t)st.st_size;
    if (file_bytes < QUEUE_CONTENT_START + sizeof(queue_end))
        return unfinished();
    bool is_whole = file_bytes <= sizeof start;
    fault f = bytes_read(fd, start, is_whole ? (size_t)file_bytes : QUEUE_CONTENT_START, 0);
    if (is_fault(f))
        return f;
    memcpy(&front, start, sizeof front);
    if (!is_head(&front.head) || !is_plausible(&front.head, file_bytes)) {
        f = end_check(fd, file_bytes);
        return is_fault(f) ? f : damaged("head");
    }
    out->head = front.head;
    out->schedule = front.schedule;
    schedule_check(&out->schedule);
    size_t tail_bytes = (size_t)(file_bytes - out->head.envelope_offset);
    char *tail = arena_get(a, tail_bytes);
    if (is_whole)
        memcpy(tail, start + out->head.envelope_offset, tail_bytes);
    else
        f = bytes_read(fd, tail, tail_bytes, out->head.envelope_offset);
    if (is_fault(f))
        return f;
    queue_end end;
    memcpy(&end, tail + tail_bytes - sizeof end, sizeof end);
    if (!is_end(&end, file_bytes))
        return unfinished();
    str added;
    f = added_read(fd, start, &out->head, a, &added);
    return is_fault(f) ? f : tail_decode(added, tail, &end, a, out);
}

fault queue_content_check(int fd, const queue_head *head)
{
    enum { PIECE = 64 * 1024 };
    static char bytes[PIECE]; /* one loop, one thread */
    uint32_t sum = 0;
    for (uint64_t done = 0; done < head->checked_bytes;) {
        uint64_t left = head->checked_bytes - done;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        fault f = bytes_read(fd, bytes, n, queue_content_start(head) + done);
        if (is_fault(f))
            return f;
        sum = checksum(sum, (str){ bytes, n });
        done += n;
    }
    return sum == head->content_checksum ? NO_FAULT : damaged("checksum of the content");
}

queue_slot queue_slot_make(slot_state state, uint64_t when_s, const char *status, str reason)
{
    queue_slot s = { .state = (uint8_t)state, .when_s = when_s };
    snprintf(s.status, sizeof s.status, "%s", status);
    snprintf(s.reason, sizeof s.reason, "%.*s", STR_ARG(reason));
    s.checksum = checksum(0, (str){ (const char *)&s + sizeof s.checksum, sizeof s - sizeof s.checksum });
    return s;
}

void queue_slot_tell(queue_slot *s, unsigned told)
{
    s->told = (uint8_t)(s->told | told);
    s->checksum = checksum(0, (str){ (const char *)s + sizeof s->checksum, sizeof *s - sizeof s->checksum });
}

fault queue_slot_write(int fd, const queue_head *head, uint32_t recipient, const queue_slot *slot)
{
    return bytes_write(fd, (str){ (const char *)slot, sizeof *slot },
                       head->slots_offset + (uint64_t)recipient * sizeof *slot);
}

fault queue_schedule_write(int fd, uint64_t next_try_s, uint32_t tries)
{
    queue_schedule s = { .next_try_s = next_try_s, .tries = tries };
    s.checksum = CHECKSUM_UPTO(&s, checksum);
    return bytes_write(fd, (str){ (const char *)&s, sizeof s }, QUEUE_SCHEDULE_AT);
}
