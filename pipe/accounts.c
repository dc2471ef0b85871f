/* Who may act for aliases: default_privs and the owners of the tables. No other name that begins with '#' means anything, whatever
 * a request says. Runs in: pipe, before it is confined and at a reload. */
#include "base/log.h"
#include "base/memory.h"
#include "db/table.h"
#include "pipe/pipe.h"
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static void account_add(carrier *c, str key, const struct passwd *p)
{
    arena *a = &c->arena;
    if (account_find(c, key))
        return;
    *vec_add(&c->accounts) = (account){ .key = key,
                                        .name = arena_copy(a, str_c(p->pw_name)),
                                        .home = arena_copy(a, str_c(p->pw_dir)),
                                        .shell = arena_copy(a, str_c(p->pw_shell)),
                                        .uid = p->pw_uid,
                                        .gid = p->pw_gid };
}

/* Without root everybody is the caller. */
static void own_account_add(carrier *c, str key)
{
    char home[] = "/", shell[] = "/bin/sh", name[32];
    const struct passwd *p = getpwuid(geteuid());
    struct passwd own = { .pw_name = name, .pw_dir = home, .pw_shell = shell, .pw_uid = geteuid(), .pw_gid = getegid() };
    memcpy(name, "mail", sizeof "mail");
    account_add(c, key, p ? p : &own);
}

static void owner_add(carrier *c, uid_t uid)
{
    const config *conf = daemon_config(c->process);
    str key = arena_printf(&c->arena, "#%u", uid);
    const struct passwd *p;
    if (uid < conf->minimum_uid || uid > conf->maximum_uid)
        return;
    if (!c->process->identity.is_privileged)
        own_account_add(c, key);
    else if ((p = getpwuid(uid)) != NULL)
        account_add(c, key, p);
    else
        log_event(LOG_WARNING, "no-account", LOG_NUM("uid", uid),
                  LOG_C("reason", "owns a table of alias_maps, but there is no account of that uid"));
}

static void owners_add(carrier *c)
{
    const config *conf = daemon_config(c->process);
    table_context context = { .default_type = conf->default_database_type, .is_alias = true };
    str rest = conf->alias_maps, word;
    while (table_word_next(&rest, &word)) {
        table *t;
        uid_t uid;
        table_open(word, &context, &t);
        if (t && table_owner(t, &uid))
            owner_add(c, uid);
        table_close(t);
    }
}

bool accounts_load(carrier *c)
{
    const config *conf = daemon_config(c->process);
    accounts_free(c);
    str key = arena_printf(&c->arena, "#%.*s", STR_ARG(conf->default_privs));
    const struct passwd *p = getpwnam(arena_c(&c->arena, conf->default_privs));
    if (!c->process->identity.is_privileged)
        own_account_add(c, key);
    else if (p && p->pw_uid != 0)
        account_add(c, key, p);
    else
        log_event(LOG_ERROR, "no-account", LOG_STR("default_privs", conf->default_privs),
                  LOG_C("reason", p ? "is root" : "there is no such account"));
    bool has_default = c->accounts.n > 0;
    owners_add(c);
    return has_default;
}

const account *account_find(const carrier *c, str key)
{
    for (size_t i = 0; i < c->accounts.n; i++)
        if (str_equal(c->accounts.p[i].key, key))
            return &c->accounts.p[i];
    return NULL;
}

void accounts_free(carrier *c)
{
    vec_free(&c->accounts);
    arena_free(&c->arena);
    c->arena = arena_new(0);
}
