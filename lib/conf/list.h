/* Lists within a value: words divided by commas and white space, which braces keep together: { a, b } inline:{a=b, c=d}.
 * Views into the value.
 *
 *     for (str rest = c->mydestination, word; list_next(&rest, &word);) … */
#pragma once
#include "base/str.h"

/* Takes the next word from the front of *rest; a word in braces comes without them, trimmed. An opening brace without its
 * closing one takes all that is left. False: no word is left. */
bool list_next(str *rest, str *out);

/* type:name; addresses are none, though IPv6 ones without brackets may look like it. */
bool list_is_table(str word);

/* Whether the braces of the value close. */
bool list_is_balanced(str value);

/* Whether one of the words is `word`, without regard to case. */
bool list_has(str list, str word);
