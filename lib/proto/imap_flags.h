/* Flags of messages as IMAP writes them: system flags as bits (the bits of store/store.h), keywords as names. */
#pragma once
#include "base/buf.h"
#include "proto/imap_lexer.h"

enum imap_flag {
    IMAP_SEEN = 1,
    IMAP_ANSWERED = 2,
    IMAP_FLAGGED = 4,
    IMAP_DELETED = 8,
    IMAP_DRAFT = 16,
    IMAP_RECENT = 32, /* for writing only */
    IMAP_ANY = 64,    /* "\*" of PERMANENTFLAGS; for writing only */
};

enum { IMAP_KEYWORDS_MAX = 200 }; /* in one list of a client */

typedef struct imap_flags {
    unsigned system; /* imap_flag bits */
    str *keywords;
    size_t keyword_n;
} imap_flags;

/* "(\Seen $Forwarded)", may be empty. \Recent is passed over; other unknown system flags are refused. */
bool imap_flags_parse_list(imap_lexer *l, imap_flags *out);
/* The same, or without parentheses up to the end of the command (STORE). */
bool imap_flags_parse_any(imap_lexer *l, imap_flags *out);

/* Appends "(\Seen …)". Keywords that are no atoms are left out. */
bool imap_flags_write(buf *out, const imap_flags *flags);
