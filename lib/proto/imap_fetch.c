#include "proto/imap_fetch.h"
#include "base/short_name.h"
#include "proto/imap_write.h"
#include <stdlib.h>

typedef struct row {
    short_name name;
    imap_fetch_kind kind;
    imap_section_kind section;
    bool has_label, is_peek;
} row;

static const row rows[] = {
    { SHORT_NAME("ENVELOPE"), IMAP_FETCH_ENVELOPE, 0, false, true },
    { SHORT_NAME("FLAGS"), IMAP_FETCH_FLAGS, 0, false, true },
    { SHORT_NAME("INTERNALDATE"), IMAP_FETCH_INTERNALDATE, 0, false, true },
    { SHORT_NAME("RFC822.SIZE"), IMAP_FETCH_SIZE, 0, false, true },
    { SHORT_NAME("UID"), IMAP_FETCH_UID, 0, false, true },
    { SHORT_NAME("BODYSTRUCTURE"), IMAP_FETCH_BODYSTRUCTURE, 0, false, true },
    { SHORT_NAME("BODY"), IMAP_FETCH_BODY, 0, false, true },
    { SHORT_NAME("RFC822"), IMAP_FETCH_SECTION, IMAP_SECTION_ALL, true, false },
    { SHORT_NAME("RFC822.HEADER"), IMAP_FETCH_SECTION, IMAP_SECTION_HEADER, true, true },
    { SHORT_NAME("RFC822.TEXT"), IMAP_FETCH_SECTION, IMAP_SECTION_TEXT, true, false },
};

static const struct {
    short_name name;
    imap_fetch_kind kinds[5];
    size_t n;
} macros[] = {
    { SHORT_NAME("FAST"), { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE }, 3 },
    { SHORT_NAME("ALL"), { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE, IMAP_FETCH_ENVELOPE }, 4 },
    { SHORT_NAME("FULL"),
      { IMAP_FETCH_FLAGS, IMAP_FETCH_INTERNALDATE, IMAP_FETCH_SIZE, IMAP_FETCH_ENVELOPE, IMAP_FETCH_BODY },
      5 },
};

