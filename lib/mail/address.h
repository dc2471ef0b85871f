/* Addresses of the SMTP envelope (RFC 5321 4.1.2, RFC 6531): grammar, canonical forms, and the marks of relay tricks.
 * Runs in: smtpd, policy, cleanup, qmgr, local, sendmail. No allocation while parsing: views into the caller's bytes;
 * canonical forms live in the caller's arena. Fails: PARSE_BAD with a reason for a person. Whole values only: the
 * command grammar has found where a path ends, so PARSE_MORE is never said. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/parse.h"

enum {
    ADDRESS_LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1; quotes and backslashes not counted, as they come and go */
    ADDRESS_DOMAIN_MAX = 255, /* RFC 5321 4.5.3.1.2 */
    ADDRESS_LABEL_MAX = 63,   /* RFC 1035 2.3.4 */
    ADDRESS_MAX = 2 * ADDRESS_LOCAL_MAX + 2 + 1 + ADDRESS_DOMAIN_MAX, /* any canonical form, all of it quoted */
};

typedef struct address {
    str path;     /* all that was given */
    str route;    /* "@a,@b" of a source route; ignored from here on (RFC 5321 appendix C) */
    str local;    /* as written; with its quotes when is_quoted */
    str domain;   /* as written: with brackets when is_literal, with its last dot when has_trailing_dot */
    bool is_null; /* the null reverse-path: everything else is empty */
    bool is_quoted;
    bool is_literal; /* [192.0.2.1] or [IPv6:…]; the inside is valid */
    bool is_utf8;    /* bytes above 127, valid UTF-8: needs SMTPUTF8 */
    bool has_source_route;
    bool has_trailing_dot;
    bool has_routing_chars; /* '%', '!' or '@' in the unquoted local part: a second hop hides there */
    bool has_odd_dots;      /* "a..b", ".a", "a.": not a dot-atom, but in use; goes out quoted */
    bool has_dash_first;    /* the unquoted local part starts with '-': would read as an option */
    const char *problem;    /* after PARSE_BAD: why, static */
} address;

/* `path` is what stands between the angle brackets; empty is the null path. A local part without a domain is PARSE_DONE
 * with domain.n == 0 (RFC 5321 4.5.1: postmaster): it is for the caller to take it or not. PARSE_BAD for a second '@'
 * outside quotes, control bytes, broken UTF-8, a numeric domain without brackets, and anything over the limits. */
parse address_parse(str path, address *out);

/* Canonical forms: equal mailboxes give equal text, but for the case of the local part. IPv4 in IPv6 is IPv4. */
str address_local(const address *a, arena *mem);  /* quotes and backslashes off: for lookups and delivery */
str address_domain(const address *a, arena *mem); /* lower case, no last dot, literals normalised */
str address_key(const address *a, arena *mem);    /* both with '@' between; local part alone without a domain */
str address_text(const address *a, arena *mem);   /* for output: local part quoted where it must be, '@', domain */

/* Appends an unquoted local part, in quotes where RFC 5321 asks for them. */
bool address_quote(str local, buf *out);

/* A host or mail domain: labels of letters, digits, '-', '_' or UTF-8, 63 bytes each, 255 in all; not all numeric, no
 * dot at the end. */
bool domain_is_valid(str domain);

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]", whole. */
bool domain_is_literal(str domain);

/* UTF-8 of RFC 3629: overlong forms, surrogates and cut sequences are not valid. */
bool utf8_is_valid(str s);
size_t utf8_length(str s); /* bytes of the character that `s` starts with; 0: none that is valid; `s` is not empty */
