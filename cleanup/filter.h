/* What becomes of a message's bytes on their way through cleanup: checks of header and body, fields that are taken out, addresses
 * that are rewritten. One pass over pieces that may be split anywhere; bounded memory, linear time, no recursion. Runs in: cleanup.
 * No I/O: what goes on is given to `put`. Until is_changed is set, that is what came in, byte for byte. */
#pragma once
#include "base/vec.h"
#include "db/content_checks.h"
#include "mail/address_edit.h"
#include "mail/mime.h"

/* One line of the log: what a check did. */
typedef struct filter_note {
    const char *verb; /* "reject" */
    const char *part; /* "header", "mime-header", "nested-header", "body" */
    str line;         /* what was looked at */
    check_action action;
} filter_note;

typedef struct filter_rules {
    const content_checks *checks; /* NULL: nothing is checked */
    str drop_headers;             /* names of fields that go */
    size_t header_max, body_max;  /* of one field; of each part's body that is checked */
    address_other *sender, *recipient; /* of the header; NULL: addresses stay */
    void (*put)(void *context, str bytes);
    void (*note)(void *context, const filter_note *note);
    void *context; /* of all four */
} filter_rules;

typedef struct message_filter {
    filter_rules rules;
    /* the result; its texts live in `mem` */
    bool is_changed; /* what is put from now on is not what came in */
    bool is_held, is_discarded;
    fault refused;   /* by a check, or because it could not be told; the rest need not be fed */
    str redirect;
    VEC(str) bcc;
    /* private */
    arena *mem, scratch, mime_memory;
    mime mime;
    bool has_mime, is_passed;
    bool in_header;   /* of the message */
    bool is_mid_line; /* the last piece ended within a line */
    bool is_field;    /* the line belongs to a header */
    bool is_cut;      /* the rest of the field, or of the body's line, does not count */
    bool is_raw;      /* the rest of the field goes on as it comes */
    bool is_gone;     /* the rest of the body's line is left out */
    check_kind kind;  /* of the field, where its name does not say otherwise */
    bool is_primary;  /* the field stands in the message's own header */
    buf field, line;
    const mime_part *part; /* whose body is being checked */
    uint64_t part_bytes;   /* looked at of it */
} message_filter;

void filter_open(message_filter *f, const filter_rules *rules, arena *mem);
void filter_feed(message_filter *f, str piece);
void filter_finish(message_filter *f); /* what is left of the last line */
void filter_close(message_filter *f);

/* A whole field that is put in front of the message: checked as those of its header. */
void filter_field(message_filter *f, str field);

/* Whether addresses of the field of that name are rewritten, and as whose. */
bool filter_has_addresses(str name, bool *is_sender);

/* A field as patterns see it: without its last line end, folds as line feeds. A view when it is not folded. */
str filter_field_text(str raw, arena *mem);