static const struct {
    str name;
    imap_section_kind kind;
} sections[] = {
    { STR_ROW("HEADER"), IMAP_SECTION_HEADER },
    { STR_ROW("HEADER.FIELDS"), IMAP_SECTION_FIELDS },
    { STR_ROW("HEADER.FIELDS.NOT"), IMAP_SECTION_FIELDS_NOT },
    { STR_ROW("TEXT"), IMAP_SECTION_TEXT },
    { STR_ROW("MIME"), IMAP_SECTION_MIME },
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int field_compare(const void *a, const void *b)
{
    const str *x = a, *y = b;
    int order = strncasecmp(x->p, y->p, x->n < y->n ? x->n : y->n);

    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static void fields_sort(imap_section *s, arena *mem)
{
    s->sorted = ARENA_ARRAY(mem, str, s->field_n);
    memcpy(s->sorted, s->fields, s->field_n * sizeof *s->fields);
    qsort(s->sorted, s->field_n, sizeof *s->sorted, field_compare);
}

bool imap_section_names(const imap_section *section, str field)
{
    return section->field_n && bsearch(&field, section->sorted, section->field_n, sizeof field, field_compare);
}

/* "(TO CC)" */
static bool fields_parse(imap_lexer *l, imap_section *out)
{
    size_t room = 0;

    if (!imap_lex_space(l) || !imap_lex_must(l, '('))
        return false;
    do {
        if (out->field_n == IMAP_SECTION_FIELDS_MAX)
            return imap_lex_fail(l, "Too many header fields");
        if (out->field_n == room) {
            size_t larger = room ? room * 2 : 8;
            str *moved = ARENA_ARRAY(l->mem, str, larger);
            if (room)
                memcpy(moved, out->fields, room * sizeof *moved);
            out->fields = moved;
            room = larger;
        }
        if (!imap_lex_astring(l, &out->fields[out->field_n++]))
            return false;
    } while (imap_lex_may(l, ' '));
    fields_sort(out, l->mem);
    return imap_lex_must(l, ')');
}

static bool section_name_parse(imap_lexer *l, imap_section *out)
{
    str word;

    if (!imap_lex_word(l, &word))
        return false;
    for (size_t i = 0; i < COUNT_OF(sections); i++)
        if (str_equal_nocase(sections[i].name, word)) {
            out->kind = sections[i].kind;
            if (out->kind == IMAP_SECTION_MIME && out->part_n == 0)
                return imap_lex_fail(l, "MIME needs a part number");
            bool has_fields = out->kind == IMAP_SECTION_FIELDS || out->kind == IMAP_SECTION_FIELDS_NOT;
            return !has_fields || fields_parse(l, out);
        }
    return imap_lex_fail(l, "Unknown section");
}

/* "1.2.3", "1.2.MIME", "HEADER", or nothing, up to the bracket. */
static bool section_parse(imap_lexer *l, imap_section *out)
{
    uint32_t numbers[IMAP_SECTION_DEPTH_MAX];
    bool has_name = imap_lex_peek(l) != ']';

    *out = (imap_section){ .kind = IMAP_SECTION_ALL };
    while (is_digit(imap_lex_peek(l))) {
        uint64_t n;
        if (out->part_n == IMAP_SECTION_DEPTH_MAX)
            return imap_lex_fail(l, "Too many part numbers");
        if (!imap_lex_number(l, 1, UINT32_MAX, &n))
            return false;
        numbers[out->part_n++] = (uint32_t)n;
        has_name = imap_lex_may(l, '.');
        if (!has_name)
            break;
    }
    out->parts = ARENA_ARRAY(l->mem, uint32_t, out->part_n);
    if (out->part_n)
        memcpy(out->parts, numbers, out->part_n * sizeof *numbers);
    return (!has_name || section_name_parse(l, out)) && imap_lex_must(l, ']');
}

static bool partial_parse(imap_lexer *l, imap_fetch_item *out)
{
    uint64_t offset, count;

    if (!imap_lex_may(l, '<'))
        return true;
    if (!imap_lex_number(l, 0, UINT32_MAX, &offset) || !imap_lex_must(l, '.') ||
        !imap_lex_number(l, 1, UINT32_MAX, &count) || !imap_lex_must(l, '>'))
        return false;
    out->has_partial = true;
    out->offset = (uint32_t)offset;
    out->count = (uint32_t)count;
    return true;
}

static bool body_section_parse(imap_lexer *l, bool is_peek, imap_fetch_item *out)
{
    *out = (imap_fetch_item){ .kind = IMAP_FETCH_SECTION, .is_peek = is_peek };
    return imap_lex_must(l, '[') && section_parse(l, &out->section) && partial_parse(l, out);
}

static bool item_named(imap_lexer *l, str word, imap_fetch_item *out)
{
    bool is_peek = str_equal_nocase(word, STR("BODY.PEEK"));

    if (is_peek || (imap_lex_peek(l) == '[' && str_equal_nocase(word, STR("BODY"))))
        return body_section_parse(l, is_peek, out);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(short_name_str(&rows[i].name), word)) {
            *out = (imap_fetch_item){ .kind = rows[i].kind, .is_peek = rows[i].is_peek };
            out->section.kind = rows[i].section;
            out->label = rows[i].has_label ? short_name_str(&rows[i].name) : STR("");
            return true;
        }
    return imap_lex_fail(l, "Unknown FETCH item");
}

static bool macro_find(imap_lexer *l, str word, imap_fetch *out)
{
    for (size_t i = 0; i < COUNT_OF(macros); i++)
        if (str_equal_nocase(short_name_str(&macros[i].name), word)) {
            out->n = macros[i].n;
            out->items = ARENA_ARRAY(l->mem, imap_fetch_item, out->n);
            for (size_t k = 0; k < out->n; k++)
                out->items[k] = (imap_fetch_item){ .kind = macros[i].kinds[k], .is_peek = true };
            return true;
        }
    return false;
}

/* One more item, the array doubled when it is full: the arena then holds at most twice what is needed. */
static imap_fetch_item *item_add(imap_fetch *f, arena *mem)
{
    bool is_full = (f->n & (f->n - 1)) == 0 && (f->n == 0 || f->n >= 4);

    if (is_full) {
        imap_fetch_item *moved = ARENA_ARRAY(mem, imap_fetch_item, f->n ? f->n * 2 : 4);
        if (f->n)
            memcpy(moved, f->items, f->n * sizeof *moved);
        f->items = moved;
    }
    return &f->items[f->n++];
}

static bool list_parse(imap_lexer *l, imap_fetch *out)
{
    str word;

    do {
        if (out->n == IMAP_FETCH_ITEMS_MAX)
            return imap_lex_fail(l, "Too many FETCH items");
        if (!imap_lex_word(l, &word) || !item_named(l, word, item_add(out, l->mem)))
            return false;
    } while (imap_lex_may(l, ' '));
    return imap_lex_must(l, ')');
}

bool imap_fetch_parse(imap_lexer *l, imap_fetch *out)
{
    str word;

    *out = (imap_fetch){ 0 };
    if (imap_lex_may(l, '('))
        return list_parse(l, out);
    if (!imap_lex_word(l, &word))
        return false;
    return macro_find(l, word, out) || item_named(l, word, item_add(out, l->mem));
}

static bool fields_write(buf *out, const imap_section *s)
{
    bool good = buf_append(out, STR(" ("));

    for (size_t i = 0; good && i < s->field_n; i++)
        good = (i == 0 || buf_append_char(out, ' ')) && imap_write_astring(out, s->fields[i]);
    return good && buf_append_char(out, ')');
}

static bool section_write(buf *out, const imap_section *s)
{
    bool good = true;

    for (size_t i = 0; good && i < s->part_n; i++)
        good = (i == 0 || buf_append_char(out, '.')) && imap_write_number(out, s->parts[i]);
    for (size_t i = 0; good && i < COUNT_OF(sections); i++)
        if (s->kind == sections[i].kind)
            good = (s->part_n == 0 || buf_append_char(out, '.')) && buf_append(out, sections[i].name);
    return good && (s->field_n == 0 || fields_write(out, s));
}

bool imap_fetch_write_name(buf *out, const imap_fetch_item *item)
{
    if (item->label.n)
        return buf_append(out, item->label);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (item->kind != IMAP_FETCH_SECTION && rows[i].kind == item->kind)
            return buf_append(out, short_name_str(&rows[i].name));
    return buf_append(out, STR("BODY[")) && section_write(out, &item->section) && buf_append_char(out, ']') &&
           (!item->has_partial || buf_printf(out, "<%u>", item->offset));
}
