/* SOURCES:  NEEDS: queue */
/* Reading a queue file of any bytes. Checksums are put right first, so that what stands behind them is reached. */
#include "base/checksum.h"
#include "queue/file.h"
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint32_t sum_before(const void *p, size_t n)
{
    return checksum(0, (str){ p, n });
}

static void sums_mend(unsigned char *bytes, size_t size)
{
    queue_head head;
    queue_end end;
    if (size < QUEUE_CONTENT_START + sizeof end)
        return;
    memcpy(&head, bytes, sizeof head);
    memcpy(&end, bytes + size - sizeof end, sizeof end);
    end.file_bytes = size;
    head.id = end.id;
    head.head_checksum = sum_before(&head, offsetof(queue_head, head_checksum));
    uint64_t added = head.content_bytes - head.checked_bytes;
    bool has_envelope = head.envelope_offset <= size && head.envelope_bytes <= size - head.envelope_offset &&
                        head.content_offset <= size && added <= size - head.content_offset;
    if (has_envelope) {
        uint32_t sum = checksum(0, (str){ (char *)bytes + head.content_offset, added });
        end.envelope_checksum = checksum(sum, (str){ (char *)bytes + head.envelope_offset, head.envelope_bytes });
    }
    end.end_checksum = sum_before(&end, offsetof(queue_end, end_checksum));
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + size - sizeof end, &end, sizeof end);
}

static size_t text_sum(const queue_message *m)
{
    size_t n = m->envelope.reverse_path.n + m->envelope.returns.n;
    for (uint32_t i = 0; i < m->head.recipient_count; i++) {
        n += strlen(m->slots[i].reason) + strlen(m->slots[i].status);
        for (size_t k = 0; k < m->recipients[i].orcpt.n; k++)
            n += (unsigned char)m->recipients[i].orcpt.p[k];
    }
    return n;
}

static void file_try(const unsigned char *bytes, size_t size)
{
    int fd = memfd_create("queue-file", MFD_CLOEXEC);
    arena a = arena_new(0);
    queue_message m;
    if (write(fd, bytes, size) == (ssize_t)size && !is_fault(queue_read(fd, &a, &m))) {
        if (text_sum(&m) == SIZE_MAX)
            abort();
        queue_content_check(fd, &m.head);
    }
    arena_free(&a);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    memcpy(bytes, data, size);
    file_try(bytes, size);
    sums_mend(bytes, size);
    file_try(bytes, size);
    free(bytes);
    return 0;
}
