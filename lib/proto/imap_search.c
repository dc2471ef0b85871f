#include "proto/imap_search.h"
#include "base/short_name.h"
#include "mail/date.h"
#include "proto/imap_flags.h"

typedef enum shape {
    SHAPE_NONE,
    SHAPE_CHILDREN,
    SHAPE_TEXT,
    SHAPE_FIELD_TEXT,
    SHAPE_KEYWORD,
    SHAPE_DAY,
    SHAPE_NUMBER,
    SHAPE_SET,
} shape;

typedef struct row {
    short_name name;
    imap_search_key key;
    shape shape;
    unsigned flag;
    bool is_unset;
    short_name field;
} row;

#define SET false
#define UNSET true

static const row rows[] = {
    { SHORT_NAME("ALL"), IMAP_SEARCH_ALL, SHAPE_NONE, 0, SET, { 0 } },
    { SHORT_NAME("ANSWERED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_ANSWERED, SET, { 0 } },
    { SHORT_NAME("BCC"), IMAP_SEARCH_HEADER, SHAPE_TEXT, 0, SET, SHORT_NAME("Bcc") },
    { SHORT_NAME("BEFORE"), IMAP_SEARCH_BEFORE, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("BODY"), IMAP_SEARCH_BODY, SHAPE_TEXT, 0, SET, { 0 } },
    { SHORT_NAME("CC"), IMAP_SEARCH_HEADER, SHAPE_TEXT, 0, SET, SHORT_NAME("Cc") },
    { SHORT_NAME("DELETED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_DELETED, SET, { 0 } },
    { SHORT_NAME("DRAFT"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_DRAFT, SET, { 0 } },
    { SHORT_NAME("FLAGGED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_FLAGGED, SET, { 0 } },
    { SHORT_NAME("FROM"), IMAP_SEARCH_HEADER, SHAPE_TEXT, 0, SET, SHORT_NAME("From") },
    { SHORT_NAME("HEADER"), IMAP_SEARCH_HEADER, SHAPE_FIELD_TEXT, 0, SET, { 0 } },
    { SHORT_NAME("KEYWORD"), IMAP_SEARCH_KEYWORD, SHAPE_KEYWORD, 0, SET, { 0 } },
    { SHORT_NAME("LARGER"), IMAP_SEARCH_LARGER, SHAPE_NUMBER, 0, SET, { 0 } },
    { SHORT_NAME("NEW"), IMAP_SEARCH_NEW, SHAPE_NONE, 0, SET, { 0 } },
    { SHORT_NAME("NOT"), IMAP_SEARCH_NOT, SHAPE_CHILDREN, 0, SET, { 0 } },
    { SHORT_NAME("OLD"), IMAP_SEARCH_OLD, SHAPE_NONE, 0, SET, { 0 } },
    { SHORT_NAME("ON"), IMAP_SEARCH_ON, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("OR"), IMAP_SEARCH_OR, SHAPE_CHILDREN, 0, SET, { 0 } },
    { SHORT_NAME("RECENT"), IMAP_SEARCH_RECENT, SHAPE_NONE, 0, SET, { 0 } },
    { SHORT_NAME("SEEN"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_SEEN, SET, { 0 } },
    { SHORT_NAME("SENTBEFORE"), IMAP_SEARCH_SENTBEFORE, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("SENTON"), IMAP_SEARCH_SENTON, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("SENTSINCE"), IMAP_SEARCH_SENTSINCE, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("SINCE"), IMAP_SEARCH_SINCE, SHAPE_DAY, 0, SET, { 0 } },
    { SHORT_NAME("SMALLER"), IMAP_SEARCH_SMALLER, SHAPE_NUMBER, 0, SET, { 0 } },
    { SHORT_NAME("SUBJECT"), IMAP_SEARCH_HEADER, SHAPE_TEXT, 0, SET, SHORT_NAME("Subject") },
    { SHORT_NAME("TEXT"), IMAP_SEARCH_TEXT, SHAPE_TEXT, 0, SET, { 0 } },
    { SHORT_NAME("TO"), IMAP_SEARCH_HEADER, SHAPE_TEXT, 0, SET, SHORT_NAME("To") },
    { SHORT_NAME("UID"), IMAP_SEARCH_UID, SHAPE_SET, 0, SET, { 0 } },
    { SHORT_NAME("UNANSWERED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_ANSWERED, UNSET, { 0 } },
    { SHORT_NAME("UNDELETED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_DELETED, UNSET, { 0 } },
    { SHORT_NAME("UNDRAFT"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_DRAFT, UNSET, { 0 } },
    { SHORT_NAME("UNFLAGGED"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_FLAGGED, UNSET, { 0 } },
    { SHORT_NAME("UNKEYWORD"), IMAP_SEARCH_KEYWORD, SHAPE_KEYWORD, 0, UNSET, { 0 } },
    { SHORT_NAME("UNSEEN"), IMAP_SEARCH_FLAG, SHAPE_NONE, IMAP_SEEN, UNSET, { 0 } },
};

static const row sequence_row = { SHORT_NAME(""), IMAP_SEARCH_SET, SHAPE_SET, 0, SET, { 0 } };
static const row group_row = { SHORT_NAME("("), IMAP_SEARCH_AND, SHAPE_CHILDREN, 0, SET, { 0 } };

typedef struct builder {
    imap_lexer *l;
    imap_search *search;
    size_t capacity;
    uint32_t open; /* the innermost node that wants children */
} builder;

/* A node's `end` counts its children until it is complete. */
static imap_search_node *node_add(builder *b, const row *r)
{
    imap_search *s = b->search;

    if (s->n == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 8;
        imap_search_node *moved = ARENA_ARRAY(b->l->mem, imap_search_node, b->capacity);
        if (s->n)
            memcpy(moved, s->nodes, s->n * sizeof *moved);
        s->nodes = moved;
    }
    imap_search_node *n = &s->nodes[s->n];
    *n = (imap_search_node){ .key = r->key, .is_unset = r->is_unset, .number = r->flag, .field = short_name_str(&r->field) };
    n->parent = b->open;
    s->nodes[b->open].end += s->n > 0;
    s->n++;
    return n;
}

static bool text_parse(imap_lexer *l, str *out)
{
    return imap_lex_space(l) && imap_lex_astring(l, out);
}

static bool day_parse(imap_lexer *l, int64_t *out)
{
    str text;

    if (!text_parse(l, &text))
        return false;
    return date_parse_day(text, out) == PARSE_DONE || imap_lex_fail(l, "Bad date");
}

static bool set_parse(imap_lexer *l, imap_set *out)
{
    str text;

    if (!imap_lex_set(l, &text))
        return false;
    return imap_set_parse(text, l->mem, out) == PARSE_DONE || imap_lex_fail(l, "Bad message numbers");
}

static bool argument_parse(imap_lexer *l, shape wanted, imap_search_node *n)
{
    switch (wanted) {
    case SHAPE_NONE:
    case SHAPE_CHILDREN: return true;
    case SHAPE_TEXT: return text_parse(l, &n->text);
    case SHAPE_FIELD_TEXT: return text_parse(l, &n->field) && text_parse(l, &n->text);
    case SHAPE_KEYWORD: return imap_lex_space(l) && imap_lex_atom(l, &n->text);
    case SHAPE_DAY: return day_parse(l, &n->day);
    case SHAPE_NUMBER: return imap_lex_space(l) && imap_lex_number(l, 0, UINT64_MAX, &n->number);
    case SHAPE_SET: return (n->key == IMAP_SEARCH_SET || imap_lex_space(l)) && set_parse(l, &n->set);
    }
    return false;
}

static const row *row_next(imap_lexer *l)
{
    char c = imap_lex_peek(l);
    str word;

    if (imap_lex_may(l, '('))
        return &group_row;
    if (c == '*' || (c >= '0' && c <= '9'))
        return &sequence_row;
    if (!imap_lex_word(l, &word))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(short_name_str(&rows[i].name), word))
            return &rows[i];
    imap_lex_fail(l, "Unknown search key");
    return NULL;
}

/* One key. When it takes children it becomes the open node, else its `end` is set. */
static bool key_parse(builder *b, bool *is_leaf)
{
    const row *r = row_next(b->l);

    if (r == NULL)
        return false;
    if (b->search->n == IMAP_SEARCH_NODES_MAX)
        return imap_lex_fail(b->l, "Too many search keys");
    imap_search_node *n = node_add(b, r);
    *is_leaf = r->shape != SHAPE_CHILDREN;
    if (*is_leaf)
        n->end = (uint32_t)b->search->n;
    else
        b->open = (uint32_t)b->search->n - 1;
    if (r->key == IMAP_SEARCH_NOT || r->key == IMAP_SEARCH_OR)
        return imap_lex_space(b->l);
    return argument_parse(b->l, r->shape, n);
}

/* Closes what is complete behind a key: NOT, OR, and a group at its parenthesis. */
static void nodes_close(builder *b)
{
    while (true) {
        imap_search_node *n = &b->search->nodes[b->open];
        bool is_complete = n->key == IMAP_SEARCH_NOT || (n->key == IMAP_SEARCH_OR && n->end == 2) ||
                           (n->key == IMAP_SEARCH_AND && b->open != 0 && imap_lex_may(b->l, ')'));
        if (!is_complete)
            return;
        n->end = (uint32_t)b->search->n;
        b->open = n->parent;
    }
}

static bool charset_parse(imap_lexer *l, imap_search *out)
{
    str rest = str_from(l->in, l->at);

    out->charset = STR("");
    if (!str_starts_nocase(rest, STR("CHARSET ")))
        return true;
    l->at += STR("CHARSET ").n;
    return imap_lex_astring(l, &out->charset) && imap_lex_space(l);
}

bool imap_search_parse(imap_lexer *l, imap_search *out)
{
    builder b = { .l = l, .search = out };
    bool is_leaf = false;

    *out = (imap_search){ 0 };
    if (!charset_parse(l, out))
        return false;
    node_add(&b, &group_row);
    while (true) {
        if (!key_parse(&b, &is_leaf))
            return false;
        if (!is_leaf)
            continue;
        nodes_close(&b);
        bool may_end = b.open == 0;
        if (may_end && imap_lex_is_end(l))
            break;
        if (!imap_lex_space(l))
            return false;
        if (may_end && imap_lex_peek(l) == '\0')
            break; /* a blank at the end */
    }
    out->nodes[0].end = (uint32_t)out->n;
    return imap_lex_end(l);
}

bool imap_search_matches(const imap_search *s, imap_search_test test, void *context)
{
    uint32_t at = 0;

    while (true) {
        while (s->nodes[at].key <= IMAP_SEARCH_NOT)
            at++; /* its first child */
        bool value = test(context, &s->nodes[at]);
        uint32_t end = s->nodes[at].end;
        while (at != 0) {
            uint32_t up = s->nodes[at].parent;
            imap_search_key key = s->nodes[up].key;
            bool is_open = key == IMAP_SEARCH_AND ? value : key == IMAP_SEARCH_OR && !value;
            if (is_open && end < s->nodes[up].end)
                break;
            value = key == IMAP_SEARCH_NOT ? !value : value;
            at = up;
            end = s->nodes[up].end;
        }
        if (at == 0)
            return value;
        at = end;
    }
}
