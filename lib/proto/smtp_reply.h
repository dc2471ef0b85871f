/* SMTP replies (RFC 5321 4.2, RFC 2034): a writer for the servers and a reader for the client. Replies that were
 * read are kept in the reader's own bytes. Fails: PARSE_BAD for what is no reply or passes a limit; the client then
 * closes and defers. */
#pragma once
#include "base/buf.h"
#include "proto/line.h"

enum { SMTP_REPLY_LINE_MAX = 512 }; /* RFC 5321 4.5.3.1.5, with code and CRLF */

/* Appends a reply. `text` may have several lines, parted by LF; a long one is continued on the next. Each gets the
 * code and, when `status` is not empty, the enhanced code ("5.7.1"). Bytes outside ' ' to '~' go out as '?'. */
bool smtp_reply_write(buf *out, unsigned code, str status, str text);

typedef struct smtp_reply {
    unsigned code; /* 200 … 559 */
    str status;    /* "5.7.1", empty when there is none that fits the code */
    str text;      /* lines parted by LF, code and status taken off, bytes outside ' ' to '~' as '?' (UTF-8 stays) */
    size_t lines;
} smtp_reply;

typedef struct smtp_reply_reader {
    line_reader line;
    buf text;
    unsigned code;
    size_t lines, lines_max;
    char status[12];
    size_t status_n;
    bool is_done;
} smtp_reply_reader;

/* Limits: a line of 2,048 octets, `lines_max` lines, `text_max` octets of text in all. */
smtp_reply_reader smtp_reply_reader_new(size_t lines_max, size_t text_max);

/* Takes *used octets. PARSE_DONE: *out lives until the next call. PARSE_BAD: mixed codes, no digits, NUL, a limit. */
parse smtp_reply_read(smtp_reply_reader *r, str in, smtp_reply *out, size_t *used);
void smtp_reply_reader_free(smtp_reply_reader *r);
