#include "mail/address_list.h"
#include "mail/address.h"
#include "mail/lexer.h"

/* Bytes that end a word; the rest, 8-bit bytes included, is taken as part of it. */
static const char specials[] = "()<>[]:;@\\,.\"";

typedef struct span {
    size_t start, end;
    size_t first, last; /* without blanks and comments at both ends */
    size_t at_sign; /* offset of the first '@' outside quotes; `end` when there is none */
    bool is_empty;  /* blanks and comments only */
} span;

/* Moves over words, comments and quoted strings to the first of `ends` that stands outside of them. */
static span span_read(lexer *l, const char *ends)
{
    span s = { .start = l->at, .at_sign = SIZE_MAX, .is_empty = true };

    while (lexer_skip(l), lexer_has(l)) {
        char c = lexer_peek(l);
        if (c != '\0' && strchr(ends, c) && !(c == ':' && s.at_sign != SIZE_MAX))
            break;
        if (c == '@' && s.at_sign == SIZE_MAX)
            s.at_sign = l->at;
        if (s.is_empty)
            s.first = l->at;
        s.is_empty = false;
        if (c == '"')
            lexer_enclosed(l, '"');
        else if (c == '[')
            lexer_enclosed(l, ']');
        else if (lexer_run(l, specials).n == 0)
            l->at++;
        s.last = l->at;
    }
    s.end = l->at;
    if (s.at_sign == SIZE_MAX)
        s.at_sign = s.end;
    return s;
}

/* One word, quotes off; a domain literal keeps its brackets, any other special stands for itself. */
static str word_read(lexer *l, arena *mem)
{
    size_t start = l->at;
    char c = lexer_peek(l);

    if (c == '"')
        return lexer_unquote(lexer_enclosed(l, '"'), mem);
    if (c == '[') {
        lexer_enclosed(l, ']');
        return lexer_from(l, start);
    }
    str word = lexer_run(l, specials);
    if (word.n)
        return word;
    l->at++;
    return lexer_from(l, start);
}

typedef struct text {
    arena *mem;
    str one; /* while there is one word, the view of it */
    char *p; /* from the second word on */
    size_t n, max;
} text;

static void text_add(text *t, str word, bool with_blank)
{
    if (t->one.p == NULL) {
        t->one = word;
        return;
    }
    if (t->p == NULL) {
        t->p = arena_get(t->mem, t->max + 1);
        memcpy(t->p, t->one.p, t->one.n);
        t->n = t->one.n;
    }
    if (with_blank)
        t->p[t->n++] = ' ';
    memcpy(t->p + t->n, word.p, word.n);
    t->n += word.n;
}

static str text_str(const text *t)
{
    return t->p ? (str){ t->p, t->n } : t->one;
}

/* The words of a display name, one blank where there were blanks or comments. p NULL: none. */
static str phrase_text(address_list *list, size_t start, size_t end)
{
    lexer l = { .in = str_upto(list->value, end), .at = start };
    text t = { .mem = list->mem, .max = end - start };

    for (size_t before = l.at; lexer_skip(&l), lexer_has(&l); before = l.at) {
        bool has_gap = l.at > before;
        text_add(&t, word_read(&l, list->mem), has_gap);
    }
    list->looked += end - start;
    str name = text_str(&t);
    return name.n ? name : STR_NONE;
}

/* A local part or a domain: words with dots between, blanks and comments taken out. Where two words have no dot between
 * them, one is junk: the last is kept of a local part, the first of a domain. */
static str dotted_text(address_list *list, size_t start, size_t end, bool keeps_last, bool *is_broken)
{
    lexer l = { .in = str_upto(list->value, end), .at = start };
    text t = { .mem = list->mem, .max = end - start };
    bool wants_dot = false;

    list->looked += end - start;
    for (; lexer_skip(&l), lexer_has(&l);) {
        bool is_dot = lexer_peek(&l) == '.';
        size_t word_at = l.at;
        str word = word_read(&l, list->mem);
        bool is_junk = word.n == 1 && strchr("()<>]:;@\\,", word.p[0]) && list->value.p[word_at] == word.p[0];
        if (is_junk || (wants_dot && !is_dot)) {
            *is_broken = true;
            if (!keeps_last)
                break;
            t = (text){ .mem = list->mem, .max = end - word_at };
            wants_dot = false;
            if (is_junk)
                continue;
        }
        text_add(&t, word, false);
        wants_dot = !is_dot;
    }
    str s = text_str(&t);
    return s.p ? s : (str){ "", 0 };
}

