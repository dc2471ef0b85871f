/* The rules of policy, compiled as the server compiles them, with users looked up in the user file itself. Runs in: postrider
 * (explain, check, start, reload). The view owns rules, tables and users; it points into the parsed configuration. */
#pragma once
#include "conf/config.h"
#include "db/content_checks.h"
#include "db/users.h"
#include "policy/engine/policy.h"

typedef struct rules_view {
    const parsed *parsed;
    table_context tables_context, aliases_context;
    table_pool tables, aliases;
    users users;
    fault users_fault; /* the user file could not be read: look-ups fail */
    policy_world world;
    VEC(policy_rules *) rules; /* main.cf alone, then each smtpd service in the order of master.cf */
    VEC(str) services;         /* their keys; the first is empty */
    str own_addresses;
    content_checks checks;
} rules_view;

/* Mistakes are in *ps, as are those of the user file; an open relay is one. True: no error. rules_close in any case. */
bool rules_open(rules_view *v, const parsed *p, problems *ps);
void rules_close(rules_view *v);

/* By key ("smtp/inet") or name ("smtp"); an empty one is main.cf alone. NULL: no such smtpd service, or it has an error. */
const policy_rules *rules_find(const rules_view *v, str of);
