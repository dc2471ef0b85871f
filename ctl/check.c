#include "ctl/check.h"
#include "conf/list.h"
#include "ctl/commands.h"
#include "ctl/common/open.h"
#include "db/map_build.h"
#include "os/file.h"
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

static void stale_say(checking *c, str spec, const table_context *context, const char *how)
{
    bool is_stale = false;
    fault f = map_is_stale(spec, context, &is_stale);
    spec = arena_copy(c->problems->arena, spec); /* the table may be gone when the problems are read */
    if (is_fault(f) && f.kind == FAULT_TRY_LATER)
        problem_warning(c->problems, spec, 0, "%s", f.text);
    else if (!is_fault(f) && is_stale)
        problem_warning(c->problems, spec, 0, "the index is older than its text, or is not there: run `%s`", how);
}

static void check_tables(checking *c)
{
    str rest = c->config->alias_database, word;
    for (size_t i = 0; i < c->rules.tables.tables.n; i++)
        stale_say(c, table_name(c->rules.tables.tables.p[i]), &c->rules.tables_context, "postrider map build");
    for (size_t i = 0; i < c->rules.aliases.tables.n; i++)
        stale_say(c, table_name(c->rules.aliases.tables.p[i]), &c->rules.aliases_context, "newaliases");
    while (table_word_next(&rest, &word))
        if (!list_has(c->config->alias_maps, word))
            stale_say(c, word, &c->rules.aliases_context, "newaliases");
}

static void check_users(checking *c)
{
    for (size_t i = 0; i < c->rules.users.rows.n; i++) {
        const user *u = c->rules.users.rows.p[i];
        if (u->uid < c->config->minimum_uid || u->uid > c->config->maximum_uid)
            problem_warning(c->problems, c->config->user_file, u->line,
                            "%.*s has no mail: uid %u is not within minimum_uid and maximum_uid", STR_ARG(u->name),
                            u->uid);
        else if (u->gid == 0)
            problem_warning(c->problems, c->config->user_file, u->line, "%.*s has no mail: its gid is 0",
                            STR_ARG(u->name));
        else if (u->home.n == 0 && !(u->mail.n && u->mail.p[0] == '/'))
            problem_warning(c->problems, c->config->user_file, u->line,
                            "%.*s has no mail: there is neither a home nor a mail folder", STR_ARG(u->name));
    }
}

/* RFC 5321 4.5.1 asks for postmaster; programs of the host write to root, as whom no mail is ever delivered. */
static void check_root_mail(checking *c)
{
    static const char *const names[] = { "postmaster", "root" };
    const policy_rules *rules = rules_find(&c->rules, STR_NONE);
    for (size_t i = 0; i < COUNT_OF(names) && rules; i++) {
        arena a = arena_new(0);
        routes to;
        policy_resolve(rules, arena_printf(&a, "%s@%.*s", names[i], STR_ARG(c->config->myhostname)), &a, &to);
        if (is_fault(to.fault))
            problem_warning(c->problems, c->config->alias_maps, 0, "mail for %s goes nowhere (%s): add an alias for it",
                            names[i], to.fault.text);
        arena_free(&a);
    }
}

/* Without it a user could leave another's file in the drop folder (CONFINEMENT). */
static void check_kernel(checking *c)
{
    static const char path[] = "/proc/sys/fs/protected_hardlinks";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char value = '1';
    if (fd >= 0 && read(fd, &value, 1) == 1 && value == '0')
        problem_warning(c->problems, str_c(path), 0, "is 0: users may link to files of others; set it to 1");
    if (fd >= 0)
        close(fd);
}

static void (*const checks[])(checking *c) = { check_tables,        check_users,     check_modes,
                                               check_queue_folders, check_keys,      check_programs,
                                               check_accounts,      check_root_mail, check_kernel,
                                               check_templates,     check_spool };

static void json_print(const problems *ps)
{
    json_t *all = json_array();
    for (size_t i = 0; i < ps->rows.n; i++) {
        const problem *p = &ps->rows.p[i];
        json_array_append_new(all, json_pack("{s:s%, s:i, s:s, s:s%}", "file", p->file.p ? p->file.p : "", p->file.n,
                                             "line", (int)p->line, "severity", p->is_warning ? "warning" : "error",
                                             "text", p->text.p, p->text.n));
    }
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

static void result_print(const invocation *in, const problems *ps, bool is_json)
{
    if (is_json) {
        json_print(ps);
        return;
    }
    arena a = arena_new(0);
    str words = problems_text(ps, &a);
    fwrite(words.p, 1, words.n, stdout);
    if (ps->error_count + ps->warning_count)
        printf("%zu errors, %zu warnings in %s\n", ps->error_count, ps->warning_count, in->directory);
    else
        printf("%s: nothing wrong was found\n", in->directory);
    arena_free(&a);
}

int command_check(invocation *in)
{
    bool is_json = false;
    const option_row rows[] = { { "json", 'j', &is_json, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    checking c = { .parsed = &in->parsed, .problems = &in->parsed.problems, .is_root = geteuid() == 0 };
    if (config_open(in->directory, false, &in->parsed)) {
        c.config = &in->parsed.base.config;
        rules_open(&c.rules, &in->parsed, c.problems);
        for (size_t i = 0; i < COUNT_OF(checks); i++)
            checks[i](&c);
        rules_close(&c.rules);
    }
    result_print(in, c.problems, is_json);
    return c.problems->error_count ? EX_CONFIG : EXIT_DONE;
}
