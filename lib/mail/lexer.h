/* Tokens of structured header fields (RFC 5322 3.2, RFC 2045 5.1), for the parsers of this layer. Each call moves
 * forward over what it takes and never back, so whoever uses it is linear. Comments nest by a counter. Never fails:
 * what is not closed ends with the text. */
#pragma once
#include "base/arena.h"

typedef struct lexer {
    str in;
    size_t at;
    str comment; /* inside of the last comment that lexer_skip passed; p NULL: none */
} lexer;

static inline bool lexer_has(const lexer *l)
{
    return l->at < l->in.n;
}

static inline char lexer_peek(const lexer *l) /* NUL at the end, too */
{
    return l->at < l->in.n ? l->in.p[l->at] : '\0';
}

static inline str lexer_from(const lexer *l, size_t start)
{
    return str_upto(str_from(l->in, start), l->at - start);
}

static inline bool is_blank_or_eol(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void lexer_skip(lexer *l);                     /* blanks, line ends, comments */
bool lexer_take(lexer *l, char c);             /* skips, then takes c when it stands there */
str lexer_run(lexer *l, const char *specials); /* bytes that are no blank, no line end and none of `specials` */
str lexer_enclosed(lexer *l, char close);      /* at an opening '"' or '[': what is inside, with its backslashes */

/* Backslashes and line ends of folds taken out; a view when there are none. Used for quoted strings and comments. */
str lexer_unquote(str inside, arena *mem);
