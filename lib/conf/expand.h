/* $name, $(name), ${name}, ${name?text}, ${name:text}, ${name?{text}:{text}}, ${{text} == {text} ? {text} : {text}} and
 * $$, as postconf(5) has them. No I/O. Fails on bad grammar, on names that refer to themselves, and on values past the
 * maximum. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"

enum { EXPAND_DEPTH_MAX = 50, EXPAND_OPERAND_MAX = 64 * 1024 };

/* The expanded value of a name. False: not defined. A fault ends the whole expansion. */
typedef bool expand_lookup(void *context, str name, unsigned depth, str *out, fault *f);

/* Appends the expanded text to *out. `depth` is 0, or what a lookup was called with, when it expands in its turn.
 * FAULT_REFUSED says what is wrong; *out may then hold a part. */
fault expand(str text, expand_lookup *lookup, void *context, unsigned depth, buf *out);

/* Calls `seen` for each name that the text refers to, whether or not it would be looked up. */
void expand_names(str text, void (*seen)(void *context, str name), void *context);
