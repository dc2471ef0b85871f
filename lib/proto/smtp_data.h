/* Content that follows DATA (RFC 5321 4.5.2), in pieces split anywhere. End of data is CRLF.CRLF and nothing else;
 * bare CR, bare LF and NUL are noted and the scan goes on to the true end, so that no tail of the content is ever
 * read as commands.
 * Runs in: smtpd. No copying, no allocation: pieces are views into the input. Linear, some GB a second.
 *
 *     smtp_data d = { 0 };
 *     for (; in.n && p == PARSE_MORE; in = str_from(in, used)) {
 *         p = smtp_data_next(&d, in, &piece, &used);
 *         write(piece);
 *     } */
#pragma once
#include "base/parse.h"
#include "base/str.h"

enum { SMTP_LINE_MAX = 998 }; /* RFC 5321 4.5.3.1.6: 1000 octets with CRLF */

typedef struct smtp_data {
    uint64_t content_bytes; /* of all pieces so far */
    uint64_t lines;         /* CRLFs in them */
    uint64_t longest_line;  /* octets without CRLF, without the dot that was added */
    bool has_bare_cr, has_bare_lf, has_nul;
    enum {
        SMTP_DATA_LINE_START,
        SMTP_DATA_IN_LINE,
        SMTP_DATA_CR,
        SMTP_DATA_DOT,
        SMTP_DATA_DOT_CR,
        SMTP_DATA_END,
    } state;
    uint64_t line_bytes; /* of the line being read */
} smtp_data;

/* *piece (may be empty) is content, the transparency dot taken off; *used octets of `in` are done with.
 * PARSE_DONE: the end was met; what is left of `in` are commands. PARSE_MORE: the content goes on. Never PARSE_BAD.
 * With in.n > 0 each call gets on: *used > 0 or piece->n > 0. */
parse smtp_data_next(smtp_data *d, str in, str *piece, size_t *used);
