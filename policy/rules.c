/* Compiles the rules of main.cf and of each SMTP service. Runs in: policy, before it is confined. */
#include "base/memory.h"
#include "os/interfaces.h"
#include "policy/policy.h"
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>

/* [address] of this host is as good as its name (RFC 5321 4.1.3). */
static str own_addresses(void)
{
    buf out = buf_new(64 * 1024);
    interfaces_list(&out);
    return buf_str(&out);
}

static bool compile(policy *p, const config *c, str key, problems *ps)
{
    policy_rules *rules = policy_compile(c, key.n ? key : STR("main.cf"), &p->world, ps);
    if (rules)
        map_put(&p->rules, key, rules);
    return rules != NULL;
}

static bool compile_all(policy *p, problems *ps)
{
    const snapshot *s = &p->process->current->snapshot;
    bool is_good = compile(p, &s->base, STR(""), ps);
    for (size_t i = 0; i < s->service_count; i++)
        if (s->services[i].role == ROLE_SMTPD)
            is_good = compile(p, &s->services[i].config, s->services[i].key, ps) && is_good;
    return is_good;
}

static void folder_add(landlock_rule *rules, size_t *n, const char *path)
{
    char *copy = strdup(path);
    int fd = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd >= 0)
        rules[(*n)++] = (landlock_rule){ .fd = fd, .access = ACCESS_READ };
}

/* A table that is rebuilt is opened again: its folder stays readable. */
static void folders_allow(policy *p)
{
    size_t most = p->tables.tables.n + p->aliases.tables.n, n = 0;
    landlock_rule *rules = memory_get((most + 1) * sizeof *rules);
    const table_pool *pools[] = { &p->tables, &p->aliases };
    for (size_t k = 0; k < COUNT_OF(pools); k++)
        for (size_t i = 0; i < pools[k]->tables.n; i++)
            if (table_path(pools[k]->tables.p[i]))
                folder_add(rules, &n, table_path(pools[k]->tables.p[i]));
    p->process->identity.rules = rules;
    p->process->identity.rule_count = n;
}

bool rules_prepare(process *d)
{
    policy *p = d->state;
    const config *c = daemon_config(d);
    p->process = d;
    p->tables_context = (table_context){ .default_type = c->default_database_type };
    p->aliases_context = (table_context){ .default_type = c->default_database_type, .is_alias = true };
    p->tables.context = &p->tables_context;
    p->aliases.context = &p->aliases_context;
    p->world = (policy_world){ .tables = &p->tables, .alias_tables = &p->aliases, .find_user = users_lookup, .users = p,
                               .own_addresses = own_addresses() };
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    bool is_good = compile_all(p, &ps);
    problems_to_log(&ps);
    problems_free(&ps);
    arena_free(&a);
    folders_allow(p);
    return is_good;
}
