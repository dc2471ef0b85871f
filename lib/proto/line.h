/* Lines of a text protocol, taken from the front of bytes that arrive in pieces. Runs in: every protocol process. No
 * allocation: a line is a view into the caller's bytes. Used for commands, SASL responses and replies.
 * Fails: PARSE_BAD once for a line that is not clean; the rest of that line, up to its end, is then skipped and
 * never read as a line of its own. */
#pragma once
#include "base/parse.h"
#include "base/str.h"

typedef enum line_problem {
    LINE_FINE,
    LINE_TOO_LONG,
    LINE_BARE_CR,
    LINE_BARE_LF,
    LINE_NUL,
} line_problem;

typedef struct line_reader {
    size_t max;           /* octets of a line with its end; may be changed between two lines */
    bool lf_ends;         /* a bare LF ends a line too: for people with a terminal, where no smuggling is possible */
    line_problem problem; /* after PARSE_BAD */
    size_t looked;        /* octets at the front of `in` that were looked at before */
    bool is_skipping, last_was_cr;
} line_reader;

static inline line_reader line_reader_new(size_t max, bool lf_ends)
{
    return (line_reader){ .max = max, .lf_ends = lf_ends };
}

/* PARSE_DONE: *line is without its end. PARSE_MORE: call again with what is left of `in` and more behind it.
 * In all cases *used octets are to be taken off `in` (PARSE_MORE: 0, but while skipping all of them). */
parse line_read(line_reader *r, str in, str *line, size_t *used);
