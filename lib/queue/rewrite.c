#include "queue/rewrite.h"
#include "base/checksum.h"
#include "os/file.h"

enum { PIECE = 64 * 1024 };

static fault piece_read(int fd, void *out, size_t n, uint64_t offset)
{
    size_t got;
    if (!file_pread_all(fd, out, n, (off_t)offset, &got))
        return fault_errno("read the queue file");
    return got == n ? NO_FAULT : fault_make(FAULT_BROKEN, "3.0", "the queue file is damaged: it is too short");
}

static fault content_copy(int from_fd, const queue_head *h, int to_fd)
{
    static char bytes[PIECE]; /* one loop, one thread */
    uint32_t sum = 0;
    for (uint64_t done = 0; done < h->checked_bytes;) {
        uint64_t left = h->checked_bytes - done;
        str piece = { bytes, left < PIECE ? (size_t)left : PIECE };
        fault f = piece_read(from_fd, bytes, piece.n, queue_content_start(h) + done);
        if (is_fault(f))
            return f;
        if (!file_pwrite_all(to_fd, piece, (off_t)(QUEUE_CONTENT_START + done)))
            return fault_errno("write the queue file");
        sum = checksum(sum, piece);
        done += piece.n;
    }
    return sum == h->content_checksum
               ? NO_FAULT
               : fault_make(FAULT_BROKEN, "3.0", "the queue file is damaged: checksum of the content");
}

static bool records_put(const queue_message *m, buf *out)
{
    bool fits = queue_records_envelope(out, &m->envelope);
    for (uint32_t i = 0; i < m->head.recipient_count && fits; i++)
        fits = queue_records_recipient(out, &m->recipients[i]);
    return fits;
}

/* A slot that says nothing is left as the file has it. */
static fault states_write(const queue_message *m, int to_fd)
{
    queue_head now = m->head;
    arena a = arena_new(0);
    queue_message written;
    fault f = queue_read(to_fd, &a, &written);
    if (!is_fault(f))
        now = written.head;
    for (uint32_t i = 0; i < now.recipient_count && !is_fault(f); i++)
        if (m->slots[i].state != SLOT_PENDING || m->slots[i].reason[0] || m->slots[i].told)
            f = queue_slot_write(to_fd, &now, i, &m->slots[i]);
    if (!is_fault(f))
        f = queue_schedule_write(to_fd, m->schedule.next_try_s, m->schedule.tries);
    arena_free(&a);
    return f;
}

static fault envelope_write(int from_fd, const queue_message *m, int to_fd, buf *records)
{
    char added[QUEUE_ADDED_MAX];
    size_t n = (size_t)(m->head.content_bytes - m->head.checked_bytes); /* plausible: queue_read looked */
    if (!records_put(m, records))
        return fault_make(FAULT_REFUSED, "3.4", "the envelope is too large");
    fault f = piece_read(from_fd, added, n, m->head.content_offset);
    queue_finish_args args = { .id = m->head.id,
                               .arrived_us = m->head.arrived_us,
                               .content_bytes = m->head.checked_bytes,
                               .content_checksum = m->head.content_checksum,
                               .recipient_count = m->head.recipient_count,
                               .added = { added, n },
                               .records = buf_str(records) };
    return is_fault(f) ? f : queue_finish(to_fd, &args);
}

fault queue_rewrite(int from_fd, const queue_message *m, int to_fd)
{
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    fault f = content_copy(from_fd, &m->head, to_fd);
    if (!is_fault(f))
        f = envelope_write(from_fd, m, to_fd, &records);
    if (!is_fault(f))
        f = states_write(m, to_fd);
    buf_free(&records);
    return f;
}
