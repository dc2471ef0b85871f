/* Types whose entries stand in memory: texthash (read from its text), inline (read from its name) and static (one value
 * for every key). */
#include "base/map.h"
#include "conf/list.h"
#include "db/table_type.h"
#include "os/file.h"
#include <fcntl.h>

typedef struct text_state {
    arena arena;
    source_list entries;
    map by_key; /* → source_entry */
    str value;  /* static */
} text_state;

/* The first mistake of a text, as the reason why the table does not open. */
static fault first_problem(const problems *ps)
{
    for (size_t i = 0; i < ps->rows.n; i++) {
        const problem *p = &ps->rows.p[i];
        if (!p->is_warning)
            return fault_make(FAULT_TRY_LATER, "3.5", "%.*s:%u: %.*s", STR_ARG(p->file), p->line, STR_ARG(p->text));
    }
    return NO_FAULT;
}

static void entries_index(text_state *s)
{
    for (size_t i = 0; i < s->entries.rows.n; i++)
        if (map_get(&s->by_key, s->entries.rows.p[i].key) == NULL)
            map_put(&s->by_key, s->entries.rows.p[i].key, &s->entries.rows.p[i]);
}

fault texthash_open(const table_origin *from, void **out)
{
    text_state *s = memory_get(sizeof *s);
    problems ps = { .arena = &s->arena };
    buf text = buf_new(TABLE_FILE_MAX);
    fault f = file_read(AT_FDCWD, from->path, &text);

    if (is_fault(f)) {
        f.kind = FAULT_TRY_LATER;
    } else {
        source_format format = from->context->is_alias ? SOURCE_ALIASES : SOURCE_TABLE;
        source_read(str_c(from->path), buf_str(&text), format, &s->arena, &s->entries, &ps);
        f = first_problem(&ps);
        entries_index(s);
    }
    problems_free(&ps);
    buf_free(&text);
    if (is_fault(f))
        text_close(s);
    else
        *out = s;
    return f;
}

/* The inside of one pair of braces around the whole; the text itself without such. */
static str inside_braces(str s)
{
    bool has = s.n >= 2 && s.p[0] == '{' && s.p[s.n - 1] == '}';
    return str_trim(has ? (str){ s.p + 1, s.n - 2 } : s);
}

static bool inline_entry(str word, text_state *s)
{
    size_t at = str_find(word, '=');
    str key = str_trim(str_upto(word, at)), value = str_trim(str_from(word, at + 1));

    if (at == word.n || key.n == 0 || value.n == 0)
        return false;
    *vec_add(&s->entries.rows) = (source_entry){ key_fold(key, &s->arena), arena_copy(&s->arena, value), 0 };
    return true;
}

fault inline_open(const table_origin *from, void **out)
{
    text_state *s = memory_get(sizeof *s);
    bool is_right = from->name.p[0] == '{' && list_is_balanced(from->name);
    str rest = inside_braces(from->name), word;

    while (is_right && list_next(&rest, &word))
        is_right = inline_entry(word, s);
    if (!is_right || s->entries.rows.n == 0) {
        text_close(s);
        return fault_make(FAULT_REFUSED, "3.5", "%.*s: expected inline:{key=value, {key = value with blanks}}",
                          STR_ARG(str_upto(from->spec, 100)));
    }
    entries_index(s);
    *out = s;
    return NO_FAULT;
}

table_result text_find(void *state, str key, arena *mem, table_answer *out)
{
    text_state *s = state;
    const source_entry *e = map_get(&s->by_key, key);
    if (e == NULL)
        return TABLE_ABSENT;
    out->value = arena_copy(mem, e->value);
    out->line = e->line;
    return TABLE_FOUND;
}

fault text_list(void *state, table_each *each, void *context)
{
    text_state *s = state;
    for (size_t i = 0; i < s->entries.rows.n; i++)
        if (!each(context, s->entries.rows.p[i].key, s->entries.rows.p[i].value))
            break;
    return NO_FAULT;
}

fault static_open(const table_origin *from, void **out)
{
    text_state *s = memory_get(sizeof *s);
    s->value = arena_copy(&s->arena, inside_braces(from->name));
    *out = s;
    return NO_FAULT;
}

table_result static_find(void *state, str key, arena *mem, table_answer *out)
{
    text_state *s = state;
    (void)key;
    out->value = arena_copy(mem, s->value);
    return TABLE_FOUND;
}

void text_close(void *state)
{
    text_state *s = state;
    map_free(&s->by_key);
    source_free(&s->entries);
    arena_free(&s->arena);
    free(s);
}
