/* Other addresses in the value of a header field: only the words of the addresses change, while names, comments, groups, routes,
 * encoded words and folds stay byte for byte. Runs in: cleanup. Linear time, no recursion; bounded by what the caller's buf holds.
 * What the list parser takes for broken stays as it is. */
#pragma once
#include "base/buf.h"
#include "mail/address_list.h"

/* Another address for `path` ("local@host", quoted where it must be); p NULL: it stays. */
typedef str address_other(void *context, str path);

/* Appends the value with the addresses that `other` gives. *changed, when set, counts those that are other ones. False: `out`
 * overflows. `mem` takes memory linear in the value's size. */
bool address_edit(str value, address_other *other, void *context, arena *mem, buf *out, size_t *changed);
