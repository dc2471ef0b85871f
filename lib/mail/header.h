/* Header blocks (RFC 5322 2.2): a walk over the fields, unfolding, the end of a header in a stream, and a writer that
 * folds. Reads CRLF and bare LF alike, as stored files have both. Runs in: cleanup, sendmail, workers. Views into the
 * caller's bytes. Never fails on input: what is no field is handed out as a line with is_valid false. Linear time. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/parse.h"

enum {
    HEADER_NAME_MAX = 128, /* longer names are not fields of anybody's */
    HEADER_FOLD_AT = 78,   /* RFC 5322 2.1.1 */
};

typedef struct header_field {
    str name;     /* blanks before the colon taken off; empty when not is_valid */
    str value;    /* raw: behind the colon, folds included, without the last line end; not is_valid: the whole line */
    size_t start; /* offset of the first byte in the block */
    size_t end;   /* offset behind the field's last line end */
    bool is_valid;
} header_field;

typedef struct header_walk {
    str block;
    size_t at;    /* offset of the next field; behind the empty line when the walk is over */
    bool has_end; /* the empty line was met; else the block ended first */
} header_walk;

/* `block` starts at the first field and may go on into the body. */
header_walk header_open(str block);
bool header_next(header_walk *walk, header_field *out);

/* The first field of that name, case ignored. */
bool header_find(str block, str name, header_field *out);

/* The value in one line: line ends taken out (RFC 5322 2.2.3), blanks at both ends trimmed. A view when not folded. */
str header_unfold(str raw, arena *mem);

/* RFC 5322 3.6.8 ftext, 1 to HEADER_NAME_MAX bytes. */
bool header_name_is_valid(str name);

/* Finds the end of a header in bytes that arrive in pieces. Start with a zeroed struct. */
typedef struct header_scan {
    uint64_t seen; /* bytes taken so far: the header's size, with the empty line, after PARSE_DONE */
    bool in_line, saw_cr;
} header_scan;

/* PARSE_DONE: the empty line ends within this piece, behind *used bytes of it. PARSE_MORE: all were taken. */
parse header_scan_feed(header_scan *scan, str piece, size_t *used);

/* Appends "Name: value CRLF". Folds before blanks so that lines keep to HEADER_FOLD_AT where they can; CR, LF and NUL
 * in `value` become blanks, so that no value can start a field of its own. False: `out` overflows, or a bad name. */
bool header_add(buf *out, str name, str value);
