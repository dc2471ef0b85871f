#include "policy/engine/resolve.h"
#include "conf/list.h"
#include "db/source.h"
#include "mail/alias_list.h"
#include "policy/engine/expansion.h"
#include "policy/engine/canonical.h"

void expansion_step(expansion *e, const char *what, str from, str key, unsigned line, str result)
{
    *vec_add(&e->steps) = (policy_step){ .list = STR("resolve"), .restriction = str_c(what), .table = from, .key = key,
                                         .line = line, .result = result };
}

void expansion_defer(expansion *e, fault f)
{
    f.kind = FAULT_TRY_LATER;
    if (!is_fault(e->later))
        e->later = f;
}

table_result expansion_find(expansion *e, const char *what, const rule_tables *tables, const str *keys, size_t n,
                            str *out_value, size_t *out_at)
{
    table_answer answer;

    for (size_t i = 0; i < n; i++) {
        for (size_t t = 0; t < tables->n; t++) {
            if (table_is_pattern(tables->p[t]) && i > 0)
                continue; /* the whole address only */
            table_result r = table_find(tables->p[t], keys[i], e->mem, &answer);
            if (r == TABLE_ABSENT)
                continue;
            bool is_found = r == TABLE_FOUND;
            e->found_in = tables->p[t];
            expansion_step(e, what, table_name(tables->p[t]), keys[i], answer.line,
                           is_found ? answer.value : arena_copy(e->mem, str_c(answer.fault.text)));
            if (!is_found)
                expansion_defer(e, answer.fault);
            *out_value = answer.value;
            *out_at = i;
            return r;
        }
    }
    return TABLE_ABSENT;
}

void expansion_route(expansion *e, const recipient *r, str transport, str nexthop)
{
    str name = arena_printf(e->mem, "%.*s %.*s%.*s", STR_ARG(transport), STR_ARG(nexthop), STR_ARG(r->extension));

    if (map_put(&e->routed, key_fold(name, e->mem), e) == NULL)
        *vec_add(&e->routes) = (route){ transport, nexthop, r->text, e->asked, e->sender };
}

void expansion_refuse(expansion *e, const recipient *r, unsigned code, fault f)
{
    expansion_step(e, "result", STR(""), r->key, 0, arena_copy(e->mem, str_c(f.text)));
    if (!is_fault(e->refused)) {
        e->refused = f;
        e->refused_code = code;
    }
    str reason = arena_printf(e->mem, "5.%s %s", f.status, f.text);
    *vec_add(&e->routes) = (route){ STR("error"), reason, r->text, e->asked, e->sender };
}

/* Whether the current node, or one that led to it, is this one. */
static bool is_ancestor(const expansion *e, size_t index)
{
    for (size_t i = e->at + 1; i; i = e->nodes.p[i - 1].parent)
        if (i == index)
            return true;
    return false;
}

bool expansion_is_within_limits(expansion *e, unsigned depth)
{
    const config *c = e->rules->config;

    if (e->nodes.n + e->programs < c->virtual_alias_expansion_limit && depth <= c->virtual_alias_recursion_limit)
        return true;
    expansion_defer(e, fault_make(FAULT_TRY_LATER, "4.6",
                                  "too many aliases: more than virtual_alias_expansion_limit or "
                                  "virtual_alias_recursion_limit allow"));
    return false;
}

void expansion_add(expansion *e, str path, bool is_final)
{
    node child = { path, e->at + 1, e->nodes.n ? e->nodes.p[e->at].depth + 1 : 0, is_final, e->sender };
    str key = arena_printf(e->mem, "%s%.*s", is_final ? "\\" : "", STR_ARG(key_fold(path, e->mem)));
    size_t before = (uintptr_t)map_get(&e->seen, key);

    if (before && !is_final && is_ancestor(e, before)) {
        expansion_defer(e, fault_make(FAULT_TRY_LATER, "4.6", "the aliases of %.*s go in a circle", STR_ARG(path)));
        return;
    }
    if (before || !expansion_is_within_limits(e, child.depth))
        return;
    *vec_add(&e->nodes) = child;
    map_put(&e->seen, key, (void *)(uintptr_t)e->nodes.n);
}

str address_complete(str member, str domain, arena *mem)
{
    size_t quotes = member.n && member.p[0] == '"';
    bool has_domain = str_find_last(member, '@') < member.n && !(quotes && member.p[member.n - 1] == '"');
    return has_domain ? member : arena_printf(mem, "%.*s@%.*s", STR_ARG(member), STR_ARG(domain));
}

str address_extend(expansion *e, const recipient *r, const char *from, str path)
{
    size_t at = str_find_last(path, '@');
    bool is_quoted = path.n && path.p[0] == '"';

    if (r->extension.n == 0 || is_quoted || !list_has(e->rules->config->propagate_unmatched_extensions, str_c(from)))
        return path;
    return arena_printf(e->mem, "%.*s%.*s%.*s", STR_ARG(str_upto(path, at)), STR_ARG(r->extension),
                        STR_ARG(str_from(path, at)));
}

/* "@other" keeps the local part; the extension that the key did not have goes on. */
static str virtual_member(expansion *e, const recipient *r, str member, bool key_has_extension)
{
    if (member.p[0] == '@')
        return arena_printf(e->mem, "%.*s%.*s", STR_ARG(r->local), STR_ARG(member));
    str path = address_complete(member, e->rules->config->myorigin, e->mem);
    return key_has_extension ? path : address_extend(e, r, "virtual", path);
}

