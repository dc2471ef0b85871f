#include "db/source.h"
#include "base/map.h"
#include "conf/parser.h"
#include "db/table.h"

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

/* The end of a quoted run that begins at text.p[0] == '"', behind its closing quote; 0 when it does not close. */
static size_t quoted_length(str text)
{
    for (size_t i = 1; i < text.n; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            return i + 1;
    }
    return 0;
}

/* The inside of "…" with its backslashes taken off. */
static str unquote(str quoted, arena *a)
{
    char *p = arena_get(a, quoted.n + 1);
    size_t n = 0;

    for (size_t i = 1; i + 1 < quoted.n; i++) {
        if (quoted.p[i] == '\\' && i + 2 < quoted.n)
            i++;
        p[n++] = quoted.p[i];
    }
    return (str){ p, n };
}

/* The length of the key as written. 0: there is none that ends. */
static size_t key_length(str line, source_format format)
{
    size_t n = 0;

    if (line.n && line.p[0] == '"')
        return quoted_length(line);
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
        key = unquote(key, a);
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
        if (!wrong && format == SOURCE_TABLE && e.key.p[e.key.n - 1] == ':')
            problem_warning(ps, file, number, "the key ends in a colon: is this a table in the format of aliases(5)?");
    }
    map_free(&lines);
}

void source_free(source_list *s)
{
    vec_free(&s->rows);
}

/* The bytes up to the comma that ends the member: one outside quotes. */
static size_t member_length(str rest)
{
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == ',')
            return i;
        if (rest.p[i] == '"') {
            size_t n = quoted_length(str_from(rest, i));
            if (n == 0)
                return rest.n;
            i += n - 1;
        }
    }
    return rest.n;
}

bool alias_next(str *rest, arena *a, str *out)
{
    while (rest->n) {
        size_t n = member_length(*rest);
        str member = str_trim(str_upto(*rest, n));
        *rest = str_from(*rest, n + 1);
        if (member.n == 0)
            continue;
        bool is_command = member.p[0] == '|' && member.n > 1 && member.p[1] == '"';
        str quoted = str_from(member, is_command);
        if (quoted.p[0] == '"' && quoted_length(quoted) == quoted.n)
            member = arena_printf(a, "%s%.*s", is_command ? "|" : "", STR_ARG(unquote(quoted, a)));
        *out = member;
        return true;
    }
    return false;
}
