/* Encoded words (RFC 2047) and charsets to UTF-8. Built in: us-ascii, utf-8, iso-8859-1, iso-8859-15, windows-1252;
 * others go to a converter of the caller's, since iconv opens files and the workers may not. Runs in: workers of imapd
 * and local. Forgiving: what does not decode stays as it is; bytes that are not of the charset become U+FFFD. */
#pragma once
#include "base/buf.h"

/* Appends `bytes` of `charset` to `out` as UTF-8. False: charset not known, nothing appended. */
typedef bool (*words_converter)(void *context, str charset, str bytes, buf *out);

/* The built-in charsets, aliases included, case ignored. An empty charset is us-ascii. */
bool words_convert(void *context_unused, str charset, str bytes, buf *out);

/* Appends the text of an unstructured or phrase value to `out`: encoded words decoded, blanks between two of them and
 * line ends of folds dropped, stray 8-bit bytes taken as UTF-8, or as windows-1252 where they are not.
 * `convert` is asked for what is not built in; NULL: nobody. False when `out` overflows. */
bool words_decode(str raw, words_converter convert, void *context, buf *out);

/* RFC 2231 extended value, "utf-8'en'%e2%82%ac", to UTF-8. */
bool words_decode_extended(str value, words_converter convert, void *context, buf *out);

/* A to Z become a to z, in place. */
void words_fold_ascii(char *p, size_t n);
