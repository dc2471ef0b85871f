/* Values of the Content- fields (RFC 2045 5.1, RFC 2183, RFC 2231, RFC 3282): a word and its parameters. Forgiving,
 * linear, no recursion. Texts are views into the value where they can be, else live in the arena. */
#pragma once
#include "base/arena.h"
#include "base/parse.h"

typedef struct mime_param {
    str name;  /* as written; "filename*" when the value is extended (RFC 2231 4): charset'language'percent-encoded */
    str value; /* quotes off; pieces of a continued parameter joined */
} mime_param;

typedef struct mime_params {
    const mime_param *p;
    size_t n;
} mime_params;

/* "type/subtype; name=value …". PARSE_BAD: no type or no subtype; the default holds then, *type and *subtype are as
 * they were. `looked` may be NULL; bytes looked at are added to it. */
parse mime_type_parse(str value, arena *mem, str *type, str *subtype, mime_params *out, uint64_t *looked);

/* "word; name=value …", of Content-Disposition. */
parse mime_disposition_parse(str value, arena *mem, str *word, mime_params *out, uint64_t *looked);

/* "en, de", of Content-Language: *n tags. */
str *mime_languages_parse(str value, arena *mem, size_t *n);

/* One word without comments, of Content-Transfer-Encoding; p NULL when there is none. */
str mime_word_parse(str value);

/* The value of the parameter `name`, case ignored; with is_extended not NULL also of "name*". p NULL: not there. */
str mime_param_find(const mime_params *params, str name, bool *is_extended);
