/* A set of UIDs (or of sequence numbers) as sorted ranges that neither touch nor overlap: a mailbox of any size
 * without holes is eight bytes. Linear in the ranges, never in the numbers: "1:4294967295" is one range. The holder
 * owns it: uid_set_free. */
#pragma once
#include "base/vec.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct uid_range {
    uint32_t first, last; /* both belong to it; never 0 */
} uid_range;

typedef VEC(uid_range) uid_set;

/* Cheap when ranges come in rising order; ranges that touch are joined. first > last is turned round, 0 counts as 1. */
void uid_set_add(uid_set *set, uint32_t first, uint32_t last);
void uid_set_remove(uid_set *set, const uid_set *gone);
void uid_set_unite(uid_set *set, const uid_set *more);
/* *out is emptied first; it is neither a nor b. */
void uid_set_intersect(const uid_set *a, const uid_set *b, uid_set *out);
void uid_set_copy(const uid_set *set, uid_set *out);
bool uid_set_has(const uid_set *set, uint32_t uid);
uint32_t uid_set_count(const uid_set *set);

/* The smallest member that is not below `from`; 0: none. Walks a set: for (uid = 0; (uid = uid_set_next(s, uid +
 * 1));) */
uint32_t uid_set_next(const uid_set *set, uint32_t from);

/* The n-th member (n from 1), or 0; and how many members are not above uid. Linear in the ranges. */
uint32_t uid_set_nth(const uid_set *set, uint32_t n);
uint32_t uid_set_rank(const uid_set *set, uint32_t uid);

/* The members that stand at the places of `ranks` (counted from 1): sequence numbers into UIDs. */
void uid_set_at(const uid_set *set, const uid_set *ranks, uid_set *out);
void uid_set_free(uid_set *set);
