/* Which bytes of a message a FETCH section names (RFC 3501 6.4.5), by the tree of mail/mime.h. Runs in: imapd's
 * worker. */
#pragma once
#include "mail/mime.h"
#include "proto/imap_fetch.h"

typedef struct imap_bytes {
    mime_mark from, to;
} imap_bytes;

/* False: no such part: the answer is NIL. For HEADER.FIELDS and .NOT it is the whole header: give it to
 * imap_fields_write. */
bool imap_section_find(const mime_part *root, const imap_section *section, imap_bytes *out);

/* Appends the fields of a header that the section names, or does not name, with CRLF, and the empty line. */
bool imap_fields_write(buf *out, str header, const imap_section *section);

/* Octets of <offset.count> within `size`: *from and *n, both within it. */
void imap_partial_cut(const imap_fetch_item *item, uint64_t size, uint64_t *from, uint64_t *n);
