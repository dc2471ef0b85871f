#include "policy/engine/rewrite.h"
#include "conf/list.h"
#include "db/source.h"
#include "mail/address.h"
#include "mail/alias_list.h"
#include "policy/engine/canonical.h"

enum { NESTING_MAX = 100 };

static const struct {
    str name;
    enum policy_rewrite_line class;
} classes[] = {
    { STR_ROW("envelope_sender"), REWRITE_ENVELOPE_SENDER },
    { STR_ROW("envelope_recipient"), REWRITE_ENVELOPE_RECIPIENT },
    { STR_ROW("header_sender"), REWRITE_HEADER_SENDER },
    { STR_ROW("header_recipient"), REWRITE_HEADER_RECIPIENT },
};

bool rewrite_classes_read(str where, str value, unsigned *out, problems *ps)
{
    str word;
    bool is_right = true;

    for (*out = 0; list_next(&value, &word);) {
        size_t i = 0;
        while (i < COUNT_OF(classes) && !str_equal_nocase(classes[i].name, word))
            i++;
        if (i == COUNT_OF(classes)) {
            problem_error(ps, STR(""), 0,
                          "%.*s: \"%.*s\" is none of envelope_sender, envelope_recipient, header_sender, "
                          "header_recipient",
                          STR_ARG(where), STR_ARG(str_upto(word, 60)));
            is_right = false;
        } else {
            *out |= 1u << i;
        }
    }
    return is_right;
}

static bool is_within(unsigned bits, enum policy_rewrite_line class)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (classes[i].class == class)
            return bits & 1u << i;
    return false;
}

/* append_at_myorigin and append_dot_mydomain. A recipient is completed where it is read, as postmaster has a meaning of its own. */
static str completed(const expansion *e, bool is_remote, const address *a)
{
    const config *c = e->rules->config;
    str origin = is_remote ? c->remote_header_rewrite_domain : c->myorigin;
    str domain = is_remote ? c->remote_header_rewrite_domain : c->mydomain;

    if (a->domain.n == 0 && c->append_at_myorigin && origin.n)
        return arena_printf(e->mem, "%.*s@%.*s", STR_ARG(a->path), STR_ARG(origin));
    bool is_short = a->domain.n && !a->is_literal && !str_has(a->domain, '.');
    if (is_short && c->append_dot_mydomain && domain.n)
        return arena_printf(e->mem, "%.*s.%.*s", STR_ARG(a->path), STR_ARG(domain));
    return a->path;
}

/* The part of the text in front of the domain, as output has it. */
static str local_text(const recipient *r)
{
    return str_upto(r->text, str_find_last(r->text, '@'));
}

/* canonical(5): one address; "@other" keeps the local part, a bare name is of this system, and the extension that the key did not
 * have goes on. Empty: the value is no address. */
static str result_address(expansion *e, const recipient *r, str value, str extension)
{
    str member;
    address a;

    if (!alias_next(&value, e->mem, &member))
        return STR_NONE;
    if (member.p[0] == '@')
        member = arena_printf(e->mem, "%.*s%.*s", STR_ARG(local_text(r)), STR_ARG(member));
    if (address_parse(member, &a) != PARSE_DONE || a.is_null || a.has_source_route)
        return STR_NONE;
    str local = a.local, domain = a.domain.n ? a.domain : e->rules->config->myorigin;
    if (!a.is_quoted)
        local = arena_printf(e->mem, "%.*s%.*s", STR_ARG(local), STR_ARG(extension));
    str whole = arena_printf(e->mem, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
    if (address_parse(whole, &a) != PARSE_DONE)
        return STR_NONE;
    return completed(e, false, &a);
}

static void no_address(expansion *e, const char *what, const recipient *r)
{
    expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5", "%s: what stands there for %.*s is no address", what,
                                  STR_ARG(str_upto(r->key, 100))));
}

/* Looks into the tables once. TABLE_FOUND: *path is another one. */
static table_result step(expansion *e, const rewrite_maps *maps, str *path)
{
    bool goes_on = list_has(e->rules->config->propagate_unmatched_extensions, STR("canonical"));
    recipient_keys keys;
    recipient r;
    str value;
    size_t at;
    fault f;

    if (!recipient_read(e->rules, *path, e->mem, &r, &f)) {
        expansion_defer(e, f);
        return TABLE_FAILED;
    }
    if (r.local.n == 0)
        return TABLE_ABSENT;
    recipient_keys_make(e->rules, &r, e->mem, &keys);
    table_result found = expansion_find(e, maps->name, &maps->tables, keys.rows, keys.n, &value, &at);
    if (found != TABLE_FOUND)
        return found;
    str result = result_address(e, &r, value, keys.is_whole[at] || !goes_on ? STR("") : r.extension);
    if (result.n == 0) {
        no_address(e, maps->name, &r);
        return TABLE_FAILED;
    }
    bool is_same = str_equal_nocase(result, r.text);
    if (!is_same)
        *path = result;
    return is_same ? TABLE_ABSENT : TABLE_FOUND;
}

