/* Line ends: LF in the Maildir, CRLF on the wire. Reading what was written gives back the same octets, also when the
 * content had a CR or a CRCRLF of its own; a bare LF becomes CRLF. Input may be split anywhere. No I/O, no memory of
 * its own. */
#pragma once
#include "base/buf.h"

typedef struct wire {
    unsigned crs;        /* to_stored: CRs held back; to_wire: whether the last byte was a CR */
    uint64_t wire_bytes; /* octets that reading the stored form gives */
} wire;

/* CRLF to LF. Appends at most bytes.n + 1; false when `out` is full. */
bool wire_to_stored(wire *w, str bytes, buf *out);
bool wire_to_stored_end(wire *w, buf *out); /* what was held back */

/* LF to CRLF. Appends at most twice as much. wire_count only counts. */
bool wire_to_wire(wire *w, str bytes, buf *out);
void wire_count(wire *w, str bytes);
