#include "policy/engine/canonical.h"
#include "policy/engine/decision.h"

typedef struct compiling {
    policy_rules *rules;
    str service;
    problems *ps;
} compiling;

static str where(const compiling *c, str name)
{
    return c->service.n ? arena_printf(&c->rules->arena, "%.*s: %.*s", STR_ARG(c->service), STR_ARG(name)) : name;
}

static void read_patterns(const compiling *c, const char *name, pattern_kind kind, str value, patterns *out)
{
    out->kind = kind;
    patterns_read(where(c, str_c(name)), value, c->rules->world->tables, out, c->ps);
}

/* Users are looked for in any case, so tables of them say nothing new. */
static bool is_table_of_users(str word)
{
    return str_equal(word, STR("unix:passwd.byname")) || str_equal(word, STR("proxy:unix:passwd.byname"));
}

static void read_tables(const compiling *c, const char *name, str value, table_pool *pool, rule_tables *out)
{
    str word;
    while (table_word_next(&value, &word)) {
        table *t = is_table_of_users(word) ? NULL : rule_table(where(c, str_c(name)), word, pool, c->ps);
        if (t)
            *vec_add(out) = t;
    }
}

static void read_lists(const compiling *c)
{
    const config *from = c->rules->config;
    const str values[LIST_COUNT] = {
        [LIST_CLIENT] = from->smtpd_client_restrictions,           [LIST_HELO] = from->smtpd_helo_restrictions,
        [LIST_SENDER] = from->smtpd_sender_restrictions,           [LIST_RELAY] = from->smtpd_relay_restrictions,
        [LIST_RECIPIENT] = from->smtpd_recipient_restrictions,     [LIST_DATA] = from->smtpd_data_restrictions,
        [LIST_END_OF_DATA] = from->smtpd_end_of_data_restrictions,
    };
    for (list_id l = 0; l < LIST_COUNT; l++)
        restrictions_read(where(c, list_rows[l].name), values[l], l, c->rules->world->tables, true, &c->rules->lists[l],
                          c->ps);
}

/* Address literals of this host: its interfaces, and what inet_interfaces names. Host names there are not looked up. */
static void read_own_addresses(const compiling *c)
{
    patterns *own = &c->rules->own_addresses;
    str lists[] = { c->rules->world->own_addresses, c->rules->config->inet_interfaces, STR("127.0.0.1 ::1") }, word;

    own->kind = PATTERN_NETWORKS;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        while (table_word_next(&lists[i], &word)) {
            pattern p = { .text = word };
            fault f;
            if (!str_has(word, '/') && network_read(word, &p.network, &f))
                *vec_add(&own->rows) = p;
        }
    }
}

static void read_domains(const compiling *c)
{
    policy_rules *r = c->rules;
    const config *from = r->config;

    read_patterns(c, "mydestination", PATTERN_DOMAINS, from->mydestination, &r->mydestination);
    read_patterns(c, "virtual_alias_domains", PATTERN_DOMAINS, from->virtual_alias_domains, &r->virtual_alias_domains);
    read_patterns(c, "virtual_mailbox_domains", PATTERN_DOMAINS, from->virtual_mailbox_domains,
                  &r->virtual_mailbox_domains);
    r->relay_domains.has_subdomains = true;
    read_patterns(c, "relay_domains", PATTERN_DOMAINS, from->relay_domains, &r->relay_domains);
    read_patterns(c, "mynetworks", PATTERN_NETWORKS, from->mynetworks, &r->mynetworks);
}

static void read_rewriting(const compiling *c)
{
    policy_rules *r = c->rules;
    const config *from = r->config;
    const struct {
        rewrite_maps *to;
        const char *name, *classes_name;
        str maps, classes;
    } rows[] = {
        { &r->canonical[0], "sender_canonical_maps", "sender_canonical_classes", from->sender_canonical_maps,
          from->sender_canonical_classes },
        { &r->canonical[1], "recipient_canonical_maps", "recipient_canonical_classes", from->recipient_canonical_maps,
          from->recipient_canonical_classes },
        { &r->canonical[2], "canonical_maps", "canonical_classes", from->canonical_maps, from->canonical_classes },
        { &r->bcc[0], "sender_bcc_maps", NULL, from->sender_bcc_maps, STR_NONE },
        { &r->bcc[1], "recipient_bcc_maps", NULL, from->recipient_bcc_maps, STR_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        rows[i].to->name = rows[i].name;
        read_tables(c, rows[i].name, rows[i].maps, r->world->tables, &rows[i].to->tables);
        if (rows[i].classes_name)
            rewrite_classes_read(where(c, str_c(rows[i].classes_name)), rows[i].classes, &rows[i].to->classes, c->ps);
    }
    rewrite_classes_read(where(c, STR("masquerade_classes")), from->masquerade_classes, &r->masquerade_classes, c->ps);
    read_patterns(c, "masquerade_exceptions", PATTERN_DOMAINS, from->masquerade_exceptions, &r->masquerade_exceptions);
}

policy_rules *policy_compile(const config *c, str service, const policy_world *world, problems *ps)
{
    policy_rules *rules = memory_get(sizeof *rules);
    compiling now = { rules, service, ps };
    size_t errors = ps->error_count;

    rules->config = c;
    rules->world = world;
    read_domains(&now);
    read_own_addresses(&now);
    read_lists(&now);
    read_tables(&now, "virtual_alias_maps", c->virtual_alias_maps, world->tables, &rules->virtual_alias_maps);
    read_tables(&now, "virtual_mailbox_maps", c->virtual_mailbox_maps, world->tables, &rules->virtual_mailbox_maps);
    read_tables(&now, "relocated_maps", c->relocated_maps, world->tables, &rules->relocated_maps);
    read_tables(&now, "alias_maps", c->alias_maps, world->alias_tables, &rules->alias_maps);
    read_tables(&now, "local_recipient_maps", c->local_recipient_maps, world->alias_tables,
                &rules->local_recipient_maps);
    read_rewriting(&now);
    if (ps->error_count == errors)
        relay_check(rules, service, ps);
    if (ps->error_count == errors)
        return rules;
    policy_free(rules);
    return NULL;
}

void policy_free(policy_rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t l = 0; l < LIST_COUNT; l++)
        vec_free(&rules->lists[l]);
    patterns *lists[] = {
        &rules->mydestination, &rules->virtual_alias_domains, &rules->virtual_mailbox_domains, &rules->relay_domains,
        &rules->mynetworks,    &rules->own_addresses,         &rules->masquerade_exceptions
    };
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        patterns_free(lists[i]);
    vec_free(&rules->virtual_alias_maps);
    vec_free(&rules->virtual_mailbox_maps);
    vec_free(&rules->alias_maps);
    vec_free(&rules->local_recipient_maps);
    vec_free(&rules->relocated_maps);
    for (size_t i = 0; i < COUNT_OF(rules->canonical); i++)
        vec_free(&rules->canonical[i].tables);
    for (size_t i = 0; i < COUNT_OF(rules->bcc); i++)
        vec_free(&rules->bcc[i].tables);
    arena_free(&rules->arena);
    free(rules);
}
