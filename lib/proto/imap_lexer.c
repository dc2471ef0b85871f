#include "proto/imap_lexer.h"
#include "base/num.h"

bool imap_lex_fail(imap_lexer *l, const char *problem)
{
    if (l->problem == NULL)
        l->problem = problem;
    return false;
}

bool imap_lex_is_end(const imap_lexer *l)
{
    return l->at == l->in.n;
}

char imap_lex_peek(const imap_lexer *l)
{
    return l->at < l->in.n ? l->in.p[l->at] : '\0';
}

bool imap_lex_may(imap_lexer *l, char c)
{
    if (l->at == l->in.n || l->in.p[l->at] != c)
        return false;
    l->at++;
    return true;
}

bool imap_lex_must(imap_lexer *l, char c)
{
    return imap_lex_may(l, c) || imap_lex_fail(l, "Unexpected character");
}

bool imap_lex_space(imap_lexer *l)
{
    return imap_lex_may(l, ' ') || imap_lex_fail(l, "Missing argument or blank");
}

bool imap_lex_end(imap_lexer *l)
{
    while (imap_lex_may(l, ' '))
        ;
    return imap_lex_is_end(l) || imap_lex_fail(l, "Unexpected text behind the command");
}

/* RFC 3501 9 atom-specials: "(", ")", "{", blank, control characters, "%", "*", '"', "\", "]". */
bool imap_is_atom_char(char c)
{
    return c > ' ' && c < 127 && !strchr("(){%*\"\\]", c);
}

static bool is_astring_char(char c)
{
    return imap_is_atom_char(c) || c == ']';
}

static bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

static bool is_list_char(char c)
{
    return is_astring_char(c) || c == '%' || c == '*';
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '+';
}

static bool is_set_char(char c)
{
    return (c >= '0' && c <= '9') || c == '*' || c == ':' || c == ',';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool run(imap_lexer *l, bool (*is_of)(char), const char *problem, str *out)
{
    size_t start = l->at;

    while (l->at < l->in.n && is_of(l->in.p[l->at]))
        l->at++;
    *out = (str){ l->in.p + start, l->at - start };
    return out->n || imap_lex_fail(l, problem);
}

bool imap_lex_atom(imap_lexer *l, str *out)
{
    return run(l, imap_is_atom_char, "Atom expected", out);
}

bool imap_lex_word(imap_lexer *l, str *out)
{
    return run(l, is_word_char, "Name expected", out);
}

bool imap_lex_tag(imap_lexer *l, str *out)
{
    return run(l, is_tag_char, "Tag expected", out);
}

bool imap_lex_set(imap_lexer *l, str *out)
{
    return run(l, is_set_char, "Message numbers expected", out);
}

/* Takes the backslashes off `inside`. */
static str unescape(imap_lexer *l, str inside)
{
    char *p = arena_get(l->mem, inside.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < inside.n; i++) {
        if (inside.p[i] == '\\')
            i++;
        p[n++] = inside.p[i];
    }
    return (str){ p, n };
}

/* RFC 3501 9 quoted; bytes above 127 are let through (RFC 9051 has UTF-8 here). */
static bool quoted(imap_lexer *l, str *out)
{
    size_t start = ++l->at;
    bool is_escaped = false;

    for (; l->at < l->in.n; l->at++) {
        char c = l->in.p[l->at];
        if (c == '"')
            break;
        if (c == '\r' || c == '\n' || c == '\0')
            return imap_lex_fail(l, "Line end in a quoted string");
        if (c == '\\') {
            is_escaped = true;
            l->at++;
            if (imap_lex_peek(l) != '"' && imap_lex_peek(l) != '\\')
                return imap_lex_fail(l, "Bad escape in a quoted string");
        }
    }
    str inside = { l->in.p + start, l->at - start };
    if (!imap_lex_may(l, '"'))
        return imap_lex_fail(l, "Quoted string is not closed");
    *out = is_escaped ? unescape(l, inside) : inside;
    return true;
}

static bool literal(imap_lexer *l, str *out)
{
    uint64_t n;

    l->at++;
    if (!imap_lex_number(l, 0, SIZE_MAX, &n))
        return false;
    imap_lex_may(l, '+');
    if (!imap_lex_must(l, '}') || !imap_lex_must(l, '\r') || !imap_lex_must(l, '\n'))
        return false;
    if (n > l->in.n - l->at)
        return imap_lex_fail(l, "Literal is cut off");
    *out = (str){ l->in.p + l->at, (size_t)n };
    l->at += (size_t)n;
    return !str_has(*out, '\0') || imap_lex_fail(l, "NUL in a literal");
}

bool imap_lex_string(imap_lexer *l, str *out)
{
    switch (imap_lex_peek(l)) {
    case '"': return quoted(l, out);
    case '{': return literal(l, out);
    }
    return imap_lex_fail(l, "String expected");
}

static bool is_string_next(const imap_lexer *l)
{
    return imap_lex_peek(l) == '"' || imap_lex_peek(l) == '{';
}

bool imap_lex_astring(imap_lexer *l, str *out)
{
    return is_string_next(l) ? imap_lex_string(l, out) : run(l, is_astring_char, "String or atom expected", out);
}

bool imap_lex_list_mailbox(imap_lexer *l, str *out)
{
    return is_string_next(l) ? imap_lex_string(l, out) : run(l, is_list_char, "Mailbox pattern expected", out);
}

bool imap_lex_nstring(imap_lexer *l, str *out)
{
    str word;

    if (is_string_next(l))
        return imap_lex_string(l, out);
    if (!imap_lex_atom(l, &word))
        return false;
    *out = STR_NONE;
    return str_equal_nocase(word, STR("NIL")) || imap_lex_fail(l, "String or NIL expected");
}

bool imap_lex_number(imap_lexer *l, uint64_t min, uint64_t max, uint64_t *out)
{
    str digits;

    return run(l, is_digit, "Number expected", &digits) &&
           (num_parse(digits, min, max, out) || imap_lex_fail(l, "Number out of range"));
}
