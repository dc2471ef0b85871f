/* Copies the header of a message into a report (text/rfc822-headers), as it arrives in pieces: whole lines of fields up to the empty
 * line, or up to the first line that belongs to no field, so that no line of a body gets in. Pure; runs in: bounce. What goes out
 * is CRLF lines without bare CR, LF or NUL, of at most 998 octets, at most `limit` in all. */
#pragma once
#include "base/buf.h"
#include "base/parse.h"

enum { HEADER_COPY_LINE_MAX = 998 };

typedef struct header_copy {
    uint64_t limit, written;
    size_t n; /* of the line */
    bool has_field, is_done, saw_cr;
    char line[HEADER_COPY_LINE_MAX];
} header_copy;

/* Appends what is whole. PARSE_DONE: the header is over, the rest is of no interest. */
parse header_copy_feed(header_copy *h, str piece, buf *out);
