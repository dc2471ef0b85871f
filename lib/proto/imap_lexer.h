/* Tokens of IMAP commands (RFC 3501 9), from a whole command with its literals. Used by the parsers of
 * proto/imap_*.c alone. Strings are views into the command, or live in the arena when backslashes had to go. Fails:
 * false, and `problem` tells why (static); the first problem stays. */
#pragma once
#include "base/arena.h"

typedef struct imap_lexer {
    str in;
    size_t at;
    arena *mem;
    const char *problem;
} imap_lexer;

bool imap_lex_fail(imap_lexer *l, const char *problem); /* always false */
bool imap_lex_is_end(const imap_lexer *l);
char imap_lex_peek(const imap_lexer *l);  /* NUL at the end */
bool imap_lex_may(imap_lexer *l, char c); /* takes c when it stands there; no problem when not */
bool imap_lex_must(imap_lexer *l, char c);
bool imap_lex_space(imap_lexer *l);            /* one blank */
bool imap_lex_end(imap_lexer *l);              /* nothing but blanks follows */
bool imap_lex_atom(imap_lexer *l, str *out);   /* 1*ATOM-CHAR */
bool imap_lex_word(imap_lexer *l, str *out);   /* letters, digits, '.', '-', '+': names of items and verbs */
bool imap_lex_tag(imap_lexer *l, str *out);    /* 1*ASTRING-CHAR but '+' */
bool imap_lex_string(imap_lexer *l, str *out); /* quoted or literal */
bool imap_lex_astring(imap_lexer *l, str *out);
bool imap_lex_list_mailbox(imap_lexer *l, str *out); /* astring that may have '%' and '*' bare */
bool imap_lex_nstring(imap_lexer *l, str *out);      /* p NULL: NIL */
bool imap_lex_number(imap_lexer *l, uint64_t min, uint64_t max, uint64_t *out);
bool imap_lex_set(imap_lexer *l, str *out); /* digits, '*', ':', ',': for imap_set_parse */

bool imap_is_atom_char(char c);
