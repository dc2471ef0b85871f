/* xtext of RFC 3461 4: bytes as printable ASCII, "+2B" for the others. Pure. */
#pragma once
#include "base/buf.h"

/* Strict: upper-case hexadecimal, nothing outside '!' to '~', no bare '=' or '+'. False, and *out as it was, when it
 * is not that. The result may be any bytes: the caller says which of them it takes. */
bool xtext_decode(str text, buf *out);
bool xtext_encode(str bytes, buf *out);
