#include "conf/parameters.h"
#include "base/num.h"
#include "conf/nearest.h"

#define GROUP(title)
#define X(kind, name, value, least, most, help) \
    { STR_ROW(#name), PARAMETER_##kind, STR_ROW(value), (least), (most), (help), offsetof(config, name) },
#define NAMED(kind, field, name, value, least, most, help) \
    { STR_ROW(name), PARAMETER_##kind, STR_ROW(value), (least), (most), (help), offsetof(config, field) },
const parameter parameter_rows[PARAMETER_COUNT] = {
#include "conf/parameters.def"
};
#undef X
#undef GROUP

#define WORD(parameter, word, value) { AT_##parameter, STR_ROW(word), (value) },
const parameter_word parameter_words[] = { PARAMETER_WORDS(WORD) };
const size_t parameter_word_count = COUNT_OF(parameter_words);
#undef WORD

/* The file as it stands: a title for each group, NULL for each row. */
#define GROUP(title) title,
#define X(kind, name, value, least, most, help) NULL,
static const char *const layout[] = {
#include "conf/parameters.def"
};
#undef X
#undef GROUP

const char *parameter_group(parameter_index index)
{
    const char *title = NULL;
    size_t row = 0;

    for (size_t i = 0; i < COUNT_OF(layout) && row <= index; i++) {
        if (layout[i] == NULL && row == index)
            return title;
        row += layout[i] == NULL;
        title = layout[i];
    }
    return NULL;
}

const parameter *parameter_find(str name)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        if (str_equal(parameter_rows[i].name, name))
            return &parameter_rows[i];
    return NULL;
}

bool parameter_nearest(str name, str *out)
{
    unsigned limit = nearest_limit(name);
    bool found = false;

    for (size_t i = 0; i < PARAMETER_COUNT && limit; i++) {
        unsigned distance = nearest_distance(name, parameter_rows[i].name, limit);
        if (distance > limit)
            continue;
        *out = parameter_rows[i].name;
        found = true;
        limit = distance ? distance - 1 : 0;
    }
    return found;
}

/* 3600 as "1h": the largest unit that divides it. */
static str with_unit(uint64_t v, const uint64_t *scales, const char *units, arena *a)
{
    for (size_t i = 0; scales[i]; i++)
        if (v && v % scales[i] == 0)
            return arena_printf(a, "%llu%c", (unsigned long long)(v / scales[i]), units[i]);
    return arena_printf(a, "%llu", (unsigned long long)v);
}

static str seconds_text(uint64_t v, arena *a)
{
    static const uint64_t scales[] = { 604800, 86400, 3600, 60, 1, 0 };
    return with_unit(v, scales, "wdhms", a);
}

static str bytes_text(uint64_t v, arena *a)
{
    static const uint64_t scales[] = { UINT64_C(1) << 30, UINT64_C(1) << 20, UINT64_C(1) << 10, 0 };
    return with_unit(v, scales, "gmk", a);
}

static str words_text(const parameter *p, arena *a)
{
    str all = STR_NONE;
    for (size_t i = 0; i < parameter_word_count; i++) {
        const parameter_word *w = &parameter_words[i];
        if (&parameter_rows[w->of] == p)
            all = all.n ? arena_printf(a, "%.*s, %.*s", STR_ARG(all), STR_ARG(w->word)) : w->word;
    }
    return arena_printf(a, "one of %.*s", STR_ARG(all));
}

str parameter_range(const parameter *p, arena *a)
{
    str least, most;

    switch (p->kind) {
    case PARAMETER_text:
    case PARAMETER_raw:
        return arena_printf(a, "a text of %llu to %llu bytes", (unsigned long long)p->least,
                            (unsigned long long)p->most);
    case PARAMETER_number:
        return arena_printf(a, "a number from %llu to %llu", (unsigned long long)p->least, (unsigned long long)p->most);
    case PARAMETER_seconds:
    case PARAMETER_hours:
    case PARAMETER_days:
        least = seconds_text(p->least, a);
        most = seconds_text(p->most, a);
        return arena_printf(a, "a time from %.*s to %.*s", STR_ARG(least), STR_ARG(most));
    case PARAMETER_bytes:
        least = bytes_text(p->least, a);
        most = bytes_text(p->most, a);
        return arena_printf(a, "a size from %.*s to %.*s", STR_ARG(least), STR_ARG(most));
    case PARAMETER_flag: return STR("yes or no");
    case PARAMETER_choice: return words_text(p, a);
    }
    return STR_NONE;
}

/* From here on: one reader for each kind. `field` is the parameter's place in a config. */

static bool text_read(const parameter *p, str value, arena *a, void *field)
{
    for (size_t i = 0; i < value.n; i++)
        if (((unsigned char)value.p[i] < 0x20 && value.p[i] != '\t') || value.p[i] == 0x7f)
            return false;
    if (value.n < p->least || value.n > p->most)
        return false;
    *(str *)field = arena_copy(a, value);
    return true;
}

static bool number_read(const parameter *p, str value, arena *a, void *field)
{
    (void)a;
    return num_parse(value, p->least, p->most, field);
}

static bool seconds_read(const parameter *p, str value, arena *a, void *field)
{
    uint64_t v;

    (void)a;
    char unit = p->kind == PARAMETER_days ? 'd' : p->kind == PARAMETER_hours ? 'h' : 's';
    if (!num_parse_seconds(value, unit, p->most, &v) || v < p->least)
        return false;
    *(uint64_t *)field = v;
    return true;
}

static bool bytes_read(const parameter *p, str value, arena *a, void *field)
{
    uint64_t v;

    (void)a;
    if (!num_parse_bytes(value, p->most, &v) || v < p->least)
        return false;
    *(uint64_t *)field = v;
    return true;
}

static bool flag_read(const parameter *p, str value, arena *a, void *field)
{
    (void)p, (void)a;
    bool is_yes = str_equal_nocase(value, STR("yes"));
    if (!is_yes && !str_equal_nocase(value, STR("no")))
        return false;
    *(bool *)field = is_yes;
    return true;
}

static bool choice_read(const parameter *p, str value, arena *a, void *field)
{
    (void)a;
    for (size_t i = 0; i < parameter_word_count; i++) {
        const parameter_word *w = &parameter_words[i];
        if (&parameter_rows[w->of] != p || !str_equal_nocase(w->word, value))
            continue;
        *(unsigned *)field = w->value;
        return true;
    }
    return false;
}

fault parameter_read(const parameter *p, str value, arena *a, config *out)
{
    static bool (*const readers[])(const parameter *, str, arena *, void *) = {
        [PARAMETER_text] = text_read,       [PARAMETER_raw] = text_read,      [PARAMETER_number] = number_read,
        [PARAMETER_seconds] = seconds_read, [PARAMETER_hours] = seconds_read, [PARAMETER_days] = seconds_read,
        [PARAMETER_bytes] = bytes_read,     [PARAMETER_flag] = flag_read,     [PARAMETER_choice] = choice_read,
    };
    if (readers[p->kind](p, value, a, (char *)out + p->offset))
        return NO_FAULT;
    str range = parameter_range(p, a);
    return fault_make(FAULT_REFUSED, "3.5", "\"%.*s\" is not %.*s", STR_ARG(str_upto(value, 60)), STR_ARG(range));
}

str parameter_text(const parameter *p, arena *a)
{
    if (p->kind == PARAMETER_text || p->kind == PARAMETER_raw)
        return str_c(p->help);
    const char *unit = p->kind == PARAMETER_days    ? "; a number without a letter means days"
                       : p->kind == PARAMETER_hours ? "; a number without a letter means hours"
                                                    : "";
    return arena_printf(a, "%s\nValue: %.*s%s.", p->help, STR_ARG(parameter_range(p, a)), unit);
}
