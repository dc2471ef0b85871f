#include "imapd/worker/reading.h"
#include "imapd/worker/server.h"
#include "mail/header.h"
#include "os/file.h"
#include "proto/imap_envelope.h"
#include "proto/imap_structure.h"
#include "store/wire.h"

enum {
    PIECE = 32 * 1024,
    HEADER_KEPT = 64 * 1024,     /* larger ones are not cached */
    TEXT_MAX = 32 * 1024 * 1024, /* an envelope or a structure: more than the limits of mime.h let them be */
};

void reading_close(reading *r)
{
    if (r->uid == 0)
        return;
    message_close(&r->file);
    arena_free(&r->mem);
    *r = (reading){ .uid = 0 };
}

fault reading_open(reading *r, mailbox *m, uint32_t uid)
{
    if (r->uid == uid)
        return NO_FAULT;
    reading_close(r);
    fault f = mailbox_open_message(m, uid, &r->file);
    if (!is_fault(f))
        r->uid = uid;
    return f;
}

/* One piece of the file into the server's buffer. */
static fault piece_read(reading *r, server *v, uint64_t from, uint64_t to, str *out)
{
    size_t wanted = to - from < PIECE ? (size_t)(to - from) : PIECE, n;
    buf_clear(&v->piece);
    (void)buf_reserve(&v->piece, PIECE);
    if (!file_pread_all(r->file.fd, v->piece.p, wanted, (off_t)from, &n))
        return fault_errno("cannot read a message");
    *out = (str){ v->piece.p, n };
    return NO_FAULT;
}

fault reading_scan(reading *r, server *v, uint64_t from, uint64_t to, reading_use *use, void *context)
{
    str piece;
    while (from < to) {
        fault f = piece_read(r, v, from, to, &piece);
        if (is_fault(f))
            return f;
        if (piece.n == 0 || use(context, piece))
            break;
        from += piece.n;
    }
    return NO_FAULT;
}

typedef struct pass { /* over a whole message */
    mime mime;
    header_scan scan;
    wire wire;
    buf header; /* as the client gets it */
    bool has_header;
} pass;

static void header_take(pass *p, str piece)
{
    size_t used = piece.n;
    if (p->has_header)
        return;
    p->has_header = header_scan_feed(&p->scan, piece, &used) == PARSE_DONE;
    (void)wire_to_wire(&p->wire, str_upto(piece, used), &p->header); /* too large: it overflows and is not kept */
}

static bool pass_use(void *context, str piece)
{
    pass *p = context;
    mime_feed(&p->mime, piece);
    header_take(p, piece);
    return false;
}

typedef bool write_text(buf *out, const mime_part *root, arena *mem);

static bool write_envelope(buf *out, const mime_part *root, arena *mem)
{
    return imap_envelope_write(out, root->envelope, mem);
}

static bool write_body(buf *out, const mime_part *root, arena *mem)
{
    return imap_structure_write(out, root, false, mem);
}

static bool write_structure(buf *out, const mime_part *root, arena *mem)
{
    return imap_structure_write(out, root, true, mem);
}

static const struct {
    char kind;
    write_text *write;
} texts[] = {
    { CACHE_ENVELOPE, write_envelope },
    { CACHE_BODY, write_body },
    { CACHE_STRUCTURE, write_structure },
};

static void cache_fill(const reading *r, mailbox *m, const pass *p)
{
    arena mem = arena_new(0);
    buf text = buf_new(TEXT_MAX);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_clear(&text);
        if (texts[i].write(&text, r->root, &mem))
            mailbox_cache_put(m, r->uid, texts[i].kind, buf_str(&text));
    }
    if (!p->header.overflow)
        mailbox_cache_put(m, r->uid, CACHE_HEADER, buf_str(&p->header));
    buf_free(&text);
    arena_free(&mem);
}

static bool is_cached(mailbox *m, uint32_t uid)
{
    str text;
    bool is_there = mailbox_cache_get(m, uid, CACHE_STRUCTURE, &text);
    mailbox_cache_release(m);
    return is_there;
}

