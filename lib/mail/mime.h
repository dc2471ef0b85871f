/* The structure of a message (RFC 2045 to 2049, RFC 2183, RFC 2231, RFC 3282), in one pass over bytes that arrive in pieces,
 * split anywhere, with CRLF or LF. Runs in: workers of local, imapd and pop3d. The tree lives in the caller's arena.
 * Never fails: every input has a structure. Linear time, no recursion. What lies deeper than the limits is one opaque
 * part, application/octet-stream.
 *
 *     mime m;
 *     mime_open(&m, mem, NULL);
 *     while (…) mime_feed(&m, chunk);
 *     const mime_part *root = mime_close(&m); */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mail/mime_field.h"

typedef struct mime_limits {
    size_t depth;       /* of nested parts */
    size_t parts;       /* in all */
    size_t field_bytes; /* kept of one field; the rest of it is not read */
    size_t kept_bytes;  /* kept of all fields together */
} mime_limits;

#define MIME_LIMITS ((mime_limits){ .depth = 100, .parts = 10000, .field_bytes = 256 << 10, .kept_bytes = 4 << 20 })
enum { MIME_BOUNDARY_MAX = 256 }; /* RFC 2046 has 70; a multipart with a longer one is opaque */

/* A place in the message, counted two ways. Differences of two are sizes. */
typedef struct mime_mark {
    uint64_t stored; /* bytes as they came */
    uint64_t crlf;   /* bytes if each line ended in CRLF: what IMAP counts */
    uint64_t lines;  /* line ends */
} mime_mark;

typedef enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* children in order; may have none: nobody's boundary was met */
    MIME_MESSAGE,   /* message/rfc822 or message/global: one child, the message within, with its envelope */
} mime_kind;

/* Fields of IMAP's ENVELOPE, unfolded and trimmed, not decoded; p NULL: no such field. Of doubled fields the first counts; doubled
 * address fields are joined by a comma. */
typedef struct mime_envelope {
    str date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id;
} mime_envelope;

typedef struct mime_part {
    struct mime_part *parent, *next, *child, *last_child;
    unsigned number; /* 1 … among its siblings */
    mime_kind kind;
    bool is_opaque;  /* a limit cut here; type and subtype say application/octet-stream */
    bool has_type;   /* false: type, subtype and params are the default of RFC 2045 5.2 or RFC 2046 5.1.5 */
    str type, subtype; /* as written, never empty */
    mime_params params, disposition_params;
    str disposition, encoding, id, description, md5, location; /* p NULL: no such field */
    str *languages;
    size_t language_n;
    const mime_envelope *envelope;   /* of the root and of a message within a message, else NULL */
    mime_mark header, body, end;     /* header: its first byte; body: behind the empty line; end: behind the last byte */
} mime_part;

static inline mime_mark mime_size(mime_mark from, mime_mark to)
{
    return (mime_mark){ to.stored - from.stored, to.crlf - from.crlf, to.lines - from.lines };
}

static inline mime_mark mime_header_size(const mime_part *p) /* with the empty line */
{
    return mime_size(p->header, p->body);
}

static inline mime_mark mime_body_size(const mime_part *p) /* without the line end that belongs to the next boundary */
{
    return mime_size(p->body, p->end);
}

typedef struct mime_boundary {
    str text; /* without the dashes */
    mime_part *part;
} mime_boundary;

typedef struct mime { /* private but for `root` and `looked` */
    arena *mem;
    mime_limits limits;
    mime_part *root;
    mime_part *part;         /* whose header or body is being read */
    mime_envelope *envelope; /* being filled, or NULL */
    mime_boundary *open;     /* boundaries that may come, innermost last */
    size_t open_n, open_max, depth, part_n, kept_bytes;
    mime_mark at, before_eol; /* here; before the last line end */
    enum { MIME_IN_HEADER, MIME_IN_BODY, MIME_IN_OUTSIDE, MIME_IN_OPAQUE } state;
    bool in_line, last_was_cr, is_candidate, field_skip;
    buf field, line;         /* the field being read; the start of a line that may be a boundary or is split */
    uint64_t looked;         /* bytes looked at: tests hold it linear */
} mime;

/* `limits` NULL: MIME_LIMITS. The parser holds memory of its own until mime_close. */
void mime_open(mime *m, arena *mem, const mime_limits *limits);
void mime_feed(mime *m, str piece);
mime_part *mime_close(mime *m); /* the root; the tree is whole from here on */

/* The part that IMAP calls "1.2.3" below `root` (RFC 3501 6.4.5): a message within a message is passed through, part 1 of a
 * leaf is its body. NULL: no such part. `numbers` are 1 …; none of them: the root. */
const mime_part *mime_find(const mime_part *root, const uint32_t *numbers, size_t n);
