/* postrider config: parameters as they are set, as they are by default, as they are in effect; and setting one. Runs in: postrider. */
#include "conf/config.h"
#include "conf/edit.h"
#include "conf/listing.h"
#include "ctl/commands.h"
#include <stdio.h>

typedef struct wishes {
    bool set, defaults, expanded, bare, edit, help;
    const char *service;
} wishes;

static int edit(const invocation *in)
{
    for (int i = 0; i < in->argc; i++) {
        str name, value;
        if (!setting_split(str_c(in->argv[i]), &name, &value)) {
            fprintf(stderr, "postrider config: not NAME=VALUE: %s\n", in->argv[i]);
            return EX_USAGE;
        }
        arena a = arena_new(0);
        fault f = config_set(arena_printf(&a, "%s/main.cf", in->directory).p, name, value);
        arena_free(&a);
        if (is_fault(f))
            return command_fault(in, f);
    }
    return EXIT_DONE;
}

/* What a service changes, and with names their values there. */
static int service_show(invocation *in, const char *key)
{
    parsed *p = &in->parsed;
    for (size_t i = 0; i < p->services.rows.n; i++) {
        const service *s = &p->services.rows.p[i];
        if (!str_equal(s->key, str_c(key)) && !str_equal(s->name, str_c(key)))
            continue;
        for (size_t k = 0; k < s->override_count && in->argc == 0; k++)
            printf("%.*s = %.*s\n", STR_ARG(s->overrides[k].name), STR_ARG(s->overrides[k].value));
        for (int k = 0; k < in->argc; k++) {
            const parameter *row = parameter_find(str_c(in->argv[k]));
            if (row == NULL)
                return command_fault(in, fault_make(FAULT_REFUSED, "3.5", "%s is not a parameter", in->argv[k]));
            printf("%.*s = %.*s\n", STR_ARG(row->name), STR_ARG(p->of_services[i].text[row - parameter_rows]));
        }
        return EXIT_DONE;
    }
    return command_fault(in, fault_make(FAULT_REFUSED, "3.5", "there is no service %s in master.cf", key));
}

static int bare_show(invocation *in, listing kind)
{
    for (int i = 0; i < in->argc; i++) {
        buf out = buf_new(CONFIG_VALUE_MAX + 16);
        fault f = config_value(&in->parsed, kind, str_c(in->argv[i]), &out);
        if (!is_fault(f))
            printf("%.*s\n", STR_ARG(str_trim(buf_str(&out))));
        buf_free(&out);
        if (is_fault(f))
            return command_fault(in, f);
    }
    return EXIT_DONE;
}

static int list(invocation *in, listing kind)
{
    buf out = buf_new(CONFIG_MEMORY_MAX);
    str *names = memory_get(((size_t)in->argc + 1) * sizeof *names);
    for (int i = 0; i < in->argc; i++)
        names[i] = str_c(in->argv[i]);
    fault f = config_list(&in->parsed, kind, names, (size_t)in->argc, &out);
    fwrite(buf_c(&out), 1, out.n, stdout);
    buf_free(&out);
    free(names);
    return command_fault(in, f);
}

/* What main.cf(5) says of each. */
static int help_show(const invocation *in)
{
    for (int i = 0; i < in->argc; i++) {
        const parameter *p = parameter_find(str_c(in->argv[i]));
        arena a = arena_new(0);
        str nearest = STR_NONE, line;
        if (p == NULL) {
            bool is_near = parameter_nearest(str_c(in->argv[i]), &nearest);
            arena_free(&a);
            return command_fault(in,
                                 fault_make(FAULT_REFUSED, "3.5", "%.60s is not a parameter%s%.*s%s", in->argv[i],
                                            is_near ? "; did you mean " : "", STR_ARG(nearest), is_near ? "?" : ""));
        }
        printf("%.*s (default: %.*s)\n", STR_ARG(p->name), STR_ARG(p->value));
        for (str rest = parameter_text(p, &a); str_cut(&rest, '\n', &line);)
            printf("    %.*s\n", STR_ARG(line));
        arena_free(&a);
    }
    return EXIT_DONE;
}

int command_config_verb(invocation *in)
{
    wishes w = { 0 };
    const option_row rows[] = {
        { "set", 'n', &w.set, NULL },    { "defaults", 'd', &w.defaults, NULL }, { "expanded", 'x', &w.expanded, NULL },
        { "value", 'h', &w.bare, NULL }, { "edit", 'e', &w.edit, NULL },         { "service", 's', NULL, &w.service },
        { "help", 0, &w.help, NULL },
    };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 10000))
        return EX_USAGE;
    if (w.set + w.defaults + w.expanded + w.edit > 1)
        return command_usage(in);
    if (w.help)
        return in->argc ? help_show(in) : command_usage(in);
    if (w.edit || (in->argc && strchr(in->argv[0], '=')))
        return in->argc ? edit(in) : command_usage(in);
    if (command_config(in, false) == NULL)
        return EX_CONFIG;
    if (w.service)
        return service_show(in, w.service);
    listing kind = w.set ? LIST_SET : w.defaults ? LIST_DEFAULTS : w.expanded ? LIST_EXPANDED : LIST_ALL;
    return w.bare ? bare_show(in, kind) : list(in, kind);
}
