/* Whose mail it is, once no alias applies any more. */
#include "conf/expand.h"
#include "policy/engine/expansion.h"

/* Of the first table of aliases. */
static str alias_file(const expansion *e)
{
    str maps = e->rules->config->alias_maps, word = STR_NONE;
    str_word(&maps, " ,\t\n", &word);
    return str_has(word, ':') ? str_from(word, str_find(word, ':') + 1) : word;
}

/* What root is told must help root. */
static void alias_needed(expansion *e, str name)
{
    str file = alias_file(e);
    bool is_file = file.n && file.p[0] == '/';
    name = str_upto(name, 40);
    expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5", "%.*s has no mailbox: add an alias for %.*s to %.*s%s", STR_ARG(name),
                                  STR_ARG(name), STR_ARG(is_file ? str_upto(file, 80) : STR("alias_maps")),
                                  is_file ? ", then run newaliases" : ""));
}

/* Asks for the names in turn. *out_name: as the user file has it. */
static user_result users_find_first(expansion *e, const str *names, size_t n, str *out_name)
{
    const policy_world *world = e->rules->world;
    fault f = NO_FAULT;

    for (size_t i = 0; i < n; i++) {
        str name = STR_NONE;
        user_result r = world->find_user(world->users, names[i], e->mem, &name, &f);
        if (r == USER_ABSENT)
            continue;
        if (r == USER_WAIT)
            e->waiting_for = arena_copy(e->mem, names[i]);
        if (r == USER_FAILED)
            expansion_defer(e, is_fault(f) ? f : fault_make(FAULT_TRY_LATER, "3.0", "users cannot be looked up"));
        if (r == USER_NEEDS_ALIAS)
            alias_needed(e, names[i]);
        *out_name = name.p ? name : names[i];
        expansion_step(e, "users", STR(""), names[i], 0,
                       r == USER_FOUND  ? *out_name
                       : r == USER_WAIT ? STR("not known yet")
                       : r == USER_NEEDS_ALIAS ? STR("an account of the system: needs an alias")
                                               : STR("the look-up failed"));
        return r;
    }
    return USER_ABSENT;
}

/* What $name stands for in luser_relay. */
typedef struct luser {
    const expansion *e;
    const recipient *recipient;
} luser;

static bool luser_lookup(void *context, str name, unsigned depth, str *out, fault *f)
{
    const luser *l = context;
    const recipient *r = l->recipient;
    const struct {
        str name, value;
    } rows[] = {
        { STR("user"), r->user },     { STR("local"), r->local }, { STR("extension"), str_from(r->extension, 1) },
        { STR("domain"), r->domain }, { STR("recipient"), r->key }, { STR("original_recipient"), l->e->asked },
        { STR("recipient_delimiter"), str_upto(r->extension, 1) },
    };

    (void)depth;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!str_equal(rows[i].name, name))
            continue;
        *out = rows[i].value;
        return true;
    }
    *f = fault_make(FAULT_REFUSED, "3.5", "$%.*s stands for nothing", STR_ARG(str_upto(name, 40)));
    return false;
}

/* What comes of it is an address, whatever the recipient's name holds. True: it went there. */
static bool luser_relay(expansion *e, const recipient *r)
{
    str to = e->rules->config->luser_relay;
    luser l = { e, r };
    buf path = buf_new(1024);

    if (to.n == 0)
        return false;
    fault f = expand(to, luser_lookup, &l, 0, &path);
    if (is_fault(f) || path.overflow || path.n == 0) {
        expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5", "luser_relay: %s", is_fault(f) ? f.text : "no address"));
    } else {
        str whole = address_complete(arena_copy(e->mem, buf_str(&path)), e->rules->config->myorigin, e->mem);
        expansion_step(e, "luser_relay", STR(""), r->key, 0, whole);
        expansion_add(e, whole, false);
    }
    buf_free(&path);
    return true;
}

