#include "conf/scope.h"
#include "conf/expand.h"
#include <stdarg.h>
#include <stdio.h>

static const str domain_unknown = STR_ROW("localdomain");

/* Without its first label. */
static str domain_of(str host)
{
    size_t dot = str_find(host, '.');
    return dot + 1 < host.n ? str_from(host, dot + 1) : domain_unknown;
}

void host_defaults(str host_name, arena *a, str *out_name, str *out_domain)
{
    bool is_whole = str_has(host_name, '.');

    if (host_name.n == 0)
        host_name = STR("localhost");
    *out_name =
        is_whole ? arena_copy(a, host_name) : arena_printf(a, "%.*s.%.*s", STR_ARG(host_name), STR_ARG(domain_unknown));
    *out_domain = domain_of(*out_name);
}

static slot *slot_put(scope *s, str name, str raw)
{
    slot *at = map_get(&s->slots, name);
    if (at == NULL) {
        at = ARENA_NEW(&s->parsed->arena, slot);
        at->name = name;
        map_put(&s->slots, name, at);
    }
    at->raw = raw;
    return at;
}

static void slot_set(scope *s, str name, str raw, str file, unsigned line)
{
    slot *at = slot_put(s, name, raw);
    at->file = file;
    at->line = line;
    at->is_set = true;
}

void scope_open(scope *s, parsed *p, const service *over)
{
    *s = (scope){ .parsed = p, .over = over };
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        s->of[i] = slot_put(s, parameter_rows[i].name, parameter_rows[i].value);
        s->of[i]->row = &parameter_rows[i];
    }
    s->of[AT_config_directory]->raw = p->directory;
    for (size_t i = 0; i < p->main.rows.n; i++) {
        const setting *row = &p->main.rows.p[i];
        slot_set(s, row->name, row->value, p->main_file, row->line);
    }
    for (size_t i = 0; over && i < over->override_count; i++) {
        const service_override *o = &over->overrides[i];
        slot_set(s, o->name, o->value, p->master_file, o->line);
    }
}

void scope_close(scope *s)
{
    map_free(&s->slots);
}

slot *scope_find(const scope *s, str name)
{
    return map_get(&s->slots, name);
}

static str resolve(scope *s, slot *at, unsigned depth);

static bool lookup(void *context, str name, unsigned depth, str *out, fault *f)
{
    scope *s = context;
    slot *at = scope_find(s, name);

    if (at == NULL)
        return false;
    if (at->state == SLOT_BUSY)
        *f = fault_make(FAULT_REFUSED, "3.5", "$%.*s refers to itself", STR_ARG(str_upto(name, 100)));
    else
        *out = resolve(s, at, depth);
    return true;
}

/* Unset, myhostname and mydomain follow from each other, or else from the host's name. */
static str computed(scope *s, const slot *at, unsigned depth)
{
    slot *host = s->of[AT_myhostname], *domain = s->of[AT_mydomain];
    str name = s->parsed->host_name, first = str_upto(name, str_find(name, '.'));

    if (at == domain)
        return host->is_set && host->state != SLOT_BUSY ? domain_of(resolve(s, host, depth)) : s->parsed->domain;
    if (!domain->is_set || domain->state == SLOT_BUSY || !str_equal(s->parsed->domain, domain_unknown))
        return name;
    str rest = resolve(s, domain, depth);
    return arena_printf(&s->parsed->arena, "%.*s.%.*s", STR_ARG(first), STR_ARG(rest));
}

static str expanded(scope *s, slot *at, unsigned depth)
{
    buf text = buf_new(CONFIG_VALUE_MAX);
    fault f = expand(at->raw, lookup, s, depth, &text);
    str value = arena_copy(&s->parsed->arena, buf_str(&text));

    buf_free(&text);
    if (!is_fault(f) && s->parsed->arena.is_over)
        f = fault_make(FAULT_REFUSED, "3.5", "the configuration needs more than %d bytes", CONFIG_MEMORY_MAX);
    if (!is_fault(f))
        return value;
    problem_error(&s->parsed->problems, at->file, at->line, "%.*s: %s", STR_ARG(str_upto(at->name, 100)), f.text);
    at->state = SLOT_FAILED;
    return STR("");
}

static str resolve(scope *s, slot *at, unsigned depth)
{
    bool is_computed = !at->is_set && (at == s->of[AT_myhostname] || at == s->of[AT_mydomain]);

    if (at->state != SLOT_NEW)
        return at->value;
    at->state = SLOT_BUSY;
    if (is_computed)
        at->value = computed(s, at, depth + 1);
    else if (at == s->of[AT_config_directory] || (at->row && at->row->kind == PARAMETER_raw))
        at->value = at->raw;
    else
        at->value = expanded(s, at, depth);
    if (at->state == SLOT_BUSY)
        at->state = SLOT_DONE;
    return at->value;
}

str scope_value(scope *s, slot *at)
{
    return resolve(s, at, 0);
}

void scope_read(scope *s, config_values *out)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        slot *at = s->of[i];
        out->text[i] = resolve(s, at, 0);
        fault f = parameter_read(at->row, out->text[i], &s->parsed->arena, &out->config);
        if (is_fault(f) && at->state != SLOT_FAILED)
            scope_error(s, (parameter_index)i, "%s", f.text);
        /* One mistake is one problem: later checks see the default in its place. */
        if ((is_fault(f) || at->state == SLOT_FAILED) && !str_has(at->row->value, '$'))
            parameter_read(at->row, at->row->value, &s->parsed->arena, &out->config);
    }
    for (size_t i = 0; i < s->parsed->main.rows.n; i++)
        resolve(s, scope_find(s, s->parsed->main.rows.p[i].name), 0);
}

__attribute__((format(printf, 4, 0))) static void complain(scope *s, parameter_index at, bool is_warning,
                                                           const char *format, va_list args)
{
    char text[300];
    const slot *of = s->of[at];
    bool is_of_service = s->over && !of->is_set;
    str file = is_of_service ? s->parsed->master_file : of->file;
    unsigned line = is_of_service ? s->over->line : of->line;

    vsnprintf(text, sizeof text, format, args);
    if (is_warning)
        problem_warning(&s->parsed->problems, file, line, "%.*s: %s", STR_ARG(of->name), text);
    else
        problem_error(&s->parsed->problems, file, line, "%.*s: %s", STR_ARG(of->name), text);
}

void scope_error(scope *s, parameter_index at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(s, at, false, format, args);
    va_end(args);
}

void scope_warning(scope *s, parameter_index at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(s, at, true, format, args);
    va_end(args);
}
