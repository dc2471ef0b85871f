#include "conf/parser.h"
#include "base/map.h"

config_line_reader lines_of(str content, arena *a)
{
    return (config_line_reader){ .rest = content, .next_line = 1, .arena = a };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static str trim_right(str s)
{
    while (s.n && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static bool is_comment(str line)
{
    str text = str_trim(line);
    return text.n == 0 || text.p[0] == '#';
}

/* The next physical line, without its end. */
static bool physical_next(config_line_reader *r, str *out)
{
    if (!str_cut(&r->rest, '\n', out) || (out->n == 0 && r->rest.p == NULL))
        return false;
    *out = trim_right(*out);
    r->next_line++;
    return true;
}

/* Appends a physical line to the logical one; *tail is where the next part is hung in. */
static void part_add(config_line_reader *r, buf *joined, str line, unsigned number, const line_part ***tail)
{
    line_part *part = ARENA_NEW(r->arena, line_part);

    buf_append(joined, line);
    *part = (line_part){ .end = joined->n, .line = number };
    **tail = part;
    *tail = &part->next;
}

bool line_next(config_line_reader *r, str *out, unsigned *out_line)
{
    str line = STR_NONE;
    const line_part **tail = &r->parts;
    bool found;

    do {
        *out_line = r->next_line;
        found = physical_next(r, &line);
    } while (found && is_comment(line));
    if (!found)
        return false;

    buf joined = buf_new(CONFIG_FILE_MAX);
    part_add(r, &joined, line, *out_line, &tail);
    for (config_line_reader ahead = *r; physical_next(&ahead, &line) && (is_comment(line) || is_blank(line.p[0]));) {
        r->rest = ahead.rest;
        r->next_line = ahead.next_line;
        if (!is_comment(line))
            part_add(r, &joined, line, ahead.next_line - 1, &tail);
    }
    *out = arena_copy(r->arena, buf_str(&joined));
    buf_free(&joined);
    return true;
}

static bool is_setting_name(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && c != '_' && c != '-' && c != '.')
            return false;
    }
    return s.n > 0;
}

bool setting_split(str line, str *name, str *value)
{
    size_t at = str_find(line, '=');
    if (at == line.n)
        return false;
    *name = str_trim(str_upto(line, at));
    *value = str_trim(str_from(line, at + 1));
    return is_setting_name(*name);
}

static bool has_control(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

/* False: a problem was said. */
static bool setting_read(str file, str line, unsigned number, setting *out, problems *ps)
{
    *out = (setting){ .line = number };
    if (is_blank(line.p[0]))
        problem_error(ps, file, number, "begins with white space, but there is no line before that it could continue");
    else if (has_control(line))
        problem_error(ps, file, number, "has a control character");
    else if (!setting_split(line, &out->name, &out->value))
        problem_error(ps, file, number, "is not of the form \"name = value\": %.*s", STR_ARG(str_upto(line, 60)));
    else if (out->value.n > CONFIG_VALUE_MAX)
        problem_error(ps, file, number, "%.*s: the value is too long", STR_ARG(str_upto(out->name, 100)));
    else
        return true;
    return false;
}

static void setting_put(str file, const setting *s, map *places, settings *out, problems *ps)
{
    uintptr_t place = (uintptr_t)map_get(places, s->name); /* counted from 1 */
    if (place) {
        setting *old = &out->rows.p[place - 1];
        problem_warning(ps, file, s->line, "%.*s was set in line %u already; this line wins",
                        STR_ARG(str_upto(s->name, 100)), old->line);
        *old = *s;
        return;
    }
    *vec_add(&out->rows) = *s;
    map_put(places, s->name, (void *)(uintptr_t)out->rows.n);
}

void settings_read(str file, str content, arena *a, settings *out, problems *ps)
{
    map places = { 0 };
    str line;
    unsigned number;
    setting s;

    *out = (settings){ 0 };
    if (content.n > CONFIG_FILE_MAX) {
        problem_error(ps, file, 0, "is larger than %d bytes", CONFIG_FILE_MAX);
        return;
    }
    for (config_line_reader r = lines_of(content, a); line_next(&r, &line, &number);)
        if (setting_read(file, line, number, &s, ps))
            setting_put(file, &s, &places, out, ps);
    map_free(&places);
}

setting *setting_find(const settings *s, str name)
{
    for (size_t i = 0; i < s->rows.n; i++)
        if (str_equal(s->rows.p[i].name, name))
            return &s->rows.p[i];
    return NULL;
}

void settings_free(settings *s)
{
    vec_free(&s->rows);
}
