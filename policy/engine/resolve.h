/* Where mail for a recipient goes: address classes, virtual aliases, local aliases, users. Runs in: policy (through
 * policy_decide). No I/O but look-ups. Results live in the caller's arena. Fails: FAULT_REFUSED with the status and the
 * words of the reply (unknown user, relaying); FAULT_TRY_LATER when a table or user could not be looked up. */
#pragma once
#include "conf/networks.h"
#include "db/table.h"

typedef struct policy_rules policy_rules;
typedef struct policy_step policy_step;

typedef enum user_result {
    USER_FOUND,
    USER_ABSENT,
    USER_FAILED,
    USER_NEEDS_ALIAS, /* an account of the system itself: nothing is delivered as it */
    USER_WAIT, /* not known yet: the caller finds out and decides again */
} user_result;

/* Whether there is such a user; *out_name, when set, is the name as the user file has it (in `mem`). */
typedef user_result user_find(void *context, str name, arena *mem, str *out_name, fault *out_fault);

/* What rules need besides their configuration. */
typedef struct policy_world {
    table_pool *tables;
    table_pool *alias_tables;  /* its context has is_alias set */
    user_find *find_user;
    void *users;
    str own_addresses;         /* of this host's interfaces, divided by blanks: [these] are local, as are inet_interfaces */
} policy_world;

typedef struct route {
    str transport; /* "local"; "pipe"; "error" for one of several whose delivery can only fail */
    str nexthop;   /* local: the user's name; error: status and reason, "5.1.1 User unknown"; pipe: who acts, a blank and
                    * "|command", "/file" or ":include:/file". Who acts for an alias: "#uid", or "#" and default_privs */
    str address;   /* final recipient */
    str original;  /* what was asked for */
    str sender;    /* reverse-path for this one: of an alias with an owner-; empty: the message's own */
} route;

typedef enum address_class {
    CLASS_LOCAL,           /* mydestination, an address of this host, or no domain */
    CLASS_VIRTUAL_ALIAS,   /* virtual_alias_domains */
    CLASS_VIRTUAL_MAILBOX, /* virtual_mailbox_domains */
    CLASS_RELAY,           /* relay_domains */
    CLASS_ELSEWHERE,
} address_class;

typedef struct routes {
    route *rows;
    size_t n;
    fault fault;     /* of the recipient as a whole; n is 0 then */
    unsigned code;   /* reply code that goes with the fault */
    str waiting_for; /* p is not NULL: see USER_WAIT; n is 0 then */
    policy_step *steps; /* what was looked up */
    size_t step_count;
} routes;

void policy_resolve(const policy_rules *rules, str recipient, arena *mem, routes *out);

/* The class of a recipient. False: a table failed; *out_fault says which. Addresses that are broken or carry a second
 * hop (percent, bang, at-sign in the local part, source route) are CLASS_ELSEWHERE. */
bool policy_class(const policy_rules *rules, str recipient, arena *mem, address_class *out, fault *out_fault);
