/* What of a message TOP shows (RFC 1939 7): the header, the empty line and so many lines of the body. Pieces split
 * anywhere. */
#pragma once
#include "mail/header.h"

typedef struct pop3_top {
    uint64_t lines_left;
    header_scan header;
    bool in_body;
} pop3_top;

static inline pop3_top pop3_top_new(uint32_t lines)
{
    return (pop3_top){ .lines_left = lines };
}

/* How many bytes of the piece are shown. PARSE_DONE: nothing behind them is. */
parse pop3_top_feed(pop3_top *t, str piece, size_t *shown);
