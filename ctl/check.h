/* What `postrider check` looks for: each kind of mistake is a function in a table. Runs in: postrider. Problems go to the
 * configuration's own list, so that all come out in one order. */
#pragma once
#include "ctl/rules.h"

typedef struct checking {
    parsed *parsed;
    const config *config;
    problems *problems;
    rules_view rules;
    bool is_root;
} checking;

/* check_files.c: who may read and write what, and whether it is there */
void check_modes(checking *c);
void check_queue_folders(checking *c);
void check_programs(checking *c);
void check_accounts(checking *c);

/* check_templates.c: bounce_template_file */
void check_templates(checking *c);

/* check_spool.c: mbox files of accounts */
void check_spool(checking *c);

/* check_keys.c: certificates and keys can be read and belong together */
void check_keys(checking *c);
