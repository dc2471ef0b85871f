#include "imapd/worker/fetch_items.h"
#include "imapd/worker/handlers.h"
#include "proto/imap_section.h"
#include "proto/imap_write.h"

enum { HEADER_MAX = 16 * 1024 * 1024 }; /* of which HEADER.FIELDS takes fields */

typedef struct writing {
    session *s;
    const message_info *info;
    const imap_fetch_item *item;
    buf *out;
    pour *pour;
} writing;

static fault write_cached(const writing *w, char kind)
{
    return reading_text(&w->s->reading, w->s->server, w->s->box, w->info->uid, kind, w->out);
}

static fault write_envelope(const writing *w)
{
    return write_cached(w, CACHE_ENVELOPE);
}

static fault write_body(const writing *w)
{
    return write_cached(w, CACHE_BODY);
}

static fault write_structure(const writing *w)
{
    return write_cached(w, CACHE_STRUCTURE);
}

static fault write_flags(const writing *w)
{
    flags_write(w->s, w->info, w->out);
    return NO_FAULT;
}

static fault write_uid(const writing *w)
{
    imap_write_number(w->out, w->info->uid);
    return NO_FAULT;
}

static fault write_date(const writing *w)
{
    int64_t date_s = 0;
    fault f = mailbox_date(w->s->box, w->info->uid, &date_s);
    imap_write_date(w->out, date_s);
    return f;
}

static fault write_size(const writing *w)
{
    uint32_t bytes = w->info->wire_bytes;
    fault f = bytes == SIZE_UNKNOWN ? mailbox_size(w->s->box, w->info->uid, &bytes) : NO_FAULT;
    imap_write_number(w->out, bytes);
    return f;
}

static void write_cut(const writing *w, str text)
{
    uint64_t from, n;
    imap_partial_cut(w->item, text.n, &from, &n);
    imap_write_literal(w->out, str_upto(str_from(text, (size_t)from), (size_t)n));
}

static bool is_of_fields(const imap_section *section)
{
    return section->kind == IMAP_SECTION_FIELDS || section->kind == IMAP_SECTION_FIELDS_NOT;
}

static void write_fields(const writing *w, str header)
{
    buf fields = buf_new(2 * HEADER_MAX);
    (void)imap_fields_write(&fields, header, &w->item->section);
    write_cut(w, buf_str(&fields));
    buf_free(&fields);
}

/* The message's own header: from the cache, mostly. */
static fault write_header(const writing *w)
{
    buf spare = buf_new(HEADER_MAX);
    str header;
    fault f = reading_header(&w->s->reading, w->s->server, w->s->box, w->info->uid, &spare, &header);
    if (is_fault(f))
        return f;
    if (is_of_fields(&w->item->section))
        write_fields(w, header);
    else
        write_cut(w, header);
    buf_free(&spare);
    return NO_FAULT;
}

static fault write_part_fields(const writing *w, const imap_bytes *bytes)
{
    buf header = buf_new(HEADER_MAX);
    fault f = reading_part(&w->s->reading, w->s->server, bytes->from, bytes->to, &header);
    if (!is_fault(f))
        write_fields(w, buf_str(&header));
    buf_free(&header);
    return f;
}

static void write_bytes(const writing *w, const imap_bytes *bytes)
{
    uint64_t from, n;
    imap_partial_cut(w->item, bytes->to.crlf - bytes->from.crlf, &from, &n);
    buf_printf(w->out, "{%llu}\r\n", (unsigned long long)n);
    *w->pour = pour_open(&w->s->reading, bytes->from, from, n);
}

static bool is_header(const imap_section *section)
{
    return section->part_n == 0 && (section->kind == IMAP_SECTION_HEADER || is_of_fields(section));
}

static fault write_section(const writing *w)
{
    reading *r = &w->s->reading;
    imap_bytes bytes;
    if (is_header(&w->item->section))
        return write_header(w);
    mailbox_cache_release(w->s->box);
    fault f = reading_open(r, w->s->box, w->info->uid);
    if (!is_fault(f))
        f = reading_parse(r, w->s->server, w->s->box);
    if (is_fault(f))
        return f;
    if (!imap_section_find(r->root, &w->item->section, &bytes))
        imap_write_nstring(w->out, STR_NONE);
    else if (is_of_fields(&w->item->section))
        return write_part_fields(w, &bytes);
    else
        write_bytes(w, &bytes);
    return NO_FAULT;
}

static fault (*const rows[])(const writing *w) = {
    [IMAP_FETCH_ENVELOPE] = write_envelope,
    [IMAP_FETCH_FLAGS] = write_flags,
    [IMAP_FETCH_INTERNALDATE] = write_date,
    [IMAP_FETCH_SIZE] = write_size,
    [IMAP_FETCH_UID] = write_uid,
    [IMAP_FETCH_BODY] = write_body,
    [IMAP_FETCH_BODYSTRUCTURE] = write_structure,
    [IMAP_FETCH_SECTION] = write_section,
};

fault fetch_item_write(session *s, const message_info *info, const imap_fetch_item *item, buf *out, pour *left)
{
    const writing w = { s, info, item, out, left };
    imap_fetch_write_name(out, item);
    buf_append_char(out, ' ');
    return rows[item->kind](&w);
}
