/* One recipient taken apart: its parts in the form of tables, and the class of its domain. Inside the engine only. */
#pragma once
#include "policy/engine/rules.h"

typedef struct recipient {
    str local;     /* without quotes */
    str user;      /* the same without its extension */
    str extension; /* behind `user`, with its delimiter; may be empty */
    str domain;    /* lower case; myorigin when none was given */
    str key;       /* local@domain */
    str text;      /* for output: quoted where it must be */
    bool has_domain;
    address_class class;
} recipient;

/* The keys under which tables such as virtual(5) and canonical(5) have it: user+extension@domain, user@domain, for our own domain
 * the name alone, @domain. */
typedef struct recipient_keys {
    str rows[5];
    bool is_whole[5]; /* the extension is in the key, or the key is for all names: it does not go on into the result */
    size_t n;
} recipient_keys;

void recipient_keys_make(const policy_rules *rules, const recipient *r, arena *mem, recipient_keys *out);

/* False: a table failed. Whatever is not cleanly an address of ours is CLASS_ELSEWHERE. */
bool recipient_read(const policy_rules *rules, str path, arena *mem, recipient *out, fault *out_fault);
