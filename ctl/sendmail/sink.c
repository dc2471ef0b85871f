#include "ctl/sendmail/sink.h"
#include "base/checksum.h"
#include "os/file.h"
#include <errno.h>

sink sink_new(const config *c)
{
    return (sink){
        .config = c, .held = buf_new(2 * SINK_HELD_MAX), .submit = { .fd = -1 }, .drop = { .fd = -1, .folder = -1 }
    };
}

void sink_free(sink *s)
{
    submit_close(&s->submit);
    drop_close(&s->drop);
    buf_free(&s->held);
}

static int fd_of(const sink *s)
{
    return s->is_dropping ? s->drop.fd : s->submit.fd;
}

static fault drop_instead(sink *s)
{
    submit_close(&s->submit);
    s->is_dropping = true;
    return drop_open(&s->drop, s->config);
}

/* The suite's no is final; any other fault of it leaves the drop folder. */
static fault target_open(sink *s)
{
    if (fd_of(s) >= 0)
        return NO_FAULT;
    fault f = s->is_dropping ? drop_open(&s->drop, s->config) : submit_open(&s->submit, s->config, s->bytes);
    return is_fault(f) && f.kind != FAULT_REFUSED && !s->is_dropping ? drop_instead(s) : f;
}

static fault held_write(sink *s)
{
    if (file_write_all(fd_of(s), buf_str(&s->held)))
        return NO_FAULT;
    return fault_errno(errno == EFBIG ? "the limit on the size of files" : "write the message");
}

fault sink_write(sink *s, str bytes)
{
    uint64_t limit = s->config->message_size_limit;
    s->bytes += bytes.n;
    s->checksum = checksum(s->checksum, bytes);
    if (limit && s->bytes > limit)
        return fault_make(FAULT_REFUSED, "3.4", "the message is larger than message_size_limit (%llu octets)",
                          (unsigned long long)limit);
    buf_append(&s->held, bytes);
    if (s->held.n < SINK_HELD_MAX)
        return s->held.overflow ? fault_make(FAULT_BUG, "3.0", "a piece is too large") : NO_FAULT;
    fault f = target_open(s);
    if (!is_fault(f))
        f = held_write(s);
    s->has_begun = true;
    buf_clear(&s->held);
    return f;
}

static fault finish(sink *s, const envelope *e, const recipients *to, const wishes *w, uint64_t *out_id)
{
    fault f = target_open(s);
    if (!is_fault(f))
        f = held_write(s);
    if (is_fault(f))
        return f;
    if (s->is_dropping)
        return drop_finish(&s->drop, e, to, w->notify, s->bytes, s->checksum);
    return submit_finish(&s->submit, e, to, w->notify, s->bytes, s->checksum, out_id);
}

fault sink_commit(sink *s, const envelope *e, const recipients *to, const wishes *w, uint64_t *out_id)
{
    *out_id = 0;
    fault f = finish(s, e, to, w, out_id);
    /* Whether the suite had it already when it went away is not known: two are better than none. */
    if (is_fault(f) && f.kind != FAULT_REFUSED && !s->has_begun && !s->is_dropping) {
        f = drop_instead(s);
        if (!is_fault(f))
            f = finish(s, e, to, w, out_id);
    }
    return f;
}
