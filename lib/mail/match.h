/* Finds a text in bytes that arrive in pieces, ASCII case ignored, in linear time whatever text and bytes are.
 * Runs in: imapd's worker (SEARCH). The needle's tables live in the caller's arena; a match is used for many texts. */
#pragma once
#include "base/arena.h"

typedef struct match {
    str needle;           /* lower case */
    const uint32_t *back; /* where to go on when the next byte does not fit */
    size_t state;
    bool is_found;
    uint64_t looked; /* bytes looked at: tests hold it linear */
} match;

match match_open(str needle, arena *mem);
void match_reset(match *m);           /* for the next text */
bool match_feed(match *m, str piece); /* true as soon as the needle was seen; an empty needle is in everything */
bool match_in(match *m, str text);    /* reset and feed */
