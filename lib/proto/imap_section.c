#include "proto/imap_section.h"
#include "mail/header.h"

/* The message whose HEADER or TEXT is meant: the whole one, or the one within a message part (RFC 3501 6.4.5). */
static const mime_part *message_of(const mime_part *part, const imap_section *section)
{
    if (section->part_n == 0)
        return part;
    return part->kind == MIME_MESSAGE ? part->child : NULL;
}

bool imap_section_find(const mime_part *root, const imap_section *section, imap_bytes *out)
{
    const mime_part *part = mime_find(root, section->parts, section->part_n);
    const mime_part *message = part ? message_of(part, section) : NULL;

    if (part == NULL)
        return false;
    switch (section->kind) {
    case IMAP_SECTION_ALL: *out = (imap_bytes){ section->part_n ? part->body : part->header, part->end }; return true;
    case IMAP_SECTION_MIME: *out = (imap_bytes){ part->header, part->body }; return true;
    case IMAP_SECTION_HEADER:
    case IMAP_SECTION_FIELDS:
    case IMAP_SECTION_FIELDS_NOT:
        if (message)
            *out = (imap_bytes){ message->header, message->body };
        return message != NULL;
    case IMAP_SECTION_TEXT:
        if (message)
            *out = (imap_bytes){ message->body, message->end };
        return message != NULL;
    }
    return false;
}

/* Lines with whatever end they have, written with CRLF. */
static bool lines_write(buf *out, str text)
{
    str line;

    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    while (str_cut(&text, '\n', &line)) {
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!buf_append(out, line) || !buf_append(out, STR("\r\n")))
            return false;
    }
    return true;
}

bool imap_fields_write(buf *out, str header, const imap_section *section)
{
    header_walk walk = header_open(header);
    header_field f;

    while (header_next(&walk, &f)) {
        bool is_named = f.is_valid && imap_section_names(section, f.name);
        if (is_named == (section->kind == IMAP_SECTION_FIELDS) &&
            !lines_write(out, (str){ header.p + f.start, f.end - f.start }))
            return false;
    }
    return buf_append(out, STR("\r\n"));
}

void imap_partial_cut(const imap_fetch_item *item, uint64_t size, uint64_t *from, uint64_t *n)
{
    *from = 0;
    *n = size;
    if (!item->has_partial)
        return;
    *from = item->offset < size ? item->offset : size;
    *n = item->count < size - *from ? item->count : size - *from;
}
