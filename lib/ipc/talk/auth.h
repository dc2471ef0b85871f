/* auth and whoever needs a user: smtpd and login (is this the password?), policy and local (does the user exist, where is the
 * mail?), imapd and pop3d (grants). The front end learns a token, never who it becomes. `ref` pairs question and answer. */
#pragma once
#include "ipc/message.h"

enum auth_type {
    AUTH_LOGIN = 1, /* auth_login, from smtpd and login */
    AUTH_ANSWER,    /* auth_answer */
    AUTH_FIND,      /* auth_find, from policy and local */
    AUTH_USER,      /* auth_user */
    AUTH_CHANGED,   /* auth_changed, to policy and local: forget what you know of users */
    AUTH_GRANT,     /* auth_grant, to imapd and pop3d */
    AUTH_CHECK,     /* auth_check, to a crypt worker or the pam helper */
    AUTH_CHECKED,   /* auth_checked */
};

#define AUTH_LOGIN_FIELDS(X)                                                                                           \
    X(text, service)        /* smtp, imap or pop3 */                                                                   \
    X(text, client_address)                                                                                            \
    X(text, session)                                                                                                   \
    X(text, authorization)  /* whom to act as; empty: the same */                                                      \
    X(text, user)                                                                                                      \
    X(secret, password)                                                                                                \
    X(u32, pool)            /* login: instance of imapd or pop3d that gets the grant */
IPC_MESSAGE(auth_login, AUTH_LOGIN_FIELDS)

#define AUTH_ANSWER_FIELDS(X)                                                                                          \
    X(u32, outcome)  /* FAULT_NONE: in; FAULT_REFUSED: no; FAULT_TRY_LATER */                                          \
    X(u64, token)    /* imap, pop3: names the grant once */                                                            \
    X(text, user)    /* the name as the user file has it */                                                            \
    X(text, reason)  /* for the log; the client hears the same words for all refusals */
IPC_MESSAGE(auth_answer, AUTH_ANSWER_FIELDS)

#define AUTH_FIND_FIELDS(X) X(text, user)
IPC_MESSAGE(auth_find, AUTH_FIND_FIELDS)

#define AUTH_USER_FIELDS(X)                                                                                            \
    X(u32, outcome)   /* FAULT_NONE: found; FAULT_REFUSED: no such user; FAULT_TRY_LATER: cannot tell */               \
    X(text, user)                                                                                                      \
    X(u32, uid)                                                                                                        \
    X(u32, gid)                                                                                                        \
    X(u32, is_system) /* has an account of its own; else virtual: its worker is chrooted to its folder */              \
    X(text, home)                                                                                                      \
    X(text, mail)     /* the Maildir */                                                                                \
    X(text, mbox)     /* the file that is the mailbox instead of the Maildir; empty: none */                           \
    X(u32, needs_alias) /* refused: an account of the system itself, as which nothing is ever delivered */             \
    X(text, reason)
IPC_MESSAGE(auth_user, AUTH_USER_FIELDS)

#define AUTH_CHANGED_FIELDS(X) X(u32, generation)
IPC_MESSAGE(auth_changed, AUTH_CHANGED_FIELDS)

#define AUTH_GRANT_FIELDS(X)                                                                                           \
    X(u64, token)                                                                                                      \
    X(text, user)                                                                                                      \
    X(u32, uid)                                                                                                        \
    X(u32, gid)                                                                                                        \
    X(u32, is_system)                                                                                                  \
    X(text, home)                                                                                                      \
    X(text, mail)
IPC_MESSAGE(auth_grant, AUTH_GRANT_FIELDS)

#define AUTH_CHECK_FIELDS(X)                                                                                           \
    X(text, user)                                                                                                      \
    X(secret, password)                                                                                                \
    X(secret, stored) /* {SCHEME}hash; to the pam helper: empty */
IPC_MESSAGE(auth_check, AUTH_CHECK_FIELDS)

#define AUTH_CHECKED_FIELDS(X)                                                                                         \
    X(u32, outcome)                                                                                                    \
    X(text, reason)
IPC_MESSAGE(auth_checked, AUTH_CHECKED_FIELDS)
