#include "worker/content.h"
#include "base/buf.h"
#include "base/checksum.h"
#include <unistd.h>

enum { PIECE = 64 * 1024 };

static void line_look(loop_scan *s)
{
    static const str name = STR_ROW("Delivered-To:");
    str line = { s->line, s->n < sizeof s->line ? s->n : 0 };
    if (s->n == 0 || (s->n == 1 && s->line[0] == '\r'))
        s->is_over = true;
    else if (str_starts_nocase(line, name) && str_equal_nocase(str_trim(str_from(line, name.n)), s->address))
        s->is_found = s->is_over = true;
    s->n = 0;
}

void loop_scan_feed(loop_scan *s, str piece)
{
    while (piece.n && !s->is_over) {
        size_t n = str_find(piece, '\n'), room = sizeof s->line - s->n;
        size_t kept = n < room ? n : room;
        memcpy(s->line + s->n, piece.p, kept);
        s->n += kept;
        if (n < piece.n)
            line_look(s);
        piece = str_from(piece, n + 1);
    }
}

bool content_was_forwarded(const deliver_request *m)
{
    bool is_list_of_alias = m->user.n && m->user.p[0] == '#' && m->member.n && m->member.p[0] == ':';
    return !is_list_of_alias && envelope_has_forwarder(m->forwarders, m->user);
}

fault front_write(const deliver_request *m, content_sink to, bool is_final)
{
    buf front = buf_new(4096);
    if (is_final)
        buf_printf(&front, "Return-Path: <%.*s>\r\n", STR_ARG(m->reverse_path));
    if (is_final && m->original.n && !str_equal(m->original, m->recipient))
        buf_printf(&front, "X-Original-To: %.*s\r\n", STR_ARG(m->original));
    if (!content_was_forwarded(m))
        buf_printf(&front, "Delivered-To: %.*s\r\n", STR_ARG(m->recipient));
    fault f = front.overflow ? fault_make(FAULT_REFUSED, "6.0", "addresses are too long") : NO_FAULT;
    if (!is_fault(f) && front.n)
        f = to.write(to.context, buf_str(&front));
    buf_free(&front);
    return f;
}

static fault damaged(const char *how)
{
    return fault_make(FAULT_BROKEN, "3.0", "the queue file is %s", how);
}

static fault looped(const deliver_request *m)
{
    return fault_make(FAULT_REFUSED, "4.6", "mail forwarding loop for %.*s", STR_ARG(m->recipient));
}

fault content_write(const deliver_request *m, int fd, content_sink to)
{
    static char bytes[PIECE];
    uint32_t sum = 0;
    uint64_t added = m->content_bytes - m->checked_bytes;
    loop_scan loops = { .address = m->recipient, .is_over = content_was_forwarded(m) };
    for (uint64_t done = 0; done < m->content_bytes;) {
        uint64_t left = m->content_bytes - done;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        ssize_t got = pread(fd, bytes, n, (off_t)(m->content_offset + done));
        if (got < 0)
            return fault_errno("read the queue file");
        if (got == 0)
            return damaged("too short");
        str piece = { bytes, (size_t)got };
        sum = checksum(sum, str_from(piece, done < added ? (size_t)(added - done) : 0));
        loop_scan_feed(&loops, piece);
        fault f = loops.is_found ? looped(m) : to.write(to.context, piece);
        if (is_fault(f))
            return f;
        done += piece.n;
    }
    return sum == m->content_checksum ? NO_FAULT : damaged("damaged: checksum of the content");
}
