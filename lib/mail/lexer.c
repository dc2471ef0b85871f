#include "mail/lexer.h"

/* Behind the ')' that closes the comment at l->at, or the end. */
static void comment_skip(lexer *l)
{
    size_t depth = 0, start = l->at + 1;

    for (; l->at < l->in.n; l->at++) {
        char c = l->in.p[l->at];
        if (c == '\\' && l->at + 1 < l->in.n)
            l->at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            break;
    }
    l->comment = lexer_from(l, start);
    if (l->at < l->in.n)
        l->at++;
}

void lexer_skip(lexer *l)
{
    while (l->at < l->in.n) {
        char c = l->in.p[l->at];
        if (c == '(')
            comment_skip(l);
        else if (is_blank_or_eol(c))
            l->at++;
        else
            break;
    }
}

bool lexer_take(lexer *l, char c)
{
    lexer_skip(l);
    if (l->at == l->in.n || l->in.p[l->at] != c)
        return false;
    l->at++;
    return true;
}

str lexer_run(lexer *l, const char *specials)
{
    size_t start = l->at;

    while (l->at < l->in.n) {
        char c = l->in.p[l->at];
        if (is_blank_or_eol(c) || (c != '\0' && strchr(specials, c)))
            break;
        l->at++;
    }
    return lexer_from(l, start);
}

str lexer_enclosed(lexer *l, char close)
{
    size_t start = ++l->at;

    while (l->at < l->in.n && l->in.p[l->at] != close)
        l->at += l->in.p[l->at] == '\\' && l->at + 1 < l->in.n ? 2 : 1;
    str inside = lexer_from(l, start);
    if (l->at < l->in.n)
        l->at++;
    return inside;
}

str lexer_unquote(str inside, arena *mem)
{
    if (!str_has(inside, '\\') && !str_has(inside, '\r') && !str_has(inside, '\n'))
        return inside;

    char *p = arena_get(mem, inside.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < inside.n; i++) {
        char c = inside.p[i];
        if (c == '\r' || c == '\n')
            continue;
        if (c == '\\' && i + 1 < inside.n)
            c = inside.p[++i];
        p[n++] = c;
    }
    return (str){ p, n };
}
