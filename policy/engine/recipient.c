#include "policy/engine/recipient.h"
#include "mail/address.h"

/* Names of the mail system itself, and of lists with the delimiter of their companions, are never divided. */
static bool is_whole(const config *c, str local)
{
    static const str names[] = { STR_ROW("postmaster"), STR_ROW("mailer-daemon"), STR_ROW("double-bounce") };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(local, names[i]))
            return true;
    str end = str_from(local, local.n > 8 ? local.n - 8 : 0);
    return c->owner_request_special && str_has(c->recipient_delimiter, '-') &&
           (str_starts_nocase(local, STR("owner-")) || str_equal_nocase(end, STR("-request")));
}

static void parts_read(const policy_rules *rules, const address *a, arena *mem, recipient *out)
{
    str delimiters = rules->config->recipient_delimiter;
    size_t n = 1;

    out->local = address_local(a, mem);
    if (is_whole(rules->config, out->local))
        n = out->local.n;
    while (n < out->local.n && !str_has(delimiters, out->local.p[n]))
        n++;
    out->user = str_upto(out->local, n);
    out->extension = str_from(out->local, n);
    out->has_domain = a->domain.n > 0;
    out->text = address_text(a, mem);
    if (out->has_domain) {
        out->domain = address_domain(a, mem);
    } else {
        out->domain = rules->config->myorigin;
        out->text = arena_printf(mem, "%.*s@%.*s", STR_ARG(out->text), STR_ARG(out->domain));
    }
    if (rules->config->append_dot_mydomain && out->domain.n && !a->is_literal && !str_has(out->domain, '.')) {
        out->domain = arena_printf(mem, "%.*s.%.*s", STR_ARG(out->domain), STR_ARG(rules->config->mydomain));
        out->text = arena_printf(mem, "%.*s.%.*s", STR_ARG(out->text), STR_ARG(rules->config->mydomain));
    }
    out->key = arena_printf(mem, "%.*s@%.*s", STR_ARG(out->local), STR_ARG(out->domain));
}

/* A second hop may hide in it: then no domain in it is taken to be ours (HOSTILE 14). */
static bool has_second_hop(const address *a, str local)
{
    return a->has_source_route || a->has_routing_chars || str_has(local, '@') || str_has(local, '%') ||
           str_has(local, '!');
}

static match_result class_of(const policy_rules *rules, const recipient *r, arena *mem, address_class *out, fault *f)
{
    const struct {
        const patterns *list;
        address_class class;
    } classes[] = {
        { r->domain.p[0] == '[' ? &rules->own_addresses : &rules->mydestination, CLASS_LOCAL },
        { &rules->virtual_alias_domains, CLASS_VIRTUAL_ALIAS },
        { &rules->virtual_mailbox_domains, CLASS_VIRTUAL_MAILBOX },
        { &rules->relay_domains, CLASS_RELAY },
    };
    match_result m = MATCH_NO;

    *out = CLASS_ELSEWHERE;
    for (size_t i = 0; i < COUNT_OF(classes) && m == MATCH_NO; i++) {
        m = patterns_match(classes[i].list, r->domain, mem, f);
        if (m == MATCH_YES)
            *out = classes[i].class;
    }
    return m;
}

bool recipient_read(const policy_rules *rules, str path, arena *mem, recipient *out, fault *out_fault)
{
    address a;

    *out = (recipient){ .class = CLASS_ELSEWHERE };
    if (address_parse(path, &a) != PARSE_DONE || a.is_null) {
        out->key = out->text = arena_copy(mem, path);
        return true;
    }
    parts_read(rules, &a, mem, out);
    if (has_second_hop(&a, out->local))
        return true;
    /* RFC 5321 4.5.1: postmaster without a domain is this host's, whatever myorigin is. */
    if (!out->has_domain && str_equal_nocase(out->local, STR("postmaster"))) {
        out->class = CLASS_LOCAL;
        return true;
    }
    if (out->domain.n == 0)
        return true;
    return class_of(rules, out, mem, &out->class, out_fault) != MATCH_FAILED;
}

bool policy_class(const policy_rules *rules, str path, arena *mem, address_class *out, fault *out_fault)
{
    recipient r;
    bool is_known = recipient_read(rules, path, mem, &r, out_fault);
    *out = r.class;
    return is_known;
}

static void key_add(recipient_keys *out, str key, bool is_whole)
{
    out->is_whole[out->n] = is_whole;
    out->rows[out->n++] = key;
}

void recipient_keys_make(const policy_rules *rules, const recipient *r, arena *mem, recipient_keys *out)
{
    bool is_own = r->class == CLASS_LOCAL || str_equal_nocase(r->domain, rules->config->myorigin);

    out->n = 0;
    key_add(out, r->key, true);
    if (r->extension.n)
        key_add(out, arena_printf(mem, "%.*s@%.*s", STR_ARG(r->user), STR_ARG(r->domain)), false);
    if (is_own)
        key_add(out, r->local, true);
    if (is_own && r->extension.n)
        key_add(out, r->user, false);
    key_add(out, arena_printf(mem, "@%.*s", STR_ARG(r->domain)), true);
}
