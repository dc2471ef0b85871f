/* Accounts of the system that have mail: those with a uid in the permitted range. Runs in: pam. Texts live in the
 * arena. */
#pragma once
#include "base/arena.h"
#include "conf/parameters.h"

typedef struct system_account {
    str name, home, mail;
    str mbox; /* the file that is the mailbox; empty: `mail` is a Maildir */
    uint32_t uid, gid;
    bool needs_alias; /* with FAULT_REFUSED: an account of the system itself, which has no mail */
} system_account;

/* The account's name in a login or address: itself, or the part before an @ and a domain of mydestination. False: none
 * can be. */
bool account_name(const config *c, str given, str *out);

/* FAULT_REFUSED: no such account, or one that has no mail; FAULT_TRY_LATER: the system cannot tell now. */
fault account_find(const config *c, str name, arena *a, system_account *out);
