/* The maildrop of a POP3 session (RFC 1939 3): what is there when it begins, numbered from 1, with exact sizes; messages that are
 * marked go at QUIT, all in one. One session has it at a time. Runs in: pop3d-worker. Owns its mailbox. */
#pragma once
#include "store/store.h"

typedef struct maildrop_message {
    uint32_t uid, wire_bytes;
    bool is_deleted;
} maildrop_message;

typedef struct maildrop {
    mailbox *box;
    maildrop_message *messages; /* number n stands at n - 1 */
    uint32_t count, deleted;
    uint64_t bytes; /* of those that are not marked */
} maildrop;

fault maildrop_open(store *s, maildrop *out);
void maildrop_close(maildrop *d); /* marks are forgotten */

/* NULL: no such message, or it is marked. */
maildrop_message *maildrop_find(maildrop *d, uint32_t number);
void maildrop_delete(maildrop *d, maildrop_message *m);
void maildrop_reset(maildrop *d);
fault maildrop_update(maildrop *d); /* QUIT: removes what is marked */
