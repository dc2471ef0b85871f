/* What FETCH asks for (RFC 3501 6.4.5), and the names under which it is answered. Lives in the command's arena. */
#pragma once
#include "base/buf.h"
#include "proto/imap_lexer.h"

enum {
    IMAP_FETCH_ITEMS_MAX = 500,
    IMAP_SECTION_DEPTH_MAX = 200,   /* part numbers in one section */
    IMAP_SECTION_FIELDS_MAX = 2000, /* header fields in one section */
};

typedef enum imap_section_kind {
    IMAP_SECTION_ALL, /* BODY[], BODY[1.2] */
    IMAP_SECTION_HEADER,
    IMAP_SECTION_FIELDS,
    IMAP_SECTION_FIELDS_NOT,
    IMAP_SECTION_TEXT,
    IMAP_SECTION_MIME,
} imap_section_kind;

typedef struct imap_section {
    imap_section_kind kind;
    uint32_t *parts; /* part numbers, from 1 */
    size_t part_n;
    str *fields; /* of HEADER.FIELDS and HEADER.FIELDS.NOT, as written */
    str *sorted; /* the same, sorted without case */
    size_t field_n;
} imap_section;

typedef enum imap_fetch_kind {
    IMAP_FETCH_ENVELOPE,
    IMAP_FETCH_FLAGS,
    IMAP_FETCH_INTERNALDATE,
    IMAP_FETCH_SIZE, /* RFC822.SIZE */
    IMAP_FETCH_UID,
    IMAP_FETCH_BODY, /* the structure without extension data */
    IMAP_FETCH_BODYSTRUCTURE,
    IMAP_FETCH_SECTION,
} imap_fetch_kind;

typedef struct imap_fetch_item {
    imap_fetch_kind kind;
    imap_section section; /* the rest: of IMAP_FETCH_SECTION */
    bool is_peek;         /* does not set \Seen */
    bool has_partial;
    uint32_t offset, count; /* <offset.count>; count is not 0 */
    str label;              /* "RFC822", "RFC822.HEADER", "RFC822.TEXT" when asked so; else empty */
} imap_fetch_item;

typedef struct imap_fetch {
    imap_fetch_item *items;
    size_t n;
} imap_fetch;

/* One item, a macro (expanded), or a list in parentheses. */
bool imap_fetch_parse(imap_lexer *l, imap_fetch *out);

/* Whether a header field of that name is in `fields`: O(log fields). */
bool imap_section_names(const imap_section *section, str field);

/* Appends the name of an item as the answer has it: "FLAGS", "BODY[1.HEADER.FIELDS (TO)]<10>". */
bool imap_fetch_write_name(buf *out, const imap_fetch_item *item);
