/* Which known name a mistyped one was probably meant to be. Pure; no memory. */
#pragma once
#include "base/str.h"

enum { NEAREST_NAME_MAX = 63 }; /* longer names are near to nothing */

/* Changes, insertions, deletions and swaps of neighbours that make b of a; limit + 1 when there are more than `limit`. */
unsigned nearest_distance(str a, str b, unsigned limit);

/* How many of these a name may have and still be near: a third of its length, 5 at most. */
unsigned nearest_limit(str name);
