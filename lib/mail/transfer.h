/* Content-Transfer-Encoding, decoded in pieces (RFC 2045 6): for SEARCH and BINARY. Forgiving: what is not of the
 * encoding is skipped (base64) or kept (quoted-printable) and marked. Runs in: imapd's worker. Linear.
 *
 *     transfer t = transfer_open(transfer_named(part->encoding));
 *     while (…) { buf_clear(&out); transfer_feed(&t, chunk, &out); … }
 *     transfer_close(&t, &out); */
#pragma once
#include "base/buf.h"

typedef enum transfer_kind {
    TRANSFER_IDENTITY, /* 7bit, 8bit, binary, and a missing field */
    TRANSFER_BASE64,
    TRANSFER_QUOTED,
    TRANSFER_UNKNOWN, /* passes through; BINARY answers UNKNOWN-CTE (RFC 3516) */
} transfer_kind;

typedef struct transfer {
    transfer_kind kind;
    bool is_bad;         /* bytes were met that the encoding does not have */
    bool is_over;        /* base64: padding was met */
    unsigned bits, held; /* base64: bits not yet written; quoted-printable: place within an escape */
    char blanks[80];     /* quoted-printable: blanks that go when the line ends behind them */
    size_t blank_n;
} transfer;

/* The name of a Content-Transfer-Encoding field, case, blanks and comments ignored. */
transfer_kind transfer_named(str encoding);
transfer transfer_open(transfer_kind kind);

/* Appends at most piece.n + 96 bytes. False when `out` overflows. */
bool transfer_feed(transfer *t, str piece, buf *out);
bool transfer_close(transfer *t, buf *out);