fault reading_parse(reading *r, server *v, mailbox *m)
{
    pass p = { .header = buf_new(HEADER_KEPT) };
    if (r->root)
        return NO_FAULT;
    mailbox_cache_release(m);
    mime_open(&p.mime, &r->mem, NULL);
    fault f = reading_scan(r, v, 0, UINT64_MAX, pass_use, &p);
    const mime_part *root = mime_close(&p.mime);
    if (is_fault(f)) {
        arena_clear(&r->mem);
    } else {
        r->root = root;
        if (!is_cached(m, r->uid))
            cache_fill(r, m, &p);
    }
    buf_free(&p.header);
    return f;
}

/* What the cache has of the message, after a look at the file if need be. p NULL: it is too large to be kept. */
static fault cached(reading *r, server *v, mailbox *m, uint32_t uid, char kind, str *out)
{
    *out = STR_NONE;
    if (mailbox_cache_get(m, uid, kind, out))
        return NO_FAULT;
    mailbox_cache_release(m);
    fault f = reading_open(r, m, uid);
    if (!is_fault(f))
        f = reading_parse(r, v, m);
    if (!is_fault(f) && !mailbox_cache_get(m, uid, kind, out))
        *out = STR_NONE;
    return f;
}

fault reading_text(reading *r, server *v, mailbox *m, uint32_t uid, char kind, buf *out)
{
    str text;
    arena mem = arena_new(0);
    fault f = cached(r, v, m, uid, kind, &text);
    if (is_fault(f))
        return f;
    if (text.p) {
        buf_append(out, text);
        return NO_FAULT;
    }
    mailbox_cache_release(m);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i].kind == kind)
            (void)texts[i].write(out, r->root, &mem);
    arena_free(&mem);
    return NO_FAULT;
}

typedef struct copying {
    wire wire;
    buf *out;
} copying;

static bool copy_use(void *context, str piece)
{
    copying *c = context;
    return !wire_to_wire(&c->wire, piece, c->out);
}

fault reading_part(reading *r, server *v, mime_mark from, mime_mark to, buf *out)
{
    copying c = { .out = out };
    return reading_scan(r, v, from.stored, to.stored, copy_use, &c);
}

fault reading_header(reading *r, server *v, mailbox *m, uint32_t uid, buf *spare, str *out)
{
    fault f = cached(r, v, m, uid, CACHE_HEADER, out);
    if (is_fault(f) || out->p)
        return f;
    mailbox_cache_release(m);
    f = reading_part(r, v, r->root->header, r->root->body, spare);
    *out = buf_str(spare);
    return f;
}

pour pour_open(const reading *r, mime_mark from, uint64_t skip, uint64_t bytes)
{
    place at = { from.stored, from.crlf, false };
    uint64_t wanted = from.crlf + skip;
    if (r->last.wire > at.wire && r->last.wire <= wanted)
        at = r->last;
    return (pour){ at, wanted - at.wire, bytes };
}

/* RFC 3501 has no NUL in a literal. */
static void nul_replace(char *p, size_t n)
{
    for (char *at; n && (at = memchr(p, '\0', n)) != NULL; p = at)
        *at = (char)0x80, n -= (size_t)(at - p);
}

fault pour_next(pour *p, reading *r, server *v, buf *out)
{
    str piece;
    wire w = { .crs = p->at.is_behind_cr };
    size_t start = out->n;
    fault f = piece_read(r, v, p->at.stored, UINT64_MAX, &piece);
    if (is_fault(f))
        return f;
    if (piece.n == 0)
        return fault_make(FAULT_TRY_LATER, "3.0", "a message is shorter than it was");
    r->last = p->at;
    if (!wire_to_wire(&w, piece, out))
        return fault_make(FAULT_BUG, "3.0", "no room for a piece of a message");
    size_t made = out->n - start, dropped = p->skip < made ? (size_t)p->skip : made;
    size_t kept = made - dropped < p->left ? made - dropped : (size_t)p->left;
    p->at = (place){ p->at.stored + piece.n, p->at.wire + made, w.crs };
    memmove(out->p + start, out->p + start + dropped, kept);
    out->n = start + kept;
    nul_replace(out->p + start, kept);
    p->skip -= dropped;
    p->left -= kept;
    return NO_FAULT;
}