static void virtual_members(expansion *e, const recipient *r, str value, bool key_has_extension)
{
    str member;

    while (alias_next(&value, e->mem, &member)) {
        str path = virtual_member(e, r, member, key_has_extension);
        recipient other;
        fault f;
        bool is_itself = recipient_read(e->rules, path, e->mem, &other, &f) && str_equal_nocase(other.key, r->key);
        expansion_add(e, path, is_itself);
    }
}

/* virtual(5). True: it is an alias. */
static bool virtual_expand(expansion *e, const recipient *r)
{
    recipient_keys keys;
    size_t at;
    str value;

    recipient_keys_make(e->rules, r, e->mem, &keys);
    table_result found =
        expansion_find(e, "virtual_alias_maps", &e->rules->virtual_alias_maps, keys.rows, keys.n, &value, &at);
    if (found == TABLE_FOUND)
        virtual_members(e, r, value, keys.is_whole[at]);
    return found != TABLE_ABSENT;
}

/* relocated(5): who has moved is told so. True: it is refused. */
static bool relocated_refuse(expansion *e, const recipient *r)
{
    recipient_keys keys;
    str value;
    size_t at;

    recipient_keys_make(e->rules, r, e->mem, &keys);
    table_result found =
        expansion_find(e, "relocated_maps", &e->rules->relocated_maps, keys.rows, keys.n, &value, &at);
    if (found == TABLE_FOUND)
        expansion_refuse(e, r, 550,
                         fault_make(FAULT_REFUSED, "1.6", "User has moved to %.*s", STR_ARG(str_upto(value, 180))));
    return found != TABLE_ABSENT;
}

static void refuse_elsewhere(expansion *e, const recipient *r)
{
    expansion_refuse(e, r, 550, fault_make(FAULT_REFUSED, "4.4", "mail for other systems is not carried by this one"));
}

static void node_look(expansion *e)
{
    const node now = e->nodes.p[e->at];
    recipient r;
    fault f;

    e->sender = now.sender;
    if (!recipient_read(e->rules, now.path, e->mem, &r, &f)) {
        expansion_defer(e, f);
        return;
    }
    if (r.local.n && !now.is_final && virtual_expand(e, &r))
        return;
    if (r.local.n && relocated_refuse(e, &r))
        return;
    switch (r.class) {
    case CLASS_LOCAL:
        if (now.is_final || !alias_expand(e, &r))
            mailbox_local(e, &r);
        break;
    case CLASS_VIRTUAL_ALIAS:
        expansion_refuse(e, &r, 550, fault_make(FAULT_REFUSED, "1.1", "User unknown in virtual alias table"));
        break;
    case CLASS_VIRTUAL_MAILBOX: mailbox_virtual(e, &r); break;
    default: refuse_elsewhere(e, &r); break;
    }
}

static bool has_real_route(const expansion *e)
{
    for (size_t i = 0; i < e->routes.n; i++)
        if (!str_equal(e->routes.p[i].transport, STR("error")))
            return true;
    return false;
}

/* All or nothing: one that must wait makes the whole recipient wait; none that can be reached refuses it. */
static void conclude(expansion *e, routes *out)
{
    *out = (routes){ .fault = NO_FAULT };
    if (e->waiting_for.p)
        out->waiting_for = e->waiting_for;
    else if (is_fault(e->later))
        out->fault = e->later;
    else if (is_fault(e->refused) && !has_real_route(e))
        out->fault = e->refused;
    else if (e->routes.n == 0)
        out->fault = fault_make(FAULT_TRY_LATER, "3.5", "the aliases of this address lead nowhere");
    out->code = out->fault.kind == FAULT_REFUSED ? e->refused_code : is_fault(out->fault) ? 451 : 250;
    if (is_fault(out->fault))
        expansion_step(e, "result", STR(""), e->asked, 0, arena_copy(e->mem, str_c(out->fault.text)));
    out->n = is_fault(out->fault) || out->waiting_for.p ? 0 : e->routes.n;
    out->rows = ARENA_ARRAY(e->mem, route, out->n + 1);
    memcpy(out->rows, e->routes.p ? e->routes.p : out->rows, out->n * sizeof *out->rows);
    out->step_count = e->steps.n;
    out->steps = ARENA_ARRAY(e->mem, policy_step, out->step_count + 1);
    memcpy(out->steps, e->steps.p ? e->steps.p : out->steps, out->step_count * sizeof *out->steps);
}

void policy_resolve(const policy_rules *rules, str path, arena *mem, routes *out)
{
    expansion e = { .rules = rules, .mem = mem, .asked = arena_copy(mem, path) };

    str first = rewrite_run(&e, REWRITE_ENVELOPE_RECIPIENT, false, e.asked);
    *vec_add(&e.nodes) = (node){ .path = first };
    map_put(&e.seen, key_fold(first, mem), (void *)(uintptr_t)1);
    for (; e.at < e.nodes.n && !is_fault(e.later) && e.waiting_for.p == NULL; e.at++)
        node_look(&e);
    conclude(&e, out);
    vec_free(&e.nodes);
    vec_free(&e.routes);
    vec_free(&e.steps);
    map_free(&e.seen);
    map_free(&e.routed);
}