static str mapped(expansion *e, const rewrite_maps *maps, str path)
{
    if (maps->tables.n == 0)
        return path;
    for (unsigned i = 0; i < NESTING_MAX; i++)
        if (step(e, maps, &path) != TABLE_FOUND)
            return path;
    expansion_defer(e, fault_make(FAULT_TRY_LATER, "4.6", "%s: the results for %.*s go in a circle", maps->name,
                                  STR_ARG(str_upto(path, 100))));
    return path;
}

/* The first of masquerade_domains that the domain is or is below; empty: none, or it is excluded. */
static str masquerade_find(const config *c, str domain)
{
    str rest = c->masquerade_domains, word;

    while (list_next(&rest, &word)) {
        bool is_excluded = word.p[0] == '!';
        word = str_from(word, is_excluded);
        bool is_below = domain.n > word.n && word.n && domain.p[domain.n - word.n - 1] == '.' &&
                        str_equal_nocase(str_from(domain, domain.n - word.n), word);
        if (is_below || str_equal_nocase(domain, word))
            return is_excluded ? STR_NONE : word;
    }
    return STR_NONE;
}

static str masqueraded(expansion *e, str path)
{
    address a;
    fault f = NO_FAULT;

    if (address_parse(path, &a) != PARSE_DONE || a.domain.n == 0 || a.is_literal)
        return path;
    str domain = address_domain(&a, e->mem), to = masquerade_find(e->rules->config, domain);
    if (to.n == 0 || to.n == domain.n)
        return path;
    match_result m =
        patterns_match(&e->rules->masquerade_exceptions, key_fold(address_local(&a, e->mem), e->mem), e->mem, &f);
    if (m == MATCH_FAILED)
        expansion_defer(e, f);
    if (m != MATCH_NO)
        return path;
    str result = arena_printf(e->mem, "%.*s@%.*s", STR_ARG(a.local), STR_ARG(to));
    expansion_step(e, "masquerade_domains", STR(""), path, 0, result);
    return result;
}

str rewrite_run(expansion *e, enum policy_rewrite_line class, bool is_remote, str path)
{
    const policy_rules *r = e->rules;
    address a;

    if (address_parse(path, &a) != PARSE_DONE || a.is_null || a.has_source_route || a.has_routing_chars)
        return path;
    str now = class == REWRITE_ENVELOPE_RECIPIENT ? path : completed(e, is_remote, &a);
    for (size_t i = 0; i < COUNT_OF(r->canonical) && !is_fault(e->later); i++)
        if (is_within(r->canonical[i].classes, class))
            now = mapped(e, &r->canonical[i], now);
    if (is_within(r->masquerade_classes, class) && r->config->masquerade_domains.n && !is_fault(e->later))
        now = masqueraded(e, now);
    return now;
}

/* The tables are asked as those of canonical_maps, but once. */
static str bcc_find(expansion *e, const rewrite_maps *maps, str path)
{
    recipient_keys keys;
    recipient r;
    str value;
    size_t at;
    fault f;

    if (maps->tables.n == 0 || is_fault(e->later))
        return STR("");
    if (!recipient_read(e->rules, path, e->mem, &r, &f)) {
        expansion_defer(e, f);
        return STR("");
    }
    if (r.local.n == 0)
        return STR("");
    recipient_keys_make(e->rules, &r, e->mem, &keys);
    if (expansion_find(e, maps->name, &maps->tables, keys.rows, keys.n, &value, &at) != TABLE_FOUND)
        return STR("");
    str to = result_address(e, &r, value, STR(""));
    if (to.n == 0)
        no_address(e, maps->name, &r);
    return to.n ? to : STR("");
}

void policy_rewrite_address(const policy_rules *rules, enum policy_rewrite_line class, bool is_remote, str path,
                            arena *mem, rewritten *out)
{
    expansion e = { .rules = rules, .mem = mem, .asked = path };

    *out = (rewritten){ .address = rewrite_run(&e, class, is_remote, path), .bcc = STR("") };
    if (class == REWRITE_ENVELOPE_SENDER || class == REWRITE_ENVELOPE_RECIPIENT)
        out->bcc = bcc_find(&e, &rules->bcc[class == REWRITE_ENVELOPE_RECIPIENT], out->address);
    out->fault = e.later;
    if (is_fault(out->fault))
        out->address = out->bcc = STR("");
    out->step_count = e.steps.n;
    out->steps = ARENA_ARRAY(mem, policy_step, e.steps.n + 1);
    if (e.steps.n)
        memcpy(out->steps, e.steps.p, e.steps.n * sizeof *e.steps.p);
    vec_free(&e.steps);
}
