#include "db/rules.h"
#include "conf/parser.h"
#include "os/file.h"
#include <fcntl.h>

fault rule_fault(const table_origin *from, unsigned line, const char *wrong)
{
    return fault_make(FAULT_TRY_LATER, "3.5", "%s:%u: %s", from->path, line, wrong);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes `word` off the front of the line when blanks or the end follow. */
static bool keyword_cut(str *line, str word)
{
    bool is_it = str_starts_nocase(*line, word) && (line->n == word.n || is_blank(line->p[word.n]));
    if (is_it)
        *line = str_trim(str_from(*line, word.n));
    return is_it;
}

/* NULL: *out has the rule; else what is wrong. */
static const char *rule_read(str line, rule_pattern_length *length, rule *out)
{
    line = str_trim(line);
    if (keyword_cut(&line, STR("endif"))) {
        out->kind = RULE_ENDIF;
        return line.n ? "nothing may stand behind endif" : NULL;
    }
    out->kind = keyword_cut(&line, STR("if")) ? RULE_IF : RULE_RESULT;
    for (; line.n && line.p[0] == '!'; line = str_trim(str_from(line, 1)))
        out->is_negated = !out->is_negated;
    out->pattern = str_upto(line, length(line));
    out->result = str_trim(str_from(line, out->pattern.n));
    if (out->pattern.n == 0)
        return "expected a pattern";
    if (out->kind == RULE_IF)
        return out->result.n ? "nothing may stand behind the pattern of if" : NULL;
    return out->result.n ? NULL : "there is no result behind the pattern";
}

/* The open ifs are a list through `behind`: index of the next outer one, counted from 1. */
static const char *rule_add(const rule *r, rules *out, size_t *open, unsigned *depth)
{
    if (r->kind == RULE_ENDIF) {
        if (*open == 0)
            return "endif without if";
        rule *opening = &out->rows.p[*open - 1];
        *open = opening->behind;
        opening->behind = out->rows.n;
        (*depth)--;
    }
    *vec_add(&out->rows) = *r;
    if (r->kind == RULE_IF) {
        out->rows.p[out->rows.n - 1].behind = *open;
        *open = out->rows.n;
        if (++*depth > RULE_NESTING_MAX)
            return "too many nested ifs";
    }
    return NULL;
}

static fault rules_read(const table_origin *from, str text, rule_pattern_length *length, rules *out)
{
    size_t open = 0;
    unsigned depth = 0, number;
    str line;

    for (config_line_reader r = lines_of(text, &out->arena); line_next(&r, &line, &number);) {
        rule one = { .line = number };
        const char *wrong = str_has(line, '\0') ? "has a NUL byte" : rule_read(line, length, &one);
        if (wrong == NULL)
            wrong = rule_add(&one, out, &open, &depth);
        if (wrong)
            return rule_fault(from, number, wrong);
    }
    return open ? rule_fault(from, out->rows.p[open - 1].line, "if without endif") : NO_FAULT;
}

fault rules_load(const table_origin *from, rule_pattern_length *length, rules *out)
{
    buf text = buf_new(TABLE_FILE_MAX);
    fault f = file_read(AT_FDCWD, from->path, &text);

    *out = (rules){ 0 };
    if (is_fault(f))
        f.kind = FAULT_TRY_LATER;
    else
        f = rules_read(from, buf_str(&text), length, out);
    buf_free(&text);
    return f;
}

void rules_free(rules *rs)
{
    vec_free(&rs->rows);
    arena_free(&rs->arena);
}
