#include "pipe/worker/letter.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "ipc/talk/envelope.h"
#include "mail/date.h"
#include "mail/header.h"
#include <unistd.h>

enum { HEADER_LOOKED_AT = 256 * 1024, FRONT_MAX = 16 * 1024 };

static ssize_t content_read(const deliver_request *m, int fd, uint64_t at, char *out, size_t room)
{
    uint64_t left = m->content_bytes - at;
    return pread(fd, out, left < room ? (size_t)left : room, (off_t)(m->content_offset + at));
}

/* What cleanup added is not covered. */
static fault checksum_check(const deliver_request *m, int fd)
{
    static char bytes[LETTER_PIECE];
    uint32_t sum = 0;
    for (uint64_t at = m->content_bytes - m->checked_bytes; at < m->content_bytes;) {
        ssize_t got = content_read(m, fd, at, bytes, sizeof bytes);
        if (got < 0)
            return fault_errno("read the queue file");
        if (got == 0)
            return fault_make(FAULT_BROKEN, "3.0", "the queue file is too short");
        sum = checksum(sum, (str){ bytes, (size_t)got });
        at += (size_t)got;
    }
    return sum == m->content_checksum ? NO_FAULT
                                      : fault_make(FAULT_BROKEN, "3.0", "the queue file is damaged: checksum of the content");
}

static bool has_delivered_to(str header, str recipient)
{
    header_walk walk = header_open(header);
    header_field f;
    arena mem = arena_new(0);
    bool is_there = false;
    while (!is_there && header_next(&walk, &f))
        is_there = f.is_valid && str_equal_nocase(f.name, STR("Delivered-To")) &&
                   str_equal_nocase(header_unfold(f.value, &mem), recipient);
    arena_free(&mem);
    return is_there;
}

/* Members of a user's own .forward come with a mark of the user on top, which local has looked at; an alias has none before it. */
static bool may_have_been_here(const deliver_request *m)
{
    return m->user.n == 0 || m->user.p[0] != '#';
}

static fault loop_check(const deliver_request *m, int fd)
{
    buf header = buf_new(HEADER_LOOKED_AT);
    if (may_have_been_here(m) || !buf_reserve(&header, HEADER_LOOKED_AT))
        return NO_FAULT;
    ssize_t got = content_read(m, fd, 0, header.p, HEADER_LOOKED_AT);
    bool is_loop = got > 0 && has_delivered_to((str){ header.p, (size_t)got }, m->recipient);
    buf_free(&header);
    return is_loop ? fault_make(FAULT_REFUSED, "4.6", "mail forwarding loop for %.*s", STR_ARG(str_upto(m->recipient, 150)))
                   : NO_FAULT;
}

fault letter_check(const deliver_request *m, int fd)
{
    fault f = m->checked_bytes > m->content_bytes ? fault_make(FAULT_BROKEN, "3.0", "the queue file has impossible sizes")
                                                  : checksum_check(m, fd);
    return is_fault(f) ? f : loop_check(m, fd);
}

bool letter_fields(const deliver_request *m, const char *line_end, buf *out)
{
    buf_printf(out, "Return-Path: <%.*s>%s", STR_ARG(m->reverse_path), line_end);
    if (m->original.n && !str_equal(m->original, m->recipient))
        buf_printf(out, "X-Original-To: %.*s%s", STR_ARG(m->original), line_end);
    buf_printf(out, "Delivered-To: %.*s%s", STR_ARG(m->recipient), line_end);
    return !out->overflow;
}

fault letter_open(letter *l, const deliver_request *m, int fd)
{
    *l = (letter){ .request = m, .fd = fd, .front = buf_new(FRONT_MAX), .has_line = true };
    buf_printf(&l->front, "From %.*s  ", STR_ARG(m->reverse_path.n ? m->reverse_path : STR("MAILER-DAEMON")));
    date_append_mbox(&l->front, (date){ .utc_s = (int64_t)clock_s() });
    buf_append_char(&l->front, '\n');
    if (letter_fields(m, "\n", &l->front))
        return NO_FAULT;
    return fault_make(FAULT_REFUSED, "6.0", "addresses are too long");
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
