#include "mail/mime.h"
#include "base/memory.h"
#include "mail/header.h"
#include <stdlib.h>

enum { LINE_BYTES = MIME_BOUNDARY_MAX + 4 }; /* dashes in front and behind */

typedef enum row_kind {
    ROW_TYPE,
    ROW_DISPOSITION,
    ROW_LANGUAGES,
    ROW_WORD, /* a token, comments off */
    ROW_TEXT,
    ROW_ENVELOPE, /* this and the next are asked for where there is an envelope */
    ROW_ADDRESSES,
} row_kind;

typedef struct mime_row {
    str name;
    row_kind kind;
    size_t offset; /* of a str in mime_part, or in mime_envelope */
} mime_row;

static const mime_row rows[] = {
    { STR_ROW("content-type"), ROW_TYPE, 0 },
    { STR_ROW("content-disposition"), ROW_DISPOSITION, 0 },
    { STR_ROW("content-language"), ROW_LANGUAGES, 0 },
    { STR_ROW("content-transfer-encoding"), ROW_WORD, offsetof(mime_part, encoding) },
    { STR_ROW("content-id"), ROW_TEXT, offsetof(mime_part, id) },
    { STR_ROW("content-description"), ROW_TEXT, offsetof(mime_part, description) },
    { STR_ROW("content-md5"), ROW_TEXT, offsetof(mime_part, md5) },
    { STR_ROW("content-location"), ROW_TEXT, offsetof(mime_part, location) },
    { STR_ROW("date"), ROW_ENVELOPE, offsetof(mime_envelope, date) },
    { STR_ROW("subject"), ROW_ENVELOPE, offsetof(mime_envelope, subject) },
    { STR_ROW("from"), ROW_ADDRESSES, offsetof(mime_envelope, from) },
    { STR_ROW("sender"), ROW_ADDRESSES, offsetof(mime_envelope, sender) },
    { STR_ROW("reply-to"), ROW_ADDRESSES, offsetof(mime_envelope, reply_to) },
    { STR_ROW("to"), ROW_ADDRESSES, offsetof(mime_envelope, to) },
    { STR_ROW("cc"), ROW_ADDRESSES, offsetof(mime_envelope, cc) },
    { STR_ROW("bcc"), ROW_ADDRESSES, offsetof(mime_envelope, bcc) },
    { STR_ROW("in-reply-to"), ROW_ENVELOPE, offsetof(mime_envelope, in_reply_to) },
    { STR_ROW("message-id"), ROW_ENVELOPE, offsetof(mime_envelope, message_id) },
};

static const mime_row *row_find(const mime *m, str name)
{
    while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
        name.n--;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(rows[i].name, name))
            return rows[i].kind >= ROW_ENVELOPE && m->envelope == NULL ? NULL : &rows[i];
    return NULL;
}

/* The first line of a field, as far as it came: looks for the name, and forgets the field when nobody asks for it. */
static void field_name(mime *m, str bit, bool ends)
{
    size_t before = m->field.n, colon = str_find(bit, ':');
    size_t room = HEADER_NAME_MAX + 1 > before ? HEADER_NAME_MAX + 1 - before : 0;

    if (colon < bit.n && colon <= room) {
        buf_append(&m->field, str_upto(bit, colon));
        m->row = row_find(m, buf_str(&m->field));
        m->is_named = true;
        buf_clear(&m->field);
        if (m->row)
            buf_append(&m->field, str_upto(str_from(bit, colon + 1), m->limits.field_bytes));
    } else if (ends || bit.n > room) {
        m->is_named = true;
        m->row = NULL;
    } else {
        buf_append(&m->field, bit);
    }
}

static void field_bit(mime *m, str bit, bool ends)
{
    if (!m->is_named) {
        field_name(m, bit, ends);
        return;
    }
    if (m->row)
        buf_append(&m->field, str_upto(bit, m->limits.field_bytes - m->field.n));
}

