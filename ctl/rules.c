#include "ctl/rules.h"
#include "os/interfaces.h"
#include <pwd.h>
#include <stdlib.h>

/* [address] of this host is as good as its name (RFC 5321 4.1.3). */
static str own_addresses(void)
{
    buf out = buf_new(64 * 1024);
    interfaces_list(&out);
    return buf_str(&out);
}

static bool may_have_mail(const config *c, uint64_t uid, uint64_t gid)
{
    return uid >= c->minimum_uid && uid <= c->maximum_uid && gid != 0;
}

/* As auth answers: the user file first, then the accounts of the system where they are switched on. */
static user_result look_up(void *context, str name, arena *mem, str *out_name, fault *out_fault)
{
    const rules_view *v = context;
    const config *c = &v->parsed->base.config;
    const user *u = users_find(&v->users, name);
    str found = STR_NONE;
    if (is_fault(v->users_fault)) {
        *out_fault = v->users_fault;
        return USER_FAILED;
    }
    if (u && may_have_mail(c, u->uid, u->gid)) {
        found = u->name;
    } else if (u == NULL && c->system_users) {
        const struct passwd *p = getpwnam(arena_c(mem, name));
        if (p && !may_have_mail(c, p->pw_uid, p->pw_gid))
            return USER_NEEDS_ALIAS;
        if (p)
            found = str_c(p->pw_name);
    }
    if (found.p == NULL)
        return USER_ABSENT;
    if (out_name)
        *out_name = arena_copy(mem, found);
    return USER_FOUND;
}

static void users_open(rules_view *v, problems *ps)
{
    const config *c = &v->parsed->base.config;
    if (c->user_file.n == 0)
        return;
    v->users_fault = users_load(c->user_file.p, &v->users, ps);
    if (is_fault(v->users_fault))
        problem_warning(ps, c->user_file, 0, "%s", v->users_fault.text);
}

static void compile(rules_view *v, const config *c, str key, problems *ps)
{
    policy_rules *r = policy_compile(c, key.n ? key : STR("main.cf"), &v->world, ps);
    if (r == NULL)
        return;
    *vec_add(&v->rules) = r;
    *vec_add(&v->services) = key;
}

bool rules_open(rules_view *v, const parsed *p, problems *ps)
{
    const config *c = &p->base.config;
    size_t before = ps->error_count;
    *v = (rules_view){ .parsed = p };
    v->tables_context = (table_context){ .default_type = c->default_database_type };
    v->aliases_context = (table_context){ .default_type = c->default_database_type, .is_alias = true };
    v->tables.context = &v->tables_context;
    v->aliases.context = &v->aliases_context;
    v->own_addresses = own_addresses();
    users_open(v, ps);
    v->world = (policy_world){ .tables = &v->tables,
                               .alias_tables = &v->aliases,
                               .find_user = look_up,
                               .users = v,
                               .own_addresses = v->own_addresses };
    content_checks_open(c, &v->checks, ps);
    compile(v, c, STR_NONE, ps);
    for (size_t i = 0; i < p->services.rows.n; i++)
        if (p->services.rows.p[i].role == ROLE_SMTPD)
            compile(v, &p->of_services[i].config, p->services.rows.p[i].key, ps);
    return ps->error_count == before;
}

void rules_close(rules_view *v)
{
    for (size_t i = 0; i < v->rules.n; i++)
        policy_free(v->rules.p[i]);
    vec_free(&v->rules);
    vec_free(&v->services);
    content_checks_free(&v->checks);
    table_pool_free(&v->tables);
    table_pool_free(&v->aliases);
    users_free(&v->users);
    free((char *)(uintptr_t)v->own_addresses.p);
}

const policy_rules *rules_find(const rules_view *v, str of)
{
    for (size_t i = 0; i < v->services.n; i++) {
        str key = v->services.p[i];
        if (str_equal(key, of) || (of.n && str_equal(str_upto(key, str_find_last(key, '/')), of)))
            return v->rules.p[i];
    }
    return NULL;
}
