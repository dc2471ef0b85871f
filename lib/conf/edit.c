#include "conf/edit.h"
#include "conf/expand.h"
#include "conf/parameters.h"
#include "conf/parser.h"
#include "os/file.h"
#include <fcntl.h>
#include <sys/stat.h>

/* What a physical line is. */
typedef enum line_kind { LINE_COMMENT, LINE_CONTINUES, LINE_BEGINS } line_kind;

/* Takes the next physical line with its end. */
static bool physical_next(str *rest, str *out, line_kind *kind)
{
    if (rest->n == 0)
        return false;
    size_t end = str_find(*rest, '\n');
    *out = str_upto(*rest, end < rest->n ? end + 1 : end);
    *rest = str_from(*rest, out->n);
    str text = str_trim(*out);
    if (text.n == 0 || text.p[0] == '#')
        *kind = LINE_COMMENT;
    else
        *kind = out->p[0] == ' ' || out->p[0] == '\t' ? LINE_CONTINUES : LINE_BEGINS;
    return true;
}

static bool line_defines(str line, str name)
{
    str found, value;
    return setting_split(line, &found, &value) && str_equal(found, name);
}

/* Where the last definition begins; main_cf.n when there is none. */
static size_t definition_find(str main_cf, str name)
{
    size_t at = main_cf.n;
    str rest = main_cf, line;
    line_kind kind;

    while (physical_next(&rest, &line, &kind))
        if (kind == LINE_BEGINS && line_defines(line, name))
            at = (size_t)(line.p - main_cf.p);
    return at;
}

typedef struct search {
    str name;
    bool found;
} search;

static void seen(void *context, str name)
{
    search *s = context;
    s->found = s->found || str_equal(s->name, name);
}

static fault refused(str name, const char *what)
{
    return fault_make(FAULT_REFUSED, "3.5", "%.*s %s", STR_ARG(str_upto(name, 80)), what);
}

/* Whether the file sets the name or refers to it. */
static bool is_own_name(str main_cf, str name)
{
    arena a = arena_new(0);
    problems ignored = { .arena = &a };
    search s = { .name = name };
    settings rows;

    settings_read(STR_NONE, main_cf, &a, &rows, &ignored);
    s.found = setting_find(&rows, name) != NULL;
    for (size_t i = 0; i < rows.rows.n; i++)
        expand_names(rows.rows.p[i].value, seen, &s);
    settings_free(&rows);
    problems_free(&ignored);
    arena_free(&a);
    return s.found;
}

static fault name_check(str main_cf, str name)
{
    str nearest;

    if (is_own_name(main_cf, name))
        return NO_FAULT;
    if (parameter_nearest(name, &nearest))
        return fault_make(FAULT_REFUSED, "3.5", "%.*s is not a parameter; did you mean %.*s?",
                          STR_ARG(str_upto(name, 80)), STR_ARG(nearest));
    return refused(name, "is not a parameter, and nothing in main.cf refers to it");
}

static fault value_check(str main_cf, str name, str value)
{
    const parameter *p = parameter_find(name);
    arena a = arena_new(0);
    config ignored;
    fault f = NO_FAULT;

    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] == 0x7f)
            return refused(name, "cannot be set to a value with control characters");
    if (p == NULL)
        return name_check(main_cf, name);
    if (p->kind == PARAMETER_raw || !str_has(value, '$'))
        f = parameter_read(p, value, &a, &ignored);
    arena_free(&a);
    return is_fault(f) ? fault_make(FAULT_REFUSED, "3.5", "%.*s: %s", STR_ARG(name), f.text) : f;
}

/* Puts the new line in place of the definition; its continuation lines go, comments between them stay. */
static void definition_replace(str main_cf, size_t at, str name, str value, buf *out)
{
    str rest = str_from(main_cf, at), line;
    line_kind kind;

    buf_append(out, str_upto(main_cf, at));
    if (out->n && out->p[out->n - 1] != '\n')
        buf_append_char(out, '\n');
    buf_printf(out, value.n ? "%.*s = %.*s\n" : "%.*s =%.*s\n", STR_ARG(name), STR_ARG(value));
    if (!physical_next(&rest, &line, &kind))
        return;
    while (physical_next(&rest, &line, &kind)) {
        if (kind != LINE_CONTINUES)
            buf_append(out, line);
        if (kind == LINE_BEGINS)
            break;
    }
    buf_append(out, rest);
}

fault config_edit(str main_cf, str name, str value, buf *out)
{
    fault f = value_check(main_cf, name, value);
    if (is_fault(f))
        return f;
    definition_replace(main_cf, definition_find(main_cf, name), name, str_trim(value), out);
    return out->overflow ? refused(STR("main.cf"), "becomes too large") : f;
}

static fault file_edit(const char *file, const struct stat *st, str name, str value)
{
    buf before = buf_new(CONFIG_FILE_MAX), after = buf_new(CONFIG_FILE_MAX);
    file_owner owner = { st->st_mode & 07777, true, st->st_uid, st->st_gid };

    fault f = file_read(AT_FDCWD, file, &before);
    if (!is_fault(f))
        f = config_edit(buf_str(&before), name, value, &after);
    if (!is_fault(f) && !str_equal(buf_str(&before), buf_str(&after)))
        f = file_replace(AT_FDCWD, file, buf_str(&after), owner);
    buf_free(&before);
    buf_free(&after);
    return f;
}

fault config_set(const char *file, str name, str value)
{
    struct stat st;
    if (stat(file, &st) != 0)
        return fault_errno("%s", file);
    return file_edit(file, &st, name, value);
}
