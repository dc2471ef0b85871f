/* The work of policy_resolve: addresses still to be looked at, and routes found so far. Inside the engine only. */
#pragma once
#include "base/map.h"
#include "policy/engine/recipient.h"

typedef struct node {
    str path;          /* an address */
    size_t parent;     /* index, counted from 1; 0: what was asked for */
    unsigned depth;
    bool is_final;     /* no alias is followed any more: it named itself, or was given as \name */
    str sender;        /* of an owner-; empty: the message's own */
} node;

typedef struct expansion {
    const policy_rules *rules;
    arena *mem;
    str asked;
    VEC(node) nodes;   /* a queue: looked at in order */
    size_t at;         /* index of the node that is looked at */
    map seen;          /* address → index of its node, from 1 */
    size_t programs;   /* members that are no addresses */
    str sender;        /* for what the current node leads to */
    table *found_in;   /* by the last look-up that found something */
    VEC(route) routes;
    map routed;        /* user and extension → itself */
    VEC(policy_step) steps;
    fault later, refused; /* the first of each */
    unsigned refused_code;
    str waiting_for;
} expansion;

void expansion_step(expansion *e, const char *what, str from, str key, unsigned line, str result);

/* Looks for the keys in turn in all tables. TABLE_FAILED sets e->later. */
table_result expansion_find(expansion *e, const char *what, const rule_tables *tables, const str *keys, size_t n,
                            str *out_value, size_t *out_at);

void expansion_defer(expansion *e, fault f);

/* The node's mail fails for good. Among others of one alias it becomes a route of transport "error". */
void expansion_refuse(expansion *e, const recipient *r, unsigned code, fault f);
void expansion_route(expansion *e, const recipient *r, str transport, str nexthop);

/* Puts an address that the current node stands for at the end of the queue. A circle defers. */
void expansion_add(expansion *e, str path, bool is_final);

/* False, and deferred: one recipient has become too many. */
bool expansion_is_within_limits(expansion *e, unsigned depth);

/* An address as tables and nodes have it: a bare name gets the domain of the one it stands for. */
str address_complete(str member, str domain, arena *mem);

/* With the recipient's extension behind its local part, when propagate_unmatched_extensions has `from`. */
str address_extend(expansion *e, const recipient *r, const char *from, str path);

/* aliases(5). True: it is an alias. */
bool alias_expand(expansion *e, const recipient *r);

/* The user whose mail it is: route, refusal or deferral. */
void mailbox_local(expansion *e, const recipient *r);
void mailbox_virtual(expansion *e, const recipient *r);
