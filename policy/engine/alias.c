/* aliases(5): members that are addresses are looked at in their turn; a command, a file or a list of addresses in a file
 * becomes a route of transport pipe to whoever owns the table. Runs in: policy. */
#include "conf/list.h"
#include "mail/alias_list.h"
#include "policy/engine/expansion.h"

/* NULL: an address. */
static const char *program_kind(str member)
{
    switch (member.p[0]) {
    case '|': return "commands";
    case '/': return "files";
    default: return str_starts_nocase(member, STR(":include:")) ? "lists" : NULL;
    }
}

static bool is_allowed(const config *c, str member)
{
    return (member.p[0] != '|' || list_has(c->allow_mail_to_commands, STR("alias"))) &&
           (member.p[0] != '/' || list_has(c->allow_mail_to_files, STR("alias")));
}

/* "#1000" or "#nobody": no name of a user begins so. The table's owner, unless it is an account of the system. */
static str acting_user(const expansion *e)
{
    const config *c = e->rules->config;
    uid_t owner;

    if (table_owner(e->found_in, &owner) && owner >= c->minimum_uid && owner <= c->maximum_uid)
        return arena_printf(e->mem, "#%u", owner);
    return arena_printf(e->mem, "#%.*s", STR_ARG(c->default_privs));
}

static const char *program_fault(str member)
{
    if (member.p[0] == '|')
        return str_trim(str_from(member, 1)).n ? NULL : "an empty command";
    if (member.p[0] == ':')
        return str_starts(str_from(member, 9), STR("/")) ? NULL : "a list that is no absolute path";
    return str_has(member, '\0') ? "a file whose name has a NUL byte" : NULL;
}

static void program_add(expansion *e, const recipient *r, str name, str member, const char *kind)
{
    const char *wrong = program_fault(member);

    if (wrong) {
        expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5", "the alias %.*s names %s", STR_ARG(str_upto(name, 60)), wrong));
        return;
    }
    if (!is_allowed(e->rules->config, member)) {
        expansion_refuse(e, r, 550, fault_make(FAULT_REFUSED, "7.1", "mail to %s is restricted", kind));
        return;
    }
    if (!expansion_is_within_limits(e, 0))
        return;
    e->programs++;
    str nexthop = arena_printf(e->mem, "%.*s %.*s", STR_ARG(acting_user(e)), STR_ARG(member));
    expansion_step(e, "alias_maps", STR(""), name, 0, arena_printf(e->mem, "as %.*s", STR_ARG(nexthop)));
    expansion_route(e, r, STR("pipe"), nexthop);
}

static void address_add(expansion *e, const recipient *r, str name, str member, bool key_has_extension)
{
    bool is_final = member.p[0] == '\\';
    str path = address_complete(str_from(member, is_final), r->domain, e->mem);
    recipient other;
    fault f;

    if (!key_has_extension && !is_final)
        path = address_extend(e, r, "alias", path);
    bool is_itself = recipient_read(e->rules, path, e->mem, &other, &f) && other.class == CLASS_LOCAL &&
                     (str_equal_nocase(other.local, name) || str_equal_nocase(other.local, r->local));
    expansion_add(e, path, is_final || is_itself);
}

static bool is_one_address(str value, arena *mem, str *out)
{
    str more;
    return alias_next(&value, mem, out) && !alias_next(&value, mem, &more) && !program_kind(*out);
}

/* owner-NAME: who hears when mail to the members of NAME fails. */
static void owner_set(expansion *e, const recipient *r, str name)
{
    const config *c = e->rules->config;
    const str key = arena_printf(e->mem, "owner-%.*s", STR_ARG(name));
    str value, one = key;
    size_t at;

    if (!c->owner_request_special ||
        expansion_find(e, "alias_maps", &e->rules->alias_maps, &key, 1, &value, &at) != TABLE_FOUND)
        return;
    if (!c->expand_owner_alias || !is_one_address(value, e->mem, &one))
        one = key;
    e->sender = address_complete(str_from(one, one.p[0] == '\\'), r->domain, e->mem);
    expansion_step(e, "owner", STR(""), name, 0, e->sender);
}

/* The local part with its extension, then without. */
bool alias_expand(expansion *e, const recipient *r)
{
    const str keys[] = { r->local, r->user };
    size_t at;
    str value, member;

    table_result found =
        expansion_find(e, "alias_maps", &e->rules->alias_maps, keys, r->extension.n ? 2 : 1, &value, &at);
    if (found != TABLE_FOUND)
        return found != TABLE_ABSENT;
    table *found_in = e->found_in;
    owner_set(e, r, keys[at]);
    e->found_in = found_in;
    while (alias_next(&value, e->mem, &member)) {
        const char *kind = program_kind(member);
        if (kind)
            program_add(e, r, keys[at], member, kind);
        else
            address_add(e, r, keys[at], member, at == 0);
    }
    return true;
}