static void user_absent(expansion *e, const recipient *r)
{
    const policy_rules *rules = e->rules;
    fault unknown = fault_make(FAULT_REFUSED, "1.1", "User unknown in local recipient table");
    unsigned code = (unsigned)rules->config->unknown_local_recipient_reject_code;
    recipient_keys keys;
    str value;
    size_t at;

    if (str_equal_nocase(r->user, STR("postmaster")) || str_equal_nocase(r->user, STR("root"))) {
        alias_needed(e, r->user);
        return;
    }
    if (rules->config->local_recipient_maps.n == 0) {
        /* Any name is accepted here, by configuration; it fails later. */
        expansion_step(e, "local_recipient_maps", STR(""), r->key, 0, STR("empty: any name is accepted"));
        if (!luser_relay(e, r))
            *vec_add(&e->routes) = (route){ STR("error"), STR("5.1.1 User unknown"), r->text, e->asked, e->sender };
        return;
    }
    recipient_keys_make(rules, r, e->mem, &keys);
    table_result found = expansion_find(e, "local_recipient_maps", &rules->local_recipient_maps, keys.rows, keys.n, &value, &at);
    if (found == TABLE_FOUND && !luser_relay(e, r))
        expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5",
                                      "%.*s stands in local_recipient_maps, but is neither an alias "
                                      "nor a user",
                                      STR_ARG(str_upto(r->local, 60))));
    else if (found == TABLE_ABSENT)
        expansion_refuse(e, r, code, unknown);
}

void mailbox_local(expansion *e, const recipient *r)
{
    const str names[] = { r->local, r->user };
    str user;

    user_result found = users_find_first(e, names, r->extension.n ? 2 : 1, &user);
    if (found == USER_FOUND)
        expansion_route(e, r, STR("local"), user);
    else if (found == USER_ABSENT)
        user_absent(e, r);
}

typedef struct names {
    str rows[5];
    size_t n;
} names;

/* The whole address first, then the bare name; each with its extension first. */
static void names_of(expansion *e, const recipient *r, names *out)
{
    out->rows[out->n++] = r->key;
    if (r->extension.n)
        out->rows[out->n++] = arena_printf(e->mem, "%.*s@%.*s", STR_ARG(r->user), STR_ARG(r->domain));
    out->rows[out->n++] = r->local;
    if (r->extension.n)
        out->rows[out->n++] = r->user;
}

/* virtual_mailbox_maps: an entry makes the recipient exist. Its value is the name of a user of the user file, when
 * there is such a user; any other value (a mailbox path, as other systems have it) leaves it to the address. */
void mailbox_virtual(expansion *e, const recipient *r)
{
    str keys[3];
    size_t n = 0, at;
    str value = STR(""), user;
    names who = { .n = 0 };

    keys[n++] = r->key;
    if (r->extension.n)
        keys[n++] = arena_printf(e->mem, "%.*s@%.*s", STR_ARG(r->user), STR_ARG(r->domain));
    keys[n++] = arena_printf(e->mem, "@%.*s", STR_ARG(r->domain));
    table_result listed =
        expansion_find(e, "virtual_mailbox_maps", &e->rules->virtual_mailbox_maps, keys, n, &value, &at);
    if (listed == TABLE_FAILED)
        return;
    if (listed == TABLE_FOUND && value.n && !str_has(value, '/'))
        who.rows[who.n++] = value;
    names_of(e, r, &who);

    user_result found = users_find_first(e, who.rows, who.n, &user);
    if (found == USER_FOUND)
        expansion_route(e, r, STR("local"), user);
    else if (found == USER_ABSENT && listed == TABLE_FOUND)
        expansion_defer(e, fault_make(FAULT_TRY_LATER, "3.5",
                                      "%.*s stands in virtual_mailbox_maps, but there is no such user",
                                      STR_ARG(str_upto(r->key, 100))));
    else if (found == USER_ABSENT)
        expansion_refuse(e, r, (unsigned)e->rules->config->unknown_virtual_mailbox_reject_code,
                         fault_make(FAULT_REFUSED, "1.1", "User unknown in virtual mailbox table"));
}
