#include "mail/mime_field.h"
#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "mail/lexer.h"

static const char token_ends[] = "()<>@,;:\\\"/[]?=";
enum { SECTION_NONE = -1, SECTION_MAX = 1000000 };

/* One parameter as it stands: "name*section*=value" (RFC 2231 3 and 4). */
typedef struct piece {
    str whole, base, value;
    int section;
    bool is_extended;
    size_t next; /* index + 1 of the next piece of the same parameter */
} piece;

typedef VEC(piece) pieces;

/* A parameter in pieces: those that have a section, chained in the order in which they came. */
typedef struct group {
    size_t first, last, n; /* index + 1 */
    bool is_out;
} group;

static void name_split(piece *p)
{
    str rest = p->whole, section;
    uint64_t n;

    p->section = SECTION_NONE;
    str_cut(&rest, '*', &p->base);
    if (rest.p == NULL)
        return;
    if (rest.n == 0) {
        p->is_extended = true;
        return;
    }
    str_cut(&rest, '*', &section);
    if (p->base.n == 0 || !num_parse(section, 0, SECTION_MAX, &n) || (rest.p && rest.n)) {
        p->base = p->whole; /* no section after all */
        return;
    }
    p->is_extended = rest.p != NULL;
    p->section = (int)n;
}

/* Behind the word in front: every "name=value", separators as they come. */
static pieces pieces_read(lexer *l, arena *mem, bool *has_sections)
{
    pieces all = { 0 };

    while (lexer_skip(l), lexer_has(l)) {
        str name = lexer_run(l, token_ends);
        if (name.n == 0 || !lexer_take(l, '=')) {
            if (name.n == 0)
                l->at++;
            continue;
        }
        lexer_skip(l);
        piece p = { .whole = name };
        p.value = lexer_peek(l) == '"' ? lexer_unquote(lexer_enclosed(l, '"'), mem) : lexer_run(l, ";(\"");
        name_split(&p);
        *has_sections = *has_sections || p.section != SECTION_NONE;
        *vec_add(&all) = p;
    }
    return all;
}

static bool is_attribute_char(char c)
{
    return c > ' ' && c < 127 && !strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static void join_append(char *out, size_t *n, const piece *p, bool encodes)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < p->value.n; i++) {
        unsigned char c = (unsigned char)p->value.p[i];
        if (encodes && !p->is_extended && !is_attribute_char((char)c)) {
            out[(*n)++] = '%';
            out[(*n)++] = digits[c >> 4];
            out[(*n)++] = digits[c & 15];
        } else {
            out[(*n)++] = (char)c;
        }
    }
}

/* Puts the pieces of a group in the order of their sections, up to the first that is missing. False: there is none. */
static bool group_join(const group *g, const pieces *all, arena *mem, mime_param *out)
{
    const piece **sections = memory_resize(NULL, g->n, sizeof(piece *));
    bool is_extended = false;
    size_t n = 0, bytes = 0, count = 0;

    memset(sections, 0, g->n * sizeof(piece *));
    for (size_t i = g->first; i; i = all->p[i - 1].next) {
        const piece *p = &all->p[i - 1];
        if ((size_t)p->section < g->n && sections[p->section] == NULL)
            sections[p->section] = p;
    }
    for (; count < g->n && sections[count]; count++) {
        is_extended = is_extended || sections[count]->is_extended;
        bytes += sections[count]->value.n;
    }
    if (count > 0) {
        str base = sections[0]->base;
        char *name = arena_get(mem, base.n + 1), *value = arena_get(mem, 2 + bytes * (is_extended ? 3 : 1));
        memcpy(name, base.p, base.n);
        name[base.n] = '*';
        if (is_extended && !sections[0]->is_extended) {
            memcpy(value, "''", 2); /* no charset, no language */
            n = 2;
        }
        for (size_t i = 0; i < count; i++)
            join_append(value, &n, sections[i], is_extended);
        *out = (mime_param){ { name, base.n + is_extended }, { value, n } };
    }
    free(sections);
    return count > 0;
}

static group *group_of(map *groups, str base, arena *mem)
{
    str key = arena_copy(mem, base);
    char *p = (char *)(uintptr_t)key.p;

    for (size_t i = 0; i < key.n; i++)
        p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] + 'a' - 'A') : p[i];
    group *g = map_get(groups, key);
    if (g == NULL) {
        g = ARENA_NEW(mem, group);
        map_put(groups, key, g);
    }
    return g;
}

