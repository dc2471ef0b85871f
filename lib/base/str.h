/* A view of bytes. Never owns, never ends in NUL; copy it when it must outlive its source. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
    const char *p;
    size_t n;
} str;

#define STR(literal) ((str)STR_ROW(literal))
#define STR_ROW(literal) { (literal), sizeof(literal) - 1 } /* in static tables */
#define STR_NONE ((str){ NULL, 0 })
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static inline str str_c(const char *c)
{
    return (str){ c, c ? strlen(c) : 0 };
}

static inline bool str_equal(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case only: protocol keywords and domains, never local parts (RFC 5321 2.4). A NUL is a byte like any other. */
bool str_equal_nocase(str a, str b);

static inline bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && str_equal((str){ s.p, prefix.n }, prefix);
}

static inline bool str_starts_nocase(str s, str prefix)
{
    return s.n >= prefix.n && str_equal_nocase((str){ s.p, prefix.n }, prefix);
}

static inline bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n && str_equal((str){ s.p + s.n - suffix.n, suffix.n }, suffix);
}

static inline str str_from(str s, size_t start)
{
    return start >= s.n ? (str){ s.p ? s.p + s.n : NULL, 0 } : (str){ s.p + start, s.n - start };
}

static inline str str_upto(str s, size_t n)
{
    return (str){ s.p, n < s.n ? n : s.n };
}

/* Index of the first c, or s.n. */
static inline size_t str_find(str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

/* Index of the last c, or s.n. */
static inline size_t str_find_last(str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

static inline bool str_has(str s, char c)
{
    return str_find(s, c) < s.n;
}

/* Without spaces, tabs, CR and LF at both ends. */
str str_trim(str s);

/* Takes the part of *rest before the first c and moves *rest behind it. False when *rest was used up (p is NULL then). */
bool str_cut(str *rest, char c, str *out);

/* Takes the next run of bytes that are none of `separators`; skips leading separators. False when nothing is left. */
bool str_word(str *rest, const char *separators, str *out);

/* Order of bytes, as memcmp; the shorter first. */
int str_compare(str a, str b);