static void mailbox_set(address_list *list, span s, address_entry *out)
{
    out->mailbox = dotted_text(list, s.start, s.at_sign, true, &out->is_broken);
    out->host = s.at_sign < s.end ? dotted_text(list, s.at_sign + 1, s.end, false, &out->is_broken) : (str){ "", 0 };
    out->is_broken = out->is_broken || out->mailbox.n == 0 || (s.at_sign < s.end && out->host.n == 0);
    out->start = s.first;
    out->end = s.last;
}

/* At '@' behind '<': the route up to its colon. Without a colon all up to '>' is junk. */
static void route_read(address_list *list, lexer *l, address_entry *out)
{
    size_t start = l->at;

    while (lexer_skip(l), lexer_has(l) && lexer_peek(l) != ':' && lexer_peek(l) != '>')
        l->at++;
    if (lexer_peek(l) == ':') {
        text t = { .mem = list->mem, .max = l->at - start };
        lexer inside = { .in = str_upto(list->value, l->at), .at = start };
        while (lexer_skip(&inside), lexer_has(&inside))
            text_add(&t, word_read(&inside, list->mem), false);
        out->route = text_str(&t);
        list->looked += l->at - start;
        l->at++;
    } else {
        out->is_broken = true;
    }
}

/* At '<': the address in it, and whatever follows up to the next separator. */
static void angle_read(address_list *list, lexer *l, address_entry *out)
{
    l->at++;
    lexer_skip(l);
    if (lexer_peek(l) == '@')
        route_read(list, l, out);
    mailbox_set(list, span_read(l, ">,;"), out);
    if (!lexer_take(l, '>'))
        out->is_broken = true;
    span_read(l, ",;");
}

static void comment_is_name(address_list *list, const lexer *l, address_entry *out)
{
    if (out->name.p || l->comment.p == NULL)
        return;
    out->name = str_trim(lexer_unquote(l->comment, list->mem));
    if (out->name.n == 0)
        out->name = STR_NONE;
}

/* An entry that starts at l->at; false when there is nothing but blanks and comments before the next separator. */
static bool entry_read(address_list *list, lexer *l, address_entry *out)
{
    span s = span_read(l, list->in_group ? "<,;" : "<,;:");

    if (lexer_peek(l) == '<') {
        out->name = phrase_text(list, s.start, s.end);
        angle_read(list, l, out);
    } else if (lexer_has(l) && lexer_peek(l) == ':') {
        l->at++;
        list->in_group = true;
        out->kind = ADDRESS_GROUP_START;
        out->name = phrase_text(list, s.start, s.end);
        return true;
    } else if (s.is_empty) {
        return false;
    } else {
        mailbox_set(list, s, out);
    }
    comment_is_name(list, l, out);
    return true;
}

address_list address_list_open(str value, arena *mem)
{
    return (address_list){ .value = value, .mem = mem };
}

bool address_list_next(address_list *list, address_entry *out)
{
    lexer l = { .in = list->value, .at = list->at };
    bool found = false;

    while (!found) {
        *out = (address_entry){ .kind = ADDRESS_MAILBOX };
        l.comment = STR_NONE;
        if (!lexer_has(&l)) {
            found = list->in_group;
            out->kind = ADDRESS_GROUP_END;
            list->in_group = false;
            break;
        }
        if (lexer_peek(&l) == ',') {
            l.at++;
        } else if (lexer_peek(&l) == ';') {
            l.at++;
            found = list->in_group;
            out->kind = ADDRESS_GROUP_END;
            list->in_group = false;
        } else {
            found = entry_read(list, &l, out);
        }
    }
    list->looked += l.at - list->at;
    list->at = l.at;
    return found;
}

str address_entry_path(const address_entry *e, arena *mem)
{
    buf b = buf_new(2 * e->mailbox.n + e->host.n + 3);

    address_quote(e->mailbox, &b);
    if (e->host.n) {
        buf_append_char(&b, '@');
        buf_append(&b, e->host);
    }
    str path = arena_copy(mem, buf_str(&b));
    buf_free(&b);
    return path;
}
