/* The keys that access(5) tables are asked for, in their order, and what their results say. No I/O. */
#pragma once
#include "base/arena.h"
#include "base/vec.h"

typedef VEC(str) access_keys;

/* A host name and the domains above it. A pattern table sees the name alone. */
void access_host_keys(str name, bool is_pattern, arena *mem, access_keys *out);

/* An address of a client and the networks above it, by whole numbers. */
void access_address_keys(str address, bool is_pattern, arena *mem, access_keys *out);

/* A mail address "local@domain" (local part without quotes): itself, without extension, domain and those above, local@.
 */
void access_mail_keys(str address, str delimiters, bool is_pattern, arena *mem, access_keys *out);

typedef enum access_verb {
    ACCESS_DUNNO,
    ACCESS_OK,
    ACCESS_REPLY,       /* code, status, words */
    ACCESS_IF_PERMIT,   /* the same */
    ACCESS_IF_REJECT,
    ACCESS_HOLD,        /* words */
    ACCESS_DISCARD,
    ACCESS_WARN,          /* words, for the log */
    ACCESS_INFO,          /* the same */
    ACCESS_NOT_SUPPORTED, /* an action of Postfix that is not known here */
    ACCESS_RESTRICTIONS,  /* words: a list of them */
} access_verb;

typedef struct access_result {
    access_verb verb;
    unsigned code;
    str status; /* "5.7.1"; empty: not said */
    str words;  /* empty: not said */
} access_result;

access_result access_read(str value);

/* "5.7.1" in front of the words, when its class is that of the code: taken off *words. */
bool access_status_cut(str *words, unsigned code, str *out);
