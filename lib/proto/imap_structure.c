#include "proto/imap_structure.h"
#include "proto/imap_envelope.h"
#include "proto/imap_write.h"

typedef struct writer {
    buf *out;
    arena *mem;
    bool has_extensions;
} writer;

static bool space(writer *w)
{
    return buf_append_char(w->out, ' ');
}

static bool params_write(writer *w, const mime_params *params)
{
    bool good = buf_append(w->out, params->n ? STR("(") : STR("NIL"));

    for (size_t i = 0; good && i < params->n; i++)
        good = (i == 0 || space(w)) && imap_write_string(w->out, params->p[i].name) && space(w) &&
               imap_write_string(w->out, params->p[i].value);
    return good && (params->n == 0 || buf_append_char(w->out, ')'));
}

static bool disposition_write(writer *w, const mime_part *p)
{
    if (p->disposition.p == NULL)
        return buf_append(w->out, STR("NIL"));
    return buf_append_char(w->out, '(') && imap_write_string(w->out, p->disposition) && space(w) &&
           params_write(w, &p->disposition_params) && buf_append_char(w->out, ')');
}

static bool languages_write(writer *w, const mime_part *p)
{
    if (p->language_n == 0)
        return buf_append(w->out, STR("NIL"));
    bool good = buf_append_char(w->out, '(');
    for (size_t i = 0; good && i < p->language_n; i++)
        good = (i == 0 || space(w)) && imap_write_string(w->out, p->languages[i]);
    return good && buf_append_char(w->out, ')');
}

/* What all kinds have at the end: disposition, language, location. */
static bool extensions_write(writer *w, const mime_part *p)
{
    return space(w) && disposition_write(w, p) && space(w) && languages_write(w, p) && space(w) &&
           imap_write_nstring(w->out, p->location);
}

static bool fields_write(writer *w, const mime_part *p)
{
    return imap_write_string(w->out, p->type) && space(w) && imap_write_string(w->out, p->subtype) && space(w) &&
           params_write(w, &p->params) && space(w) && imap_write_nstring(w->out, p->id) && space(w) &&
           imap_write_nstring(w->out, p->description) && space(w) &&
           imap_write_string(w->out, p->encoding.p ? p->encoding : STR("7bit")) && space(w) &&
           imap_write_number(w->out, mime_body_size(p).crlf);
}

/* A part of a multipart in which no part was found. */
static bool nothing_write(writer *w)
{
    return buf_append(w->out, STR("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0")) &&
           (!w->has_extensions || buf_append(w->out, STR(" NIL NIL NIL NIL"))) && buf_append_char(w->out, ')');
}

/* What stands before the children. */
static bool part_begin(writer *w, const mime_part *p)
{
    bool good = buf_append_char(w->out, '(');

    if (p->kind == MIME_MULTIPART)
        return good && (p->child || nothing_write(w));
    good = good && fields_write(w, p);
    if (p->child)
        good = good && space(w) && imap_envelope_write(w->out, p->child->envelope, w->mem) && space(w);
    return good;
}

static bool part_end(writer *w, const mime_part *p)
{
    bool has_lines = p->kind == MIME_MESSAGE || (p->kind == MIME_LEAF && str_equal_nocase(p->type, STR("text")));
    bool good = true;

    if (p->kind == MIME_MULTIPART)
        good = space(w) && imap_write_string(w->out, p->subtype) &&
               (!w->has_extensions || (space(w) && params_write(w, &p->params)));
    else
        good = (!has_lines || ((p->child || space(w)) && imap_write_number(w->out, mime_body_size(p).lines))) &&
               (!w->has_extensions || (space(w) && imap_write_nstring(w->out, p->md5)));
    return good && (!w->has_extensions || extensions_write(w, p)) && buf_append_char(w->out, ')');
}

/* Behind the child of a message its line count follows, after a blank. */
static bool child_end(writer *w, const mime_part *p)
{
    return p->parent->kind != MIME_MESSAGE || space(w);
}

bool imap_structure_write(buf *out, const mime_part *root, bool has_extensions, arena *mem)
{
    writer w = { out, mem, has_extensions };
    const mime_part *p = root;

    while (true) {
        if (!part_begin(&w, p))
            return false;
        if (p->child) {
            p = p->child;
            continue;
        }
        if (!part_end(&w, p))
            return false;
        while (p != root && (p->next == NULL || p->parent->kind == MIME_MESSAGE)) {
            if (!child_end(&w, p) || !part_end(&w, p->parent))
                return false;
            p = p->parent;
        }
        if (p == root)
            return true;
        p = p->next;
    }
}
