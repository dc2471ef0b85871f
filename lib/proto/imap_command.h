/* Grammar of IMAP commands (RFC 3501, with UIDPLUS, IDLE, ID, NAMESPACE, ENABLE, UNSELECT, MOVE, SASL-IR, LITERAL+):
 * each verb a row of where it is legal and how its arguments read. Runs in: login, imapd's worker. Everything lives
 * in the arena or is a view into the command, so both must stay while it is used.
 * Fails: PARSE_BAD with `tag` (answer "* BAD" when it is empty) and `problem`. Whole commands only:
 * proto/imap_input.h. */
#pragma once
#include "base/parse.h"
#include "base/secret.h"
#include "proto/imap_fetch.h"
#include "proto/imap_flags.h"
#include "proto/imap_search.h"
#include "proto/imap_set.h"

enum imap_state {
    IMAP_NOT_AUTHENTICATED = 1 << 0,
    IMAP_AUTHENTICATED = 1 << 1, /* and nothing selected */
    IMAP_SELECTED = 1 << 2,
    IMAP_LOGGED_IN = IMAP_AUTHENTICATED | IMAP_SELECTED,
    IMAP_ANY_STATE = IMAP_NOT_AUTHENTICATED | IMAP_LOGGED_IN,
};

typedef enum imap_verb {
    IMAP_UNKNOWN,
    IMAP_APPEND,
    IMAP_AUTHENTICATE,
    IMAP_CAPABILITY,
    IMAP_CHECK,
    IMAP_CLOSE,
    IMAP_COPY,
    IMAP_CREATE,
    IMAP_DELETE,
    IMAP_ENABLE,
    IMAP_EXAMINE,
    IMAP_EXPUNGE,
    IMAP_FETCH,
    IMAP_ID,
    IMAP_IDLE,
    IMAP_LIST,
    IMAP_LOGIN,
    IMAP_LOGOUT,
    IMAP_LSUB,
    IMAP_MOVE,
    IMAP_NAMESPACE,
    IMAP_NOOP,
    IMAP_RENAME,
    IMAP_SEARCH,
    IMAP_SELECT,
    IMAP_STARTTLS,
    IMAP_STATUS,
    IMAP_STORE,
    IMAP_SUBSCRIBE,
    IMAP_UNSELECT,
    IMAP_UNSUBSCRIBE,
} imap_verb;

typedef struct imap_mailbox {
    str wire;      /* as the client wrote it */
    str name;      /* UTF-8 */
    bool is_valid; /* false: not modified UTF-7, empty or too long; no mailbox can have it: answer NO */
} imap_mailbox;

enum { IMAP_MAILBOX_MAX = 1000 }; /* octets of `name` */

enum imap_status_item { /* bits */
                        IMAP_STATUS_MESSAGES = 1 << 0,
                        IMAP_STATUS_RECENT = 1 << 1,
                        IMAP_STATUS_UIDNEXT = 1 << 2,
                        IMAP_STATUS_UIDVALIDITY = 1 << 3,
                        IMAP_STATUS_UNSEEN = 1 << 4,
};

typedef enum imap_store_action { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE } imap_store_action;

typedef struct imap_command {
    str tag;
    imap_verb verb;
    unsigned legal_in;   /* imap_state bits; the session refuses what is not legal now */
    bool is_uid;         /* came with the prefix UID */
    const char *problem; /* after PARSE_BAD, static; a text for the client */

    imap_set set;         /* COPY, MOVE, FETCH, STORE; UID EXPUNGE */
    imap_mailbox mailbox; /* of verbs that take one; COPY, MOVE: the target; RENAME: the old name */
    imap_flags flags;     /* STORE, APPEND */
    union {
        struct {
            str user; /* any bytes but NUL: sasl_name_is_valid says whether it can be a name */
            secret password;
        } login;
        struct {
            str mechanism, initial;
        } authenticate; /* initial: p NULL when none; else base64 or "=" */
        struct {
            imap_mailbox to;
        } rename;
        struct {
            imap_mailbox reference, pattern;
        } list; /* LIST, LSUB; an empty name is valid here */
        struct {
            unsigned items;
        } status;
        struct {
            bool has_date;
            int64_t date_s;
            uint64_t message_bytes;
            bool is_sync;
            str message;
        } append;
        imap_fetch fetch;
        struct {
            imap_store_action action;
            bool is_silent;
        } store;
        imap_search search;
        struct {
            str *pairs;
            size_t n;
        } id; /* name, value, …; value p NULL: NIL */
        struct {
            str *names;
            size_t n;
        } enable;
    };
} imap_command;

/* `command` as imap_input_command gives it. An APPEND that ends in "{n}" has its message still to come
 * (append.message p NULL); one whose message was collected has it in append.message. */
parse imap_command_parse(str command, arena *mem, imap_command *out);

/* "FETCH", for logs. */
str imap_verb_name(imap_verb verb);
