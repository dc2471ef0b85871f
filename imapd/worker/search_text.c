/* BODY and TEXT: the decoded text of the parts that are text, in one walk over the structure. */
#include "imapd/worker/search.h"
#include "mail/transfer.h"
#include "mail/words.h"

enum { PART_HEADER_MAX = 1024 * 1024 };

typedef struct decoding { /* of one part */
    transfer transfer;
    str charset;
    bool is_converted;
    buf *bytes, *text;
    match *wanted;
} decoding;

static bool bytes_match(decoding *d, str bytes)
{
    if (!d->is_converted)
        return match_feed(d->wanted, bytes);
    buf_clear(d->text);
    (void)words_convert(NULL, d->charset, bytes, d->text);
    return match_feed(d->wanted, buf_str(d->text));
}

static bool piece_use(void *context, str piece)
{
    decoding *d = context;
    if (d->transfer.kind == TRANSFER_IDENTITY || d->transfer.kind == TRANSFER_UNKNOWN)
        return bytes_match(d, piece);
    buf_clear(d->bytes);
    (void)transfer_feed(&d->transfer, piece, d->bytes);
    return bytes_match(d, buf_str(d->bytes));
}

/* Charsets of one byte a character can be cut anywhere; UTF-8 and what is not known is compared as it is. */
static bool is_converted(str charset)
{
    static const str names[] = { STR_ROW("iso-8859-1"), STR_ROW("latin1"), STR_ROW("iso-8859-15"),
                                 STR_ROW("windows-1252"), STR_ROW("cp1252") };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(names[i], charset))
            return true;
    return false;
}

static bool body_matches(searched *m, const mime_part *part, match *wanted)
{
    str charset = mime_param_find(&part->params, STR("charset"), NULL);
    decoding d = { .transfer = transfer_open(transfer_named(part->encoding)),
                   .charset = charset,
                   .is_converted = is_converted(charset),
                   .bytes = &m->spare,
                   .text = &m->text,
                   .wanted = wanted };
    match_reset(wanted);
    m->has_header = false; /* `spare` may have held it */
    m->fault = reading_scan(&m->s->reading, m->s->server, part->body.stored, part->end.stored, piece_use, &d);
    if (is_fault(m->fault) || wanted->is_found)
        return wanted->is_found;
    buf_clear(d.bytes);
    (void)transfer_close(&d.transfer, d.bytes);
    return bytes_match(&d, buf_str(d.bytes));
}

static bool header_matches(searched *m, const mime_part *part, match *wanted)
{
    buf header = buf_new(PART_HEADER_MAX);
    m->fault = reading_part(&m->s->reading, m->s->server, part->header, part->body, &header);
    m->header = buf_str(&header);
    bool is_found = !is_fault(m->fault) && search_fields(m, STR(""), wanted);
    m->has_header = false;
    buf_free(&header);
    return is_found;
}

static bool has_text(const mime_part *part)
{
    return part->kind == MIME_LEAF &&
           (str_equal_nocase(part->type, STR("text")) || str_equal_nocase(part->type, STR("message")));
}

/* The next part in the order of the file. */
static const mime_part *part_next(const mime_part *part)
{
    if (part->child)
        return part->child;
    while (part && part->next == NULL)
        part = part->parent;
    return part ? part->next : NULL;
}

/* The header of a message within belongs to the body; those of mere parts only to TEXT. */
static bool part_matches(searched *m, const mime_part *part, bool is_whole, match *wanted)
{
    bool is_message = part->parent && part->parent->kind == MIME_MESSAGE;
    if (part->parent && (is_whole || is_message) && header_matches(m, part, wanted))
        return true;
    return !is_fault(m->fault) && has_text(part) && body_matches(m, part, wanted);
}

bool search_text(searched *m, const imap_search_node *leaf, match *wanted)
{
    reading *r = &m->s->reading;
    bool is_whole = leaf->key == IMAP_SEARCH_TEXT;
    if (leaf->text.n == 0)
        return true;
    if (is_whole) {
        m->fault = search_header(m);
        if (is_fault(m->fault) || search_fields(m, STR(""), wanted))
            return !is_fault(m->fault);
    }
    m->has_header = false;
    mailbox_cache_release(m->s->box);
    m->fault = reading_open(r, m->s->box, m->info->uid);
    if (!is_fault(m->fault))
        m->fault = reading_parse(r, m->s->server, m->s->box);
    for (const mime_part *p = r->root; !is_fault(m->fault) && p; p = part_next(p))
        if (part_matches(m, p, is_whole, wanted))
            return true;
    return false;
}
