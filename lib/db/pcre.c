/* pcre_table(5): Perl's regular expressions in their order, with parts of the key put into the result. Matching has
 * limits of steps, depth and memory, as keys come from strangers; there is no JIT, as no process may make memory
 * executable. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/clock.h"
#include "db/rules.h"
#include <pcre2.h>

enum { STEPS_MAX = 200000, DEPTH_MAX = 2000, HEAP_KIB_MAX = 8192, GROUPS_MAX = 100 };
enum { LONG_TEXT = 4096, WINDOW = 256, MATCH_MS_MAX = 1000 };

typedef struct pcre_state {
    rules rules;
    pcre2_code **codes; /* one for each rule; NULL for endif */
    pcre2_match_context *limits;
    pcre2_match_data *groups;
    str spec;
} pcre_state;

static const struct {
    char letter;
    uint32_t option;
} flags[] = {
    { 'i', PCRE2_CASELESS }, { 'm', PCRE2_MULTILINE },      { 's', PCRE2_DOTALL },   { 'x', PCRE2_EXTENDED },
    { 'A', PCRE2_ANCHORED }, { 'E', PCRE2_DOLLAR_ENDONLY }, { 'U', PCRE2_UNGREEDY }, { 'X', 0 },
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Index of the delimiter that ends a pattern which begins with one; 0: none. */
static size_t pattern_end(str line)
{
    if (line.n == 0 || is_word(line.p[0]) || line.p[0] == ' ' || line.p[0] == '\\')
        return 0;
    for (size_t i = 1; i < line.n; i++) {
        if (line.p[i] == '\\')
            i++;
        else if (line.p[i] == line.p[0])
            return i;
    }
    return 0;
}

/* With the flags behind the delimiter. */
static size_t pattern_length(str line)
{
    size_t n = pattern_end(line);
    if (n == 0)
        return 0;
    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    return n;
}

/* Each letter turns its option over; 'i' and 's' are on to begin with. */
static bool options_read(str letters, uint32_t *out)
{
    *out = PCRE2_CASELESS | PCRE2_DOTALL;
    for (size_t i = 0; i < letters.n; i++) {
        size_t f = 0;
        while (f < COUNT_OF(flags) && flags[f].letter != letters.p[i])
            f++;
        if (f == COUNT_OF(flags))
            return false;
        *out ^= flags[f].option;
    }
    return true;
}

/* One piece of a result: bytes as they are, or the number of a group. False: no more; or, with *wrong set, bad syntax.
 */
static bool piece_next(str *rest, str *out_text, uint32_t *out_group, const char **wrong)
{
    static const char *const bad = "expected $$, $number, ${number} or $(number) in the result";
    size_t n = str_find(*rest, '$');

    *out_group = 0;
    if (rest->n == 0)
        return false;
    if (n) {
        *out_text = str_upto(*rest, n);
        *rest = str_from(*rest, n);
        return true;
    }
    if (rest->n > 1 && rest->p[1] == '$') {
        *out_text = STR("$");
        *rest = str_from(*rest, 2);
        return true;
    }
    char closing = rest->n < 2 ? 0 : rest->p[1] == '{' ? '}' : rest->p[1] == '(' ? ')' : 0;
    size_t i = closing ? 2 : 1, group = 0, start = i;
    for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9' && group < GROUPS_MAX; i++)
        group = group * 10 + (size_t)(rest->p[i] - '0');
    bool is_closed = closing == 0 || (i < rest->n && rest->p[i] == closing);
    if (i == start || !is_closed || group == 0 || group >= GROUPS_MAX) {
        *wrong = bad;
        return false;
    }
    *out_group = (uint32_t)group;
    *rest = str_from(*rest, i + (closing != 0));
    return true;
}

static const char *result_check(const rule *r, const pcre2_code *code, bool may_substitute)
{
    const char *wrong = NULL;
    uint32_t group, groups = 0;
    str text;

    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    for (str rest = r->result; wrong == NULL && piece_next(&rest, &text, &group, &wrong);) {
        if (group && r->is_negated)
            wrong = "a negated pattern has nothing to put into the result";
        else if (group && !may_substitute)
            wrong = "$number is not allowed in this table: its results may be commands and files";
        else if (group > groups)
            wrong = "the pattern has no group of that number";
    }
    return wrong;
}

static fault rule_compile(const table_origin *from, const rule *r, pcre2_code **out)
{
    size_t end = pattern_end(r->pattern), offset;
    uint32_t options;
    int error;

    if (!options_read(str_from(r->pattern, end + 1), &options))
        return rule_fault(from, r->line, "there is no such flag behind the pattern");
    options |= PCRE2_USE_OFFSET_LIMIT;
    *out = pcre2_compile((PCRE2_SPTR)r->pattern.p + 1, end - 1, options, &error, &offset, NULL);
    if (*out == NULL) {
        PCRE2_UCHAR text[120];
        pcre2_get_error_message(error, text, sizeof text);
        return fault_make(FAULT_TRY_LATER, "3.5", "%s:%u: %s at %zu", from->path, r->line, (char *)text, offset + 1);
    }
    const char *wrong = result_check(r, *out, !from->context->is_alias);
    return wrong ? rule_fault(from, r->line, wrong) : NO_FAULT;
}

static void *bytes_get(size_t n, void *unused)
{
    (void)unused;
    return memory_resize(NULL, n, 1);
}

static void bytes_free(void *p, void *unused)
{
    (void)unused;
    free(p);
}

static void limits_set(pcre_state *s)
{
    pcre2_general_context *general = pcre2_general_context_create(bytes_get, bytes_free, NULL);
    s->limits = pcre2_match_context_create(general);
    s->groups = pcre2_match_data_create(GROUPS_MAX, general);
    pcre2_general_context_free(general);
    pcre2_set_match_limit(s->limits, STEPS_MAX);
    pcre2_set_depth_limit(s->limits, DEPTH_MAX);
    pcre2_set_heap_limit(s->limits, HEAP_KIB_MAX);
}

fault pcre_open(const table_origin *from, void **out)
{
    pcre_state *s = memory_get(sizeof *s);
    fault f = rules_load(from, pattern_length, &s->rules);

    s->spec = from->spec;
    s->codes = ARENA_ARRAY(&s->rules.arena, pcre2_code *, s->rules.rows.n + 1);
    limits_set(s);
    for (size_t i = 0; i < s->rules.rows.n && !is_fault(f); i++)
        if (s->rules.rows.p[i].kind != RULE_ENDIF)
            f = rule_compile(from, &s->rules.rows.p[i], &s->codes[i]);
    if (is_fault(f))
        pcre_close(s);
    else
        *out = s;
    return f;
}

static str substitute(const pcre_state *s, str result, str key, arena *mem)
{
    const size_t *at = pcre2_get_ovector_pointer(s->groups);
    buf out = buf_new(TABLE_VALUE_MAX);
    const char *wrong = NULL;
    uint32_t group;
    str text;

    while (piece_next(&result, &text, &group, &wrong)) {
        if (group)
            text = at[2 * group] == PCRE2_UNSET ? STR("")
                                                : (str){ key.p + at[2 * group], at[2 * group + 1] - at[2 * group] };
        buf_append(&out, text);
    }
    str copy = arena_copy(mem, buf_str(&out));
    buf_free(&out);
    return copy;
}

/* The limit of steps holds from each place where a match could begin; of a long text there are many. So they are tried in
 * windows, and the time is looked at between them. */
static int search(pcre_state *s, size_t i, str key)
{
    uint64_t since = clock_monotonic_ms();
    uint32_t options = 0;
    int n = PCRE2_ERROR_NOMATCH;

    pcre2_pattern_info(s->codes[i], PCRE2_INFO_ALLOPTIONS, &options);
    size_t window = key.n > LONG_TEXT && !(options & PCRE2_ANCHORED) ? WINDOW : key.n + 1;
    for (size_t at = 0; at <= key.n && n == PCRE2_ERROR_NOMATCH; at += window) {
        pcre2_set_offset_limit(s->limits, at + window - 1);
        n = pcre2_match(s->codes[i], (PCRE2_SPTR)key.p, key.n, at, 0, s->groups, s->limits);
        if (n == PCRE2_ERROR_NOMATCH && window == WINDOW && clock_monotonic_ms() - since > MATCH_MS_MAX)
            return PCRE2_ERROR_MATCHLIMIT;
    }
    return n;
}

/* Above 0: fits; 0: does not; below: a limit was passed. */
static int match(pcre_state *s, size_t i, str key)
{
    int n = search(s, i, key);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH)
        return n;
    return (n != PCRE2_ERROR_NOMATCH) != s->rules.rows.p[i].is_negated;
}

