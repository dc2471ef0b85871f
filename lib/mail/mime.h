/* The structure of a message (RFC 2045 to 2049, 2183, 2231, 3282), in one pass over bytes that arrive in pieces, split
 * anywhere, with CRLF or LF. Runs in: workers of local, imapd and pop3d. The tree lives in the caller's arena. Never
 * fails: every input has a structure. Linear time, no recursion. What lies beyond the limits is one opaque part,
 * application/octet-stream.
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

#define MIME_LIMITS ((mime_limits){ .depth = 100, .parts = 10000, .field_bytes = 256 << 10, .kept_bytes = 2 << 20 })
enum { MIME_BOUNDARY_MAX = 256 }; /* RFC 2046 has 70; a multipart with a longer one is opaque */

/* A place in the message, counted two ways. Differences of two are sizes. */
typedef struct mime_mark {
    uint64_t stored; /* bytes as they came */
    uint64_t crlf;   /* bytes if each line ended in CRLF: what IMAP counts */
    uint64_t lines;  /* line ends */
} mime_mark;

typedef enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* children in order; may have none when its boundary was not met */
    MIME_MESSAGE,   /* message/rfc822 or message/global: one child, the message within, with its envelope */
} mime_kind;

/* Fields of IMAP's ENVELOPE, unfolded and trimmed, not decoded; p NULL: no such field. Of doubled fields the first
 * counts; doubled address fields are joined by a comma. */
typedef struct mime_envelope {
    str date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id;
} mime_envelope;

typedef struct mime_part {
    struct mime_part *parent, *next, *child, *last_child;
    unsigned number; /* 1 … among its siblings */
    mime_kind kind;
    bool is_opaque;    /* a limit cut here; type and subtype say application/octet-stream */
    bool has_type;     /* false: type, subtype and params are the default of RFC 2045 5.2 or RFC 2046 5.1.5 */
    str type, subtype; /* as written, never empty */
    mime_params params, disposition_params;
    str disposition, encoding, id, description, md5, location; /* p NULL: no such field */
    str *languages;
    size_t language_n;
    const mime_envelope *envelope; /* of the root and of a message within a message, else NULL */
    mime_mark header, body, end;   /* header: its first byte; body: behind the empty line; end: behind the last */
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

typedef enum mime_state { MIME_IN_HEADER, MIME_IN_BODY, MIME_IN_OPAQUE } mime_state;

typedef struct mime { /* private but for `root` and `looked` */
    arena *mem;
    mime_limits limits;
    mime_part *root;
    mime_part *part;         /* whose header or body is being read; a multipart before and behind its parts */
    mime_envelope *envelope; /* of that part, or NULL */
    mime_boundary *open;     /* boundaries that may come, innermost last */
    size_t open_n, open_max, depth, part_n, kept_bytes;
    mime_state state;
    mime_mark at, before_eol; /* here; before the line end in front of the current line */
    uint64_t line_start;      /* stored */
    bool last_was_cr;
    const struct mime_row *row; /* what is done with the field being read; NULL: nothing */
    bool is_named;              /* the field's name is known */
    buf field;                  /* the field being read */
    buf line;                   /* the start of a line that came in more than one piece */
    uint64_t looked;            /* bytes looked at: tests hold it linear */
} mime;

/* `limits` NULL: MIME_LIMITS. The parser holds memory of its own until mime_close. */
void mime_open(mime *m, arena *mem, const mime_limits *limits);
void mime_feed(mime *m, str piece);
mime_part *mime_close(mime *m); /* the root; the tree is whole from here on */

/* The part that IMAP calls "1.2.3" below `root` (RFC 3501 6.4.5): a message within a message is passed through, part 1
 * of a message that is no multipart is its body. NULL: no such part. `numbers` are 1 …; none of them: the root. */
const mime_part *mime_find(const mime_part *root, const uint32_t *numbers, size_t n);
