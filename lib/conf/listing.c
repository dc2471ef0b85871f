#include "conf/listing.h"
#include "conf/scope.h"

static fault unknown(str name)
{
    str nearest;
    if (parameter_nearest(name, &nearest))
        return fault_make(FAULT_REFUSED, "3.5", "%.*s is not a parameter; did you mean %.*s?",
                          STR_ARG(str_upto(name, 80)), STR_ARG(nearest));
    return fault_make(FAULT_REFUSED, "3.5", "%.*s is not a parameter", STR_ARG(str_upto(name, 80)));
}

static str default_of(const parsed *p, const slot *at)
{
    switch (at->row - parameter_rows) {
    case AT_config_directory: return p->directory;
    case AT_myhostname: return p->host_name;
    case AT_mydomain: return p->domain;
    }
    return at->row->value;
}

/* False: there is none of that kind. */
static bool value_find(scope *s, slot *at, listing kind, str *out)
{
    if ((kind == LIST_SET && !at->is_set) || (kind == LIST_DEFAULTS && at->row == NULL))
        return false;
    if (kind == LIST_EXPANDED)
        *out = scope_value(s, at);
    else
        *out = at->is_set && kind != LIST_DEFAULTS ? at->raw : default_of(s->parsed, at);
    return true;
}

static int compare(const void *a, const void *b)
{
    return str_compare((*(slot *const *)a)->name, (*(slot *const *)b)->name);
}

static void line_append(scope *s, slot *at, listing kind, buf *out)
{
    str value;
    if (value_find(s, at, kind, &value))
        buf_printf(out, value.n ? "%.*s = %.*s\n" : "%.*s =%.*s\n", STR_ARG(at->name), STR_ARG(value));
}

static void list_all(scope *s, listing kind, buf *out)
{
    VEC(slot *) all = { 0 };
    map_entry e;

    for (size_t cursor = 0; map_next(&s->slots, &cursor, &e);)
        *vec_add(&all) = e.value;
    qsort(all.p, all.n, sizeof *all.p, compare);
    for (size_t i = 0; i < all.n; i++)
        line_append(s, all.p[i], kind, out);
    vec_free(&all);
}

static fault list_some(scope *s, listing kind, const str *names, size_t name_count, buf *out)
{
    fault f = NO_FAULT;
    VEC(slot *) some = { 0 };

    for (size_t i = 0; i < name_count; i++) {
        slot *at = scope_find(s, names[i]);
        if (at)
            *vec_add(&some) = at;
        else
            f = unknown(names[i]);
    }
    if (some.n)
        qsort(some.p, some.n, sizeof *some.p, compare);
    for (size_t i = 0; i < some.n; i++)
        line_append(s, some.p[i], kind, out);
    vec_free(&some);
    return f;
}

fault config_list(parsed *p, listing kind, const str *names, size_t name_count, buf *out)
{
    scope s;
    fault f = NO_FAULT;

    scope_open(&s, p, NULL);
    if (name_count)
        f = list_some(&s, kind, names, name_count, out);
    else
        list_all(&s, kind, out);
    scope_close(&s);
    return f;
}

fault config_value(parsed *p, listing kind, str name, buf *out)
{
    scope s;
    str value = STR_NONE;

    scope_open(&s, p, NULL);
    slot *at = scope_find(&s, name);
    if (at && value_find(&s, at, kind, &value))
        buf_append(out, value);
    scope_close(&s);
    return at ? NO_FAULT : unknown(name);
}
