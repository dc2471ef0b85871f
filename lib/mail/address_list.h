/* Address lists of header fields (RFC 5322 3.4 with the obsolete syntax of 4.4), read forgivingly: any bytes give some
 * entries, in linear time and without recursion. Runs in: sendmail -t, cleanup, workers of local and imapd.
 * Texts are views into the value where they can be, else live in the arena (linear in the value's size).
 *
 *     address_list list = address_list_open(field.value, mem);
 *     address_entry e;
 *     while (address_list_next(&list, &e)) … */
#pragma once
#include "base/arena.h"

typedef enum address_kind { ADDRESS_MAILBOX, ADDRESS_GROUP_START, ADDRESS_GROUP_END } address_kind;

typedef struct address_entry {
    address_kind kind;
    str name;       /* display name, else a comment; quotes off, encoded words not decoded; p NULL: none */
    str route;      /* "@a,@b" of an obsolete route; p NULL: none */
    str mailbox;    /* local part without quotes; empty (p not NULL) when missing */
    str host;       /* empty (p not NULL) when missing; p NULL for group start and end, as ENVELOPE wants it */
    size_t start, end; /* offsets in the value: from the local part's first byte, comments within included; 0, 0: no mailbox */
    bool is_broken; /* junk was left out, or no local part, or nothing behind '@': not to be sent to as it is */
} address_entry;

typedef struct address_list {
    str value;
    size_t at;
    arena *mem;
    bool in_group;
    uint64_t looked; /* bytes looked at: tests hold it linear */
} address_list;

/* `value`: a field's raw value, with or without folds. */
address_list address_list_open(str value, arena *mem);

/* False at the end. A group that is open there is closed first by an ADDRESS_GROUP_END. */
bool address_list_next(address_list *list, address_entry *out);

/* "local@host" with the local part quoted where it must be: what address_parse takes. Local part alone without host. */
str address_entry_path(const address_entry *e, arena *mem);
