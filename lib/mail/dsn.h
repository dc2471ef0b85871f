/* Delivery status notifications (RFC 3464, 6522, 6533): header, machine-readable fields and rows for a person. Pure: appends to a
 * buf that the holder owns. Runs in: bounce. Every text may be hostile: a value is one line whatever is in it, so that none begins
 * a field, a part or a message of its own. False: `out` overflows. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "mail/date.h"

typedef enum dsn_action { DSN_FAILED = 1, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED, DSN_EXPANDED } dsn_action;

enum { DSN_BOUNDARY_BYTES = 16, DSN_BOUNDARY_MAX = 64 };

typedef struct dsn_report {
    /* of the report itself */
    str host; /* ours: Reporting-MTA */
    str id;   /* its queue id */
    str from; /* as the template has it */
    str subject;
    str to; /* an address */
    str boundary;
    date when;
    bool is_utf8; /* the message needs SMTPUTF8, so its sender can read UTF-8 (RFC 6533) */
    bool is_8bit; /* a part has bytes above 127 */
    /* of the message that it is about */
    str about;  /* its queue id */
    str sender; /* its reverse-path; empty: the null one */
    str envelope_id;
    str message_id; /* "<…>" as dsn_message_id gave it; empty: none */
    date arrived;
} dsn_report;

typedef struct dsn_recipient {
    dsn_action action;
    str address;  /* final */
    str original; /* as the client said it; empty or the same: not shown */
    str orcpt;    /* "rfc822;…", decoded; empty: not given */
    str status;   /* "5.1.1"; anything else becomes what the action says */
    str reason;
    str remote; /* the host that said so; empty: we */
    date last_try;
    date retry_until; /* of a delay; utc_s 0: not known */
} dsn_recipient;

/* `bytes` are random. Only characters that need no quotes in a parameter. */
void dsn_boundary(str id, const unsigned char bytes[DSN_BOUNDARY_BYTES], char out[DSN_BOUNDARY_MAX]);

/* The header of the report, up to and with the empty line, and the preamble. */
bool dsn_header_append(buf *out, const dsn_report *r);

/* What stands between two parts: the boundary and the part's own header. `is_8bit`: its bytes may be above 127. */
bool dsn_part_append(buf *out, const dsn_report *r, str description, str type, bool is_8bit);
bool dsn_end_append(buf *out, const dsn_report *r);

/* message/delivery-status: the fields of the message, then those of each recipient. */
bool dsn_message_fields_append(buf *out, const dsn_report *r);
bool dsn_recipient_fields_append(buf *out, const dsn_report *r, const dsn_recipient *to);

/* "<address> (of <original>): reason", in lines of at most 78 where it can be, for the text. */
bool dsn_recipient_text_append(buf *out, const dsn_report *r, const dsn_recipient *to);

/* The identifier of a message from the value of its Message-ID, "<left@right>". Empty: none that could be referred to. */
str dsn_message_id(str value);

/* Whether a byte is above 127. */
bool dsn_is_8bit(str s);
