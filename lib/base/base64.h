/* Base64 of RFC 4648 section 4, whole values (SASL). Streaming decoding of MIME bodies is mail/transfer.h. */
#pragma once
#include "base/buf.h"

bool base64_encode(str bytes, buf *out);

/* Strict: no blanks, right padding, zero bits behind the end. False, and *out as it was, when it is anything else. */
bool base64_decode(str text, buf *out);
