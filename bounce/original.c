#include "bounce/original.h"
#include "mail/dsn.h"
#include "mail/header.h"
#include "mail/header_copy.h"
#include "os/file.h"

enum { PIECE = 32 * 1024, HEAD_MAX = 64 * 1024, KEPT_MAX = 128 };

static fault piece_read(const original *o, uint64_t at, size_t n, char *out)
{
    size_t got;
    if (!file_pread_all(o->fd, out, n, (off_t)(o->offset + at), &got))
        return fault_errno("read the message");
    return got == n ? NO_FAULT : fault_make(FAULT_TRY_LATER, "3.0", "the message is shorter than it should be");
}

static fault header_take(header_copy *h, str piece, buf *out, original_take *take, void *context, bool *is_over)
{
    buf_clear(out);
    *is_over = header_copy_feed(h, piece, out) == PARSE_DONE;
    return out->n ? take(context, buf_str(out)) : NO_FAULT;
}

fault original_read(const original *o, original_take *take, void *context)
{
    static char bytes[PIECE]; /* one loop, one thread */
    header_copy header = { .limit = o->limit };
    buf lines = buf_new(2 * PIECE + 4 * HEADER_COPY_LINE_MAX);
    bool is_over = false;
    fault f = NO_FAULT;
    for (uint64_t at = 0; at < o->bytes && !is_over && !is_fault(f); at += PIECE) {
        size_t n = o->bytes - at < PIECE ? (size_t)(o->bytes - at) : PIECE;
        f = piece_read(o, at, n, bytes);
        if (is_fault(f))
            break;
        if (o->is_whole)
            f = take(context, (str){ bytes, n });
        else
            f = header_take(&header, (str){ bytes, n }, &lines, take, context, &is_over);
    }
    buf_free(&lines);
    return f;
}

typedef struct look {
    str boundary;
    original_facts facts;
    char kept[KEPT_MAX]; /* the end of the piece before, where a boundary may have begun */
    size_t kept_n;
} look;

static bool spans(const look *l, str piece)
{
    char bytes[2 * KEPT_MAX];
    size_t n = piece.n < KEPT_MAX ? piece.n : KEPT_MAX;
    memcpy(bytes, l->kept, l->kept_n);
    memcpy(bytes + l->kept_n, piece.p, n);
    return memmem(bytes, l->kept_n + n, l->boundary.p, l->boundary.n) != NULL;
}

static void keep(look *l, str piece)
{
    size_t want = l->boundary.n - 1;
    if (piece.n >= want) {
        memcpy(l->kept, piece.p + piece.n - want, want);
        l->kept_n = want;
        return;
    }
    size_t from_old = want - piece.n < l->kept_n ? want - piece.n : l->kept_n;
    memmove(l->kept, l->kept + l->kept_n - from_old, from_old);
    memcpy(l->kept + from_old, piece.p, piece.n);
    l->kept_n = from_old + piece.n;
}

static fault look_take(void *context, str piece)
{
    look *l = context;
    l->facts.is_8bit = l->facts.is_8bit || dsn_is_8bit(piece);
    l->facts.has_boundary =
        l->facts.has_boundary || spans(l, piece) || memmem(piece.p, piece.n, l->boundary.p, l->boundary.n) != NULL;
    keep(l, piece);
    return NO_FAULT;
}

fault original_look(const original *o, str boundary, original_facts *out)
{
    look l = { .boundary = str_upto(boundary, KEPT_MAX) };
    fault f = original_read(o, look_take, &l);
    *out = l.facts;
    return f;
}

fault original_message_id(const original *o, arena *mem, str *out)
{
    size_t n = o->bytes < HEAD_MAX ? (size_t)o->bytes : HEAD_MAX;
    buf head = buf_new(HEAD_MAX);
    header_field field;
    *out = STR_NONE;
    buf_reserve(&head, n);
    fault f = n ? piece_read(o, 0, n, head.p) : NO_FAULT;
    head.n = is_fault(f) ? 0 : n;
    if (header_find(buf_str(&head), STR("Message-ID"), &field))
        *out = arena_copy(mem, dsn_message_id(header_unfold(field.value, mem)));
    buf_free(&head);
    return f;
}