table_result pcre_find(void *state, str key, arena *mem, table_answer *out)
{
    pcre_state *s = state;

    for (size_t i = 0; i < s->rules.rows.n; i++) {
        const rule *r = &s->rules.rows.p[i];
        if (r->kind == RULE_ENDIF)
            continue;
        int fits = match(s, i, key);
        if (fits < 0) {
            out->fault = fault_make(FAULT_TRY_LATER, "3.0", "%.*s:%u: matching takes too long",
                                    STR_ARG(str_upto(s->spec, 100)), r->line);
            return TABLE_FAILED;
        }
        if (r->kind == RULE_IF && !fits)
            i = r->behind;
        if (r->kind == RULE_RESULT && fits) {
            out->value = substitute(s, r->result, key, mem);
            out->line = r->line;
            return TABLE_FOUND;
        }
    }
    return TABLE_ABSENT;
}

fault pcre_list(void *state, table_each *each, void *context)
{
    const pcre_state *s = state;

    for (size_t i = 0; i < s->rules.rows.n; i++) {
        const rule *r = &s->rules.rows.p[i];
        if (r->kind == RULE_RESULT && !each(context, r->pattern, r->result))
            break;
    }
    return NO_FAULT;
}

void pcre_close(void *state)
{
    pcre_state *s = state;
    for (size_t i = 0; s->codes && i < s->rules.rows.n; i++)
        pcre2_code_free(s->codes[i]);
    pcre2_match_context_free(s->limits);
    pcre2_match_data_free(s->groups);
    rules_free(&s->rules);
    free(s);
}
