/* SOURCES: ctl/queue/archive.c  NEEDS: queue */
/* Reading what `postrider queue import` is given: any bytes as an export. Header sums are put right first, so that what stands
 * behind them is reached. */
#include "ctl/queue/archive.h"
#include "queue/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SUM_AT = 148, TYPE_AT = 156 };

static void sums_mend(unsigned char *bytes, size_t size)
{
    for (size_t at = 0; at + ARCHIVE_BLOCK <= size; at += ARCHIVE_BLOCK) {
        unsigned sum = 0;
        char text[8];
        if (memcmp(bytes + at + 257, "ustar", 5) != 0)
            continue;
        for (size_t i = 0; i < ARCHIVE_BLOCK; i++)
            sum += i >= SUM_AT && i < TYPE_AT ? ' ' : bytes[at + i];
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(bytes + at + SUM_AT, text, 7);
    }
}

static void members_read(int fd, const archive *a)
{
    for (size_t i = 0; i < a->members.n; i++) {
        int to = memfd_create("member", MFD_CLOEXEC);
        arena mem = arena_new(0);
        queue_message m;
        if (a->members.p[i].place < QUEUE_ACTIVE || a->members.p[i].place >= QUEUE_CORRUPT)
            abort();
        if (!is_fault(archive_copy(fd, &a->members.p[i], to)) && !is_fault(queue_read(to, &mem, &m)))
            queue_content_check(to, &m.head);
        arena_free(&mem);
        close(to);
    }
}

static void archive_try(const unsigned char *bytes, size_t size)
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    archive a;
    if (write(fd, bytes, size) != (ssize_t)size)
        abort();
    if (!is_fault(archive_open(&a, fd)))
        members_read(fd, &a);
    archive_close(&a);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    memcpy(bytes, data, size);
    archive_try(bytes, size);
    sums_mend(bytes, size);
    archive_try(bytes, size);
    free(bytes);
    return 0;
}
