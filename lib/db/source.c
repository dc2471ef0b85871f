#include "db/source.h"
#include "base/map.h"
#include "conf/parser.h"
#include "db/table.h"
#include "mail/alias_list.h"

str key_fold(str key, arena *a)
{
    str out = arena_copy(a, key);
    char *p = (char *)(uintptr_t)out.p; /* ours since the line above */

    for (size_t i = 0; i < out.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + ('a' - 'A'));
    return out;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The length of the key as written. 0: there is none that ends. */
static size_t key_length(str line, source_format format)
{
    size_t n = 0;

    if (line.n && line.p[0] == '"')
        return quoted_run(line);
    while (n < line.n && !is_blank(line.p[n]) && !(format == SOURCE_ALIASES && line.p[n] == ':'))
        n++;
    return n;
}

/* NULL: *out has key and value; else what is wrong. */
static const char *entry_read(str line, source_format format, arena *a, source_entry *out)
{
    static const char *const wanted[] = { "expected \"key value\"", "expected \"name: value, value\"" };
    size_t n = key_length(line, format);
    str key = str_upto(line, n), rest = str_from(line, n);

    if (n == 0)
        return wanted[format];
    if (key.p[0] == '"')
        key = quoted_inside(key, a);
    if (format == SOURCE_ALIASES) {
        rest = str_trim(rest);
        if (rest.n == 0 || rest.p[0] != ':')
            return wanted[format];
        rest = str_from(rest, 1);
    } else if (rest.n && !is_blank(rest.p[0])) {
        return wanted[format];
    }
    out->value = str_trim(rest);
    out->key = key_fold(key, a);
    if (key.n == 0 || out->value.n == 0)
        return wanted[format];
    return key.n > TABLE_KEY_MAX || out->value.n > TABLE_VALUE_MAX ? "the entry is too long" : NULL;
}

static bool is_first(str file, const source_entry *e, map *lines, problems *ps)
{
    uintptr_t before = (uintptr_t)map_get(lines, e->key);

    if (before)
        problem_warning(ps, file, e->line, "\"%.*s\" stands in line %u already; this entry is left out",
                        STR_ARG(str_upto(e->key, 100)), (unsigned)before);
    else
        map_put(lines, e->key, (void *)(uintptr_t)e->line);
    return !before;
}

/* What newaliases says of members that could go nowhere. They are kept: the others are of use. */
static void members_check(str file, const source_entry *e, arena *a, problems *ps)
{
    str rest = e->value, member;

    while (alias_next(&rest, a, &member)) {
        alias_member m = alias_member_read(member, a);
        bool is_command = member.p[0] == '|';
        if (m.kind == MEMBER_BAD || (is_command && str_trim(str_from(member, 1)).n == 0))
            problem_warning(ps, file, e->line, "\"%.*s\" is neither an address nor a command, a file or a list (:include:/file)",
                            STR_ARG(str_upto(member, 100)));
    }
}

void source_read(str file, str text, source_format format, arena *a, source_list *out, problems *ps)
{
    map lines = { 0 };
    str line;
    unsigned number;

    *out = (source_list){ 0 };
    for (config_line_reader r = lines_of(text, a); line_next(&r, &line, &number);) {
        source_entry e = { .line = number };
        const char *wrong;
        if (is_blank(line.p[0]))
            wrong = "begins with white space, but there is no line before that it could continue";
        else if (str_has(line, '\0'))
            wrong = "has a NUL byte";
        else
            wrong = entry_read(line, format, a, &e);
        if (wrong)
            problem_error(ps, file, number, "%s", wrong);
        else if (is_first(file, &e, &lines, ps))
            *vec_add(&out->rows) = e;
        if (!wrong && format == SOURCE_ALIASES)
            members_check(file, &e, a, ps);
        if (!wrong && format == SOURCE_TABLE && e.key.p[e.key.n - 1] == ':')
            problem_warning(ps, file, number, "the key ends in a colon: is this a table in the format of aliases(5)?");
    }
    map_free(&lines);
}

void source_free(source_list *s)
{
    vec_free(&s->rows);
}
