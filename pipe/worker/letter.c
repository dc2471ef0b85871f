#include "pipe/worker/letter.h"
#include "base/clock.h"
#include "mail/date.h"
#include "worker/content.h"
#include <unistd.h>

enum { FRONT_MAX = 16 * 1024 };

static ssize_t content_read(const deliver_request *m, int fd, uint64_t at, char *out, size_t room)
{
    uint64_t left = m->content_bytes - at;
    return pread(fd, out, left < room ? (size_t)left : room, (off_t)(m->content_offset + at));
}

static fault nowhere(void *context, str bytes)
{
    (void)context, (void)bytes;
    return NO_FAULT;
}

fault letter_check(const deliver_request *m, int fd)
{
    if (m->checked_bytes > m->content_bytes)
        return fault_make(FAULT_BROKEN, "3.0", "the queue file has impossible sizes");
    return content_write(m, fd, (content_sink){ nowhere, NULL });
}

static fault front_take(void *context, str bytes)
{
    letter *l = context;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != '\r')
            buf_append_char(&l->front, bytes.p[i]);
    return l->front.overflow ? fault_make(FAULT_REFUSED, "6.0", "addresses are too long") : NO_FAULT;
}

fault letter_open(letter *l, const deliver_request *m, int fd)
{
    *l = (letter){ .request = m, .fd = fd, .front = buf_new(FRONT_MAX), .has_line = true };
    buf_printf(&l->front, "From %.*s  ", STR_ARG(m->reverse_path.n ? m->reverse_path : STR("MAILER-DAEMON")));
    date_append_mbox(&l->front, (date){ .utc_s = (int64_t)clock_s() });
    buf_append_char(&l->front, '\n');
    return front_write(m, (content_sink){ front_take, l }, true);
}

static ssize_t front_read(letter *l, char *out, size_t room)
{
    str rest = str_upto(str_from(buf_str(&l->front), l->front_done), room);
    memcpy(out, rest.p, rest.n);
    l->front_done += rest.n;
    return (ssize_t)rest.n;
}

/* CRLF becomes LF in place; a CR at the end waits for what follows. A CR that stands alone stays. */
static size_t line_ends_take(letter *l, char *bytes, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\r' && i + 1 < n && bytes[i + 1] == '\n')
            continue;
        if (bytes[i] == '\r' && i + 1 == n)
            break;
        bytes[kept++] = bytes[i];
    }
    l->has_cr = n > 0 && bytes[n - 1] == '\r';
    return kept;
}

static ssize_t last_read(letter *l, char *out)
{
    size_t n = 0;
    l->is_over = true;
    if (l->has_cr)
        out[n++] = '\r';
    if (l->has_cr || !l->has_line)
        out[n++] = '\n';
    return (ssize_t)n;
}

ssize_t letter_read(letter *l, char *out, size_t room)
{
    size_t kept = 0;
    if (l->front_done < l->front.n)
        return front_read(l, out, room);
    while (kept == 0 && !l->is_over) {
        size_t held = l->has_cr;
        if (l->done == l->request->content_bytes)
            return last_read(l, out);
        if (held)
            out[0] = '\r';
        ssize_t got = content_read(l->request, l->fd, l->done, out + held, room - held);
        if (got <= 0)
            return -1;
        l->done += (size_t)got;
        kept = line_ends_take(l, out, held + (size_t)got);
    }
    if (kept)
        l->has_line = out[kept - 1] == '\n';
    return (ssize_t)kept;
}

void letter_close(letter *l)
{
    buf_free(&l->front);
}
