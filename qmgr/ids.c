/* Queue ids never repeat: a mark on disk is always ahead of every id that was given out, so that neither a restart nor a clock
 * that jumps back gives one twice. One durable write lasts for an hour of clock or a million ids. Runs in: qmgr. */
#include "base/clock.h"
#include "base/num.h"
#include "os/file.h"
#include "qmgr/qmgr.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define RESERVE_US (UINT64_C(3600) * 1000000)

static fault reserve(qmgr *q, uint64_t upto)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)upto);
    fault f = file_replace(q->root_fd, QUEUE_ID_MARK, (str){ text, (size_t)n }, (file_owner){ .mode = 0600 });
    if (!is_fault(f))
        q->id_reserved = upto;
    return f;
}

fault ids_open(qmgr *q)
{
    buf content = buf_new(64);
    uint64_t mark = 0;
    fault f = file_read(q->root_fd, QUEUE_ID_MARK, &content);
    if (is_fault(f) && errno != ENOENT) {
        buf_free(&content);
        return f;
    }
    num_parse(str_trim(buf_str(&content)), 0, UINT64_MAX / 2, &mark);
    buf_free(&content);
    uint64_t now = clock_us();
    q->id_next = mark > now ? mark : now;
    q->id_reserved = 0;
    return NO_FAULT;
}

bool ids_is_free(const qmgr *q, uint64_t id)
{
    return id && id < q->id_next && map_get(&q->messages, ID_KEY(id)) == NULL && map_get(&q->fresh, ID_KEY(id)) == NULL;
}

fault ids_next(qmgr *q, uint64_t *out)
{
    uint64_t now = clock_us(), id = q->id_next > now ? q->id_next : now;
    if (id >= q->id_reserved) {
        fault f = reserve(q, id + RESERVE_US);
        if (is_fault(f))
            return f;
    }
    q->id_next = id + 1;
    *out = id;
    return NO_FAULT;
}
