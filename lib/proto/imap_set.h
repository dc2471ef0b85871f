/* Sequence sets and UID sets of IMAP (RFC 3501 9), as sorted ranges that neither touch nor overlap. Costs O(ranges
 * log ranges) to read and never anything by the numbers in it. '*' is kept apart until imap_set_resolve is told what
 * it means. Lives in the caller's arena. Fails: PARSE_BAD; whole values only. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/parse.h"

typedef struct imap_range {
    uint32_t first, last; /* both belong to it; 1 … UINT32_MAX */
} imap_range;

typedef struct imap_set {
    imap_range *ranges;
    size_t n;
    bool has_star;                  /* ranges with '*', together: from min(star_first, max) to max(star_last, max) */
    uint32_t star_first, star_last; /* "*" alone: UINT32_MAX and 0 */
} imap_set;

parse imap_set_parse(str text, arena *mem, imap_set *out);

/* The same without '*', which stands for `max`: the number of messages, or the highest UID; 0 in an empty mailbox,
 * where '*' adds nothing. Numbers above max stay in the set. */
void imap_set_resolve(const imap_set *set, uint32_t max, arena *mem, imap_set *out);

/* These take sets without '*'. */
bool imap_set_has(const imap_set *set, uint32_t number);
uint32_t imap_set_next(const imap_set *set, uint32_t from); /* the smallest member that is not below `from`; 0: none */
uint32_t imap_set_last(const imap_set *set);                /* the largest member; 0: empty */
