/* SEARCH (RFC 3501 6.4.4), in three files: the job, the keys, the text of messages. Runs in: imapd-worker. Its memory is the
 * command's. */
#pragma once
#include "imapd/worker/session.h"
#include "mail/match.h"

enum { SEARCH_TEXTS_MAX = 50 }; /* BODY and TEXT keys: each reads every message */

typedef struct search_leaf { /* what a key needs besides its node */
    imap_set set;            /* without '*' */
    match match;
    uint32_t keyword; /* bit; 0: no message has it */
} search_leaf;

typedef struct searched { /* the message at hand */
    session *s;
    const imap_search *what;
    search_leaf *leaves; /* by node */
    const message_info *info;
    str header;
    buf spare, text; /* kept from message to message */
    bool has_header;
    fault fault; /* it cannot be read */
} searched;

bool search_leaf_open(searched *m, size_t node); /* false: too many of its kind */
bool search_test(void *context, const imap_search_node *leaf);

bool search_text(searched *m, const imap_search_node *leaf, match *wanted);
bool search_fields(searched *m, str name, match *wanted); /* of the header; name empty: all of them, with their names */
fault search_header(searched *m);
