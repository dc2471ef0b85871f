#include "conf/value.h"

static const struct {
    str ending;
    char letter;
    uint64_t seconds;
} units[] = { { STR_ROW("_weeks"), 'w', 604800 },
              { STR_ROW("_days"), 'd', 86400 },
              { STR_ROW("_hours"), 'h', 3600 },
              { STR_ROW("_minutes"), 'm', 60 },
              { STR_ROW("_seconds"), 's', 1 } };

static bool is_time(const parameter *p)
{
    return p && (p->kind == PARAMETER_seconds || p->kind == PARAMETER_hours || p->kind == PARAMETER_days);
}

/* In the largest unit that divides it. */
static bool time_append(uint64_t seconds, buf *out)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(units) && (seconds == 0 || seconds % units[i].seconds))
        i++;
    return buf_printf(out, "%llu%c", (unsigned long long)(seconds / units[i].seconds), units[i].letter);
}

static bool word_append(const config *c, parameter_index at, buf *out)
{
    unsigned value = *(const unsigned *)(const void *)((const char *)c + parameter_rows[at].offset);
    for (size_t i = 0; i < parameter_word_count; i++)
        if (parameter_words[i].of == at && parameter_words[i].value == value)
            return buf_append(out, parameter_words[i].word);
    return false;
}

static bool row_append(const config *c, const parameter *p, buf *out)
{
    parameter_index at = (parameter_index)(p - parameter_rows);
    switch (p->kind) {
    case PARAMETER_text:
    case PARAMETER_raw: return buf_append(out, config_text(c, at));
    case PARAMETER_number:
    case PARAMETER_bytes: return buf_printf(out, "%llu", (unsigned long long)config_number(c, at));
    case PARAMETER_seconds:
    case PARAMETER_hours:
    case PARAMETER_days: return time_append(config_number(c, at), out);
    case PARAMETER_flag: return buf_append(out, *(const bool *)((const char *)c + p->offset) ? STR("yes") : STR("no"));
    case PARAMETER_choice: return word_append(c, at, out);
    }
    return false;
}

bool config_value_append(const config *c, str name, buf *out)
{
    const parameter *p = parameter_find(name);
    if (p)
        return row_append(c, p, out);
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!str_ends(name, units[i].ending))
            continue;
        p = parameter_find(str_upto(name, name.n - units[i].ending.n));
        if (is_time(p))
            return buf_printf(
                out, "%llu",
                (unsigned long long)(config_number(c, (parameter_index)(p - parameter_rows)) / units[i].seconds));
    }
    return false;
}