static size_t pieces_join(pieces *all, arena *mem, mime_param *out)
{
    size_t n = 0;
    arena scratch = arena_new(0);
    map groups = { 0 };

    for (size_t i = 0; i < all->n; i++) {
        if (all->p[i].section == SECTION_NONE)
            continue;
        group *g = group_of(&groups, all->p[i].base, &scratch);
        if (g->first == 0)
            g->first = i + 1;
        else
            all->p[g->last - 1].next = i + 1;
        g->last = i + 1;
        g->n++;
    }
    for (size_t i = 0; i < all->n; i++) {
        if (all->p[i].section == SECTION_NONE) {
            out[n++] = (mime_param){ all->p[i].whole, all->p[i].value };
            continue;
        }
        group *g = group_of(&groups, all->p[i].base, &scratch);
        if (!g->is_out && group_join(g, all, mem, &out[n]))
            n++;
        g->is_out = true;
    }
    map_free(&groups);
    arena_free(&scratch);
    return n;
}

static mime_params params_read(lexer *l, arena *mem)
{
    bool has_sections = false;
    pieces all = pieces_read(l, mem, &has_sections);
    mime_param *p = all.n ? ARENA_ARRAY(mem, mime_param, all.n) : NULL;
    size_t n = has_sections ? pieces_join(&all, mem, p) : all.n;

    for (size_t i = 0; !has_sections && i < n; i++)
        p[i] = (mime_param){ all.p[i].whole, all.p[i].value };
    vec_free(&all);
    return (mime_params){ p, n };
}

/* The value is read once, and a parameter in pieces once more when it is joined. */
static void looked_add(uint64_t *looked, str value, const mime_params *params)
{
    if (looked == NULL)
        return;
    *looked += value.n;
    for (size_t i = 0; i < params->n; i++)
        *looked += params->p[i].name.n + params->p[i].value.n;
}

parse mime_type_parse(str value, arena *mem, str *type, str *subtype, mime_params *out, uint64_t *looked)
{
    lexer l = { .in = value };

    lexer_skip(&l);
    str main = lexer_run(&l, token_ends);
    bool has_slash = lexer_take(&l, '/');
    lexer_skip(&l);
    str sub = lexer_run(&l, token_ends);
    if (main.n == 0 || !has_slash || sub.n == 0)
        return PARSE_BAD;
    *type = main;
    *subtype = sub;
    *out = params_read(&l, mem);
    looked_add(looked, value, out);
    return PARSE_DONE;
}

parse mime_disposition_parse(str value, arena *mem, str *word, mime_params *out, uint64_t *looked)
{
    lexer l = { .in = value };

    lexer_skip(&l);
    *word = lexer_run(&l, token_ends);
    if (word->n == 0)
        return PARSE_BAD;
    *out = params_read(&l, mem);
    looked_add(looked, value, out);
    return PARSE_DONE;
}

str *mime_languages_parse(str value, arena *mem, size_t *n)
{
    lexer l = { .in = value };
    VEC(str) tags = { 0 };

    while (lexer_skip(&l), lexer_has(&l)) {
        str tag = lexer_run(&l, token_ends);
        if (tag.n)
            *vec_add(&tags) = tag;
        else
            l.at++;
    }
    *n = tags.n;
    str *out = tags.n ? ARENA_ARRAY(mem, str, tags.n) : NULL;
    if (tags.n)
        memcpy(out, tags.p, tags.n * sizeof *out);
    vec_free(&tags);
    return out;
}

str mime_word_parse(str value)
{
    lexer l = { .in = value };

    lexer_skip(&l);
    str word = lexer_run(&l, token_ends);
    return word.n ? word : STR_NONE;
}

str mime_param_find(const mime_params *params, str name, bool *is_extended)
{
    for (size_t i = 0; i < params->n; i++) {
        str has = params->p[i].name;
        if (str_equal_nocase(has, name)) {
            if (is_extended)
                *is_extended = false;
            return params->p[i].value;
        }
        if (is_extended && has.n == name.n + 1 && has.p[name.n] == '*' && str_starts_nocase(has, name)) {
            *is_extended = true;
            return params->p[i].value;
        }
    }
    return STR_NONE;
}
