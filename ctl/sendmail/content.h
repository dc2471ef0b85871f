/* A message as it comes from a program, made into what mail is on the wire: lines end in CRLF, NULs are gone, a header stands in
 * front of an empty line. Bytes in, bytes out, split anywhere; no I/O. Runs in: sendmail. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"
#include "base/parse.h"

enum { CONTENT_HEADER_MAX = 2 * 1024 * 1024 };

/* Called once with the header's lines, each ended by CRLF; appends the header to *out, without the empty line. */
typedef fault content_header_fn(void *context, str header, buf *out);

typedef struct content {
    bool ignores_dot; /* else a line with a dot alone is the end */
    content_header_fn *on_header;
    void *context;
    bool is_8bit;
    fault fault; /* after PARSE_BAD */
    /* its own */
    enum { CONTENT_START, CONTENT_LINE, CONTENT_CR, CONTENT_DOT, CONTENT_DOT_CR } state;
    bool in_body;
    buf header, line;
} content;

content content_new(bool ignores_dot, content_header_fn *on_header, void *context);
void content_free(content *c);

/* PARSE_DONE: the dot was met. PARSE_BAD: the header is too large, or on_header failed. */
parse content_feed(content *c, str piece, buf *out);
parse content_end(content *c, buf *out); /* the input is over; PARSE_DONE or PARSE_BAD */
