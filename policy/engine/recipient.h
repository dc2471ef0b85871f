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

/* False: a table failed. Whatever is not cleanly an address of ours is CLASS_ELSEWHERE. */
bool recipient_read(const policy_rules *rules, str path, arena *mem, recipient *out, fault *out_fault);