static void text_set(mime *m, str *at, str value)
{
    if (at->p == NULL)
        *at = arena_copy(m->mem, value);
}

static void addresses_set(mime *m, str *at, str value)
{
    if (at->p == NULL || at->n == 0) {
        *at = arena_copy(m->mem, value);
        return;
    }
    /* To copy what is there each time is quadratic in the number of fields: the bytes to be kept pay for it. */
    char *p = arena_get(m->mem, at->n + 2 + value.n);
    memcpy(p, at->p, at->n);
    memcpy(p + at->n, ", ", 2);
    if (value.n)
        memcpy(p + at->n + 2, value.p, value.n);
    m->kept_bytes += at->n;
    m->looked += at->n;
    *at = (str){ p, at->n + 2 + value.n };
}

static str *member(void *base, size_t offset)
{
    return (str *)(void *)((char *)base + offset);
}

static void row_take(mime *m, const mime_row *row, str value)
{
    mime_part *p = m->part;

    switch (row->kind) {
    case ROW_TYPE:
        if (!p->has_type)
            p->has_type = mime_type_parse(arena_copy(m->mem, value), m->mem, &p->type, &p->subtype, &p->params,
                                          &m->looked) == PARSE_DONE;
        break;
    case ROW_DISPOSITION:
        if (p->disposition.p == NULL && mime_disposition_parse(arena_copy(m->mem, value), m->mem, &p->disposition,
                                                               &p->disposition_params, &m->looked) != PARSE_DONE)
            p->disposition = STR_NONE;
        break;
    case ROW_LANGUAGES:
        if (p->languages == NULL)
            p->languages = mime_languages_parse(arena_copy(m->mem, value), m->mem, &p->language_n);
        break;
    case ROW_WORD:
        if (mime_word_parse(value).p)
            text_set(m, member(p, row->offset), mime_word_parse(value));
        break;
    case ROW_TEXT: text_set(m, member(p, row->offset), value); break;
    case ROW_ENVELOPE: text_set(m, member(m->envelope, row->offset), value); break;
    case ROW_ADDRESSES: addresses_set(m, member(m->envelope, row->offset), value); break;
    }
}

/* Line ends of folds go, in place; the value is used up here. */
static str unfolded(buf *field)
{
    size_t n = 0;

    for (size_t i = 0; i < field->n; i++)
        if (field->p[i] != '\r' && field->p[i] != '\n')
            field->p[n++] = field->p[i];
    return str_trim((str){ field->p, n });
}

static void field_finish(mime *m)
{
    if (m->row && m->kept_bytes < m->limits.kept_bytes) {
        m->looked += m->field.n;
        str value = unfolded(&m->field);
        m->kept_bytes += value.n;
        row_take(m, m->row, value);
    }
    m->row = NULL;
    m->is_named = false;
    buf_clear(&m->field);
}

static mime_part *part_add(mime *m, mime_part *parent)
{
    mime_part *p = ARENA_NEW(m->mem, mime_part);

    p->parent = parent;
    p->number = parent && parent->last_child ? parent->last_child->number + 1 : 1;
    if (parent && parent->last_child)
        parent->last_child->next = p;
    else if (parent)
        parent->child = p;
    if (parent)
        parent->last_child = p;
    m->part_n++;
    m->depth++;
    m->part = p;
    m->state = MIME_IN_HEADER;
    m->envelope = NULL;
    if (parent == NULL || parent->kind == MIME_MESSAGE) {
        m->envelope = ARENA_NEW(m->mem, mime_envelope);
        p->envelope = m->envelope;
    }
    return p;
}

static void part_make_opaque(mime *m, mime_part *p)
{
    p->kind = MIME_LEAF;
    p->is_opaque = true;
    p->type = STR("application");
    p->subtype = STR("octet-stream");
    p->params = (mime_params){ 0 };
    m->state = MIME_IN_BODY;
}

