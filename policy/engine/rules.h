/* Rules as policy_compile leaves them. Inside the engine only. */
#pragma once
#include "db/patterns.h"
#include "policy/engine/policy.h"

typedef enum list_id {
    LIST_CLIENT,
    LIST_HELO,
    LIST_SENDER,
    LIST_RELAY,
    LIST_RECIPIENT,
    LIST_DATA,
    LIST_END_OF_DATA,
    LIST_COUNT
} list_id;

/* What a reply is about, and so what an access table is asked for. */
typedef enum subject_id {
    SUBJECT_CLIENT,
    SUBJECT_HELO,
    SUBJECT_SENDER,
    SUBJECT_RECIPIENT,
    SUBJECT_DATA,
    SUBJECT_END_OF_DATA,
} subject_id;

typedef struct list_row {
    str name;
    subject_id subject;
    enum policy_stage stage;         /* where it is looked at with smtpd_delay_reject = no */
    enum policy_stage delayed_stage; /* and with yes */
} list_row;

extern const list_row list_rows[LIST_COUNT];

typedef struct restriction_kind restriction_kind;

typedef struct restriction {
    const restriction_kind *kind;
    str text;        /* as written */
    table *table;    /* NULL: the kind has none */
    bool only_warns; /* behind warn_if_reject */
} restriction;

typedef VEC(restriction) restrictions;
typedef VEC(table *) rule_tables;

/* Tables that give an address another one. */
typedef struct rewrite_maps {
    const char *name; /* of the parameter */
    rule_tables tables;
    unsigned classes; /* bits, see rewrite_classes_read */
} rewrite_maps;

struct policy_rules {
    arena arena;
    const config *config;
    const policy_world *world;
    restrictions lists[LIST_COUNT];
    patterns mydestination, virtual_alias_domains, virtual_mailbox_domains, relay_domains;
    patterns mynetworks, own_addresses;
    rule_tables virtual_alias_maps, virtual_mailbox_maps, alias_maps, local_recipient_maps, relocated_maps;
    rewrite_maps canonical[3]; /* in the order in which they are used */
    rewrite_maps bcc[2];       /* by sender, by recipient */
    unsigned masquerade_classes;
    patterns masquerade_exceptions;
};

/* Reads a list of restrictions and appends it. `value` must outlive the list. Unless `may_open`, only tables that are open
 * already can be named: so for restrictions that stand in a table. False: there was an error, in *ps. */
bool restrictions_read(str where, str value, list_id list, table_pool *open, bool may_open, restrictions *out,
                       problems *ps);

/* Errors in *ps when a stranger could relay under these rules. */
void relay_check(const policy_rules *rules, str service, problems *ps);
