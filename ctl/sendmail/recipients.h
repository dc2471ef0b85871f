/* Who a message goes to: addresses from the command line, the header or RCPT, checked and completed. Runs in: sendmail.
 * The list owns its texts. Fails: FAULT_REFUSED with the address in its text; a list that has failed is not sent to. */
#pragma once
#include "base/arena.h"
#include "base/fault.h"
#include "base/vec.h"

/* What qmgr and policy can take in one message without harm; more is a list server's business. */
enum { RECIPIENTS_MAX = 50000 };

typedef struct recipients {
    arena arena;
    VEC(str) rows;
    bool has_utf8;
} recipients;

void recipients_free(recipients *r);

/* A path without brackets, as in RCPT. `origin`: the domain of those that have none. */
fault recipient_add(recipients *r, str path, str origin);

/* All mailboxes of an address list, as in To: or as an argument; groups are opened. */
fault recipients_add_list(recipients *r, str list, str origin);

/* One address of whatever form a person writes, "Name <a@b>", as a path with a domain; empty for "" and "<>". In `a`. */
fault sender_read(str text, str origin, arena *a, str *out);