static void type_default(mime_part *p)
{
    static const mime_param ascii = { STR_ROW("charset"), STR_ROW("us-ascii") };
    const mime_part *outer = p->parent;
    bool in_digest = outer && outer->kind == MIME_MULTIPART && str_equal_nocase(outer->subtype, STR("digest"));

    if (p->has_type)
        return;
    p->type = in_digest ? STR("message") : STR("text");
    p->subtype = in_digest ? STR("rfc822") : STR("plain");
    p->params = in_digest ? (mime_params){ 0 } : (mime_params){ &ascii, 1 };
}

static void boundary_open(mime *m, mime_part *p, str text)
{
    if (m->open_n == m->open_max) {
        m->open_max = m->open_max ? m->open_max * 2 : 8;
        m->open = memory_resize(m->open, m->open_max, sizeof *m->open);
    }
    m->open[m->open_n++] = (mime_boundary){ text, p };
}

/* The header of m->part is over; `body` is where its body starts. */
static void header_finish(mime *m, mime_mark body)
{
    mime_part *p = m->part;
    bool is_full = m->depth >= m->limits.depth || m->part_n >= m->limits.parts;

    field_finish(m);
    p->body = body;
    m->state = MIME_IN_BODY;
    type_default(p);
    if (str_equal_nocase(p->type, STR("multipart"))) {
        str boundary = mime_param_find(&p->params, STR("boundary"), NULL);
        while (boundary.n && boundary.p[boundary.n - 1] == ' ') /* RFC 2046 5.1.1: never ends in a blank */
            boundary.n--;
        if (is_full || boundary.n > MIME_BOUNDARY_MAX) {
            part_make_opaque(m, p);
            return;
        }
        p->kind = MIME_MULTIPART;
        if (boundary.n)
            boundary_open(m, p, boundary);
    } else if (str_equal_nocase(p->type, STR("message")) &&
               (str_equal_nocase(p->subtype, STR("rfc822")) || str_equal_nocase(p->subtype, STR("global")))) {
        if (is_full) {
            part_make_opaque(m, p);
            return;
        }
        p->kind = MIME_MESSAGE;
        part_add(m, p)->header = body;
    }
}

static mime_mark later(mime_mark a, mime_mark b)
{
    return a.stored >= b.stored ? a : b;
}

/* Ends m->part and those around it, up to `outer`, at `end`; a header that is still open ends there, too. */
static void parts_close(mime *m, const mime_part *outer, mime_mark end)
{
    while (m->state == MIME_IN_HEADER && m->part != outer)
        header_finish(m, later(end, m->part->header));
    for (mime_part *p = m->part; p != outer; p = p->parent) {
        p->end = end = later(end, p->body);
        m->depth--;
    }
}

/* Which open boundary the line is; where one is the beginning of another, the longer, then the inner one. What follows
 * on the line does not matter (RFC 2046 5.1.1). m->open_n: none. */
static size_t boundary_find(mime *m, str line)
{
    size_t best = m->open_n;

    if (m->state == MIME_IN_OPAQUE || !str_starts(line, STR("--")))
        return best;
    line = str_from(line, 2);
    for (size_t i = m->open_n; i-- > 0;) {
        str text = m->open[i].text;
        m->looked += text.n < line.n ? text.n : line.n;
        if (str_starts(line, text) && (best == m->open_n || text.n > m->open[best].text.n))
            best = i;
    }
    return best;
}

/* m->at is behind the boundary's line, m->before_eol in front of the line end that belongs to it. */
static void boundary_take(mime *m, size_t i, bool is_last)
{
    mime_part *p = m->open[i].part;

    m->row = NULL; /* the boundary's line itself, taken for a field */
    parts_close(m, p, m->before_eol);
    m->part = p;
    m->state = MIME_IN_BODY;
    m->open_n = is_last ? i : i + 1;
    if (is_last)
        return;
    if (m->part_n >= m->limits.parts) {
        m->state = MIME_IN_OPAQUE;
        return;
    }
    bool is_full = m->part_n + 1 >= m->limits.parts;
    mime_part *child = part_add(m, p);
    child->header = m->at;
    if (is_full) {
        child->body = m->at;
        part_make_opaque(m, child);
        m->state = MIME_IN_OPAQUE;
    }
}

