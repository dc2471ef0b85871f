/* Stored passwords, {SCHEME}hash, as far as auth looks into them: whether there is one, and a made-up one for users who
 * do not exist, which costs what most users' cost, so that a login tells nothing by its time. Runs in: auth. Pure. */
#pragma once
#include "base/buf.h"
#include "db/users.h"

/* The part behind {SCHEME}, which may be missing. */
static inline str hash_digest(str stored)
{
    size_t brace = str_find(stored, '}');
    return stored.n && stored.p[0] == '{' && brace < stored.n ? str_from(stored, brace + 1) : stored;
}

bool hash_is_set(str stored); /* neither empty nor locked ('!' or '*' in front) */

/* What the cost depends on: scheme and parameters, without salt and digest. */
str hash_cost(str stored);

/* Appends a hash whose scheme and cost are those of most users in the set; yescrypt when there are none. */
void hash_dummy(const users *us, buf *out);
