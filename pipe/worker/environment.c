#include "pipe/worker/environment.h"
#include <paths.h>

typedef struct variables {
    arena *arena;
    str filter;
    char **p;
    size_t n, max;
} variables;

static char *put(variables *v, const char *name, str value)
{
    char *entry = (char *)(uintptr_t)arena_printf(v->arena, "%s=%.*s", name, STR_ARG(value)).p;
    if (v->n < v->max)
        v->p[v->n++] = entry;
    return entry + strlen(name) + 1;
}

/* Whatever the filter does not name becomes an underscore. */
static void put_filtered(variables *v, const char *name, str value)
{
    for (char *c = put(v, name, value); *c; c++)
        if (!str_has(v->filter, *c))
            *c = '_';
}

/* A NUL would end the variable before its rest is filtered. */
static str without_nul(str s)
{
    return str_upto(s, str_find(s, '\0'));
}

static size_t delimiter_at(str local, str delimiters)
{
    size_t n = local.n ? 1 : 0;
    while (n < local.n && !str_has(delimiters, local.p[n]))
        n++;
    return n;
}

static void put_recipient(variables *v, const deliver_request *m, str delimiters)
{
    size_t at = str_find_last(m->recipient, '@');
    str local = str_upto(m->recipient, at);
    put_filtered(v, "RECIPIENT", without_nul(m->recipient));
    put_filtered(v, "ORIGINAL_RECIPIENT", without_nul(m->original));
    put_filtered(v, "LOCAL", without_nul(local));
    put_filtered(v, "DOMAIN", without_nul(str_from(m->recipient, at + 1)));
    put_filtered(v, "EXTENSION", without_nul(str_from(local, delimiter_at(local, delimiters) + 1)));
}

static void put_client(variables *v, const deliver_request *m)
{
    put_filtered(v, "CLIENT_HOSTNAME", without_nul(m->client_name));
    put_filtered(v, "CLIENT_ADDRESS", without_nul(m->client_address));
    put_filtered(v, "CLIENT_HELO", without_nul(m->helo));
    put_filtered(v, "CLIENT_PROTOCOL", without_nul(m->protocol));
    put_filtered(v, "SASL_USERNAME", without_nul(m->login));
}

char **environment_make(const deliver_request *m, const program_rules *rules, str home, arena *a)
{
    variables v = { .arena = a, .filter = rules->filter, .max = 24 };
    v.p = ARENA_ARRAY(a, char *, v.max + 1);
    put(&v, "PATH", STR(_PATH_DEFPATH));
    put(&v, "HOME", home);
    put(&v, "USER", rules->account);
    put(&v, "LOGNAME", rules->account);
    put(&v, "SHELL", rules->shell);
    put_filtered(&v, "SENDER", without_nul(m->reverse_path));
    put_recipient(&v, m, rules->delimiters);
    put_client(&v, m);
    return v.p;
}