/* A line is whole (or the message is over within it). `line`: its first LINE_BYTES at least, without the line end. */
static void line_finish(mime *m, str line, bool is_empty)
{
    size_t i = m->open_n ? boundary_find(m, line) : 0;

    if (i < m->open_n) {
        str rest = str_from(line, 2 + m->open[i].text.n);
        boundary_take(m, i, str_starts(rest, STR("--")));
    } else if (m->state == MIME_IN_HEADER && is_empty) {
        header_finish(m, m->at);
    }
}

/* A piece of one line, up to and with its line end when `ends`. */
static void bit_take(mime *m, str bit, bool ends)
{
    bool is_first = m->at.stored == m->line_start;
    bool has_cr = ends && (bit.n > 1 ? bit.p[bit.n - 2] == '\r' : m->last_was_cr && !is_first);

    if (m->state == MIME_IN_HEADER) {
        if (is_first && bit.p[0] != ' ' && bit.p[0] != '\t')
            field_finish(m);
        field_bit(m, bit, ends);
    }
    m->at.stored += bit.n;
    m->at.crlf += bit.n + (ends && !has_cr);
    m->at.lines += ends;
    m->last_was_cr = bit.p[bit.n - 1] == '\r';
    if (!(is_first && ends) && m->open_n) {
        if (is_first)
            buf_clear(&m->line);
        buf_append(&m->line, str_upto(bit, LINE_BYTES - m->line.n));
    }
    if (!ends)
        return;
    size_t eol = has_cr ? 2 : 1;
    line_finish(m, is_first ? str_upto(bit, bit.n - eol) : buf_str(&m->line), m->at.stored - m->line_start == eol);
    m->before_eol = (mime_mark){ m->at.stored - eol, m->at.crlf - 2, m->at.lines - 1 };
    m->line_start = m->at.stored;
}

void mime_open(mime *m, arena *mem, const mime_limits *limits)
{
    *m = (mime){ .mem = mem, .limits = limits ? *limits : MIME_LIMITS };
    m->field = buf_new(m->limits.field_bytes > HEADER_NAME_MAX ? m->limits.field_bytes : HEADER_NAME_MAX + 1);
    m->line = buf_new(LINE_BYTES);
    m->root = part_add(m, NULL);
}

void mime_feed(mime *m, str piece)
{
    m->looked += piece.n;
    while (piece.n) {
        size_t n = str_find(piece, '\n');
        bool ends = n < piece.n;
        bit_take(m, str_upto(piece, n + ends), ends);
        piece = str_from(piece, n + ends);
    }
}

mime_part *mime_close(mime *m)
{
    if (m->at.stored > m->line_start && m->open_n)
        line_finish(m, buf_str(&m->line), false);
    parts_close(m, NULL, m->at);
    buf_free(&m->field);
    buf_free(&m->line);
    free(m->open);
    m->open = NULL;
    m->open_n = m->open_max = 0;
    return m->root;
}

const mime_part *mime_find(const mime_part *root, const uint32_t *numbers, size_t n)
{
    const mime_part *p = root;
    bool is_message = true; /* p stands for a whole message, not for a part of one */

    for (size_t i = 0; i < n && p; i++) {
        if (!is_message && p->kind == MIME_MESSAGE) {
            p = p->child;
            is_message = true;
        }
        if (p->kind == MIME_MULTIPART) {
            for (p = p->child; p && p->number != numbers[i];)
                p = p->next;
        } else if (!is_message || numbers[i] != 1) {
            return NULL;
        }
        is_message = false;
    }
    return p;
}
