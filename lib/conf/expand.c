#include "conf/expand.h"

/* Names are looked up and one branch is taken; or (seen is set) every name in every branch is told and nothing made. */
typedef struct expander {
    expand_lookup *lookup;
    void (*seen)(void *context, str name);
    void *context;
} expander;

static fault refused(const char *text, str at)
{
    return fault_make(FAULT_REFUSED, "3.5", "%s at \"%.*s\"", text, (int)(at.n < 40 ? at.n : 40), at.p ? at.p : "");
}

static fault put(const expander *e, str text, buf *out)
{
    return e->seen || buf_append(out, text) ? NO_FAULT : refused("the value becomes too long", text);
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t name_length(str s)
{
    size_t n = 0;
    while (n < s.n && is_name_char(s.p[n]))
        n++;
    return n;
}

static str skip_blanks(str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\r' || s.p[0] == '\n'))
        s = str_from(s, 1);
    return s;
}

/* *rest begins with an opening bracket; takes what is inside and moves behind the closing one. */
static bool take_inside(str *rest, str *inside)
{
    char opening = rest->p[0], closing = opening == '{' ? '}' : ')';
    size_t level = 0;

    for (size_t i = 0; i < rest->n; i++) {
        level += rest->p[i] == opening;
        if (rest->p[i] == closing && --level == 0) {
            *inside = (str){ rest->p + 1, i - 1 };
            *rest = str_from(*rest, i + 1);
            return true;
        }
    }
    return false;
}

/* A branch: {text} with blanks around it, or else all that is left. */
static bool take_branch(str *rest, str *branch)
{
    str at = skip_blanks(*rest);
    if (at.n == 0 || at.p[0] != '{') {
        *branch = *rest;
        *rest = str_from(*rest, rest->n);
        return true;
    }
    if (!take_inside(&at, branch))
        return false;
    *rest = skip_blanks(at);
    return true;
}

static fault expand_text(const expander *e, str text, unsigned depth, buf *out);

/* What stands behind a condition: ?then, :otherwise, ?{then}:{otherwise}. */
static fault expand_branches(const expander *e, bool holds, str rest, unsigned depth, buf *out)
{
    str branches[2] = { STR_NONE, STR_NONE }; /* when it does not hold, when it does */

    if (rest.p[0] == '?') {
        rest = str_from(rest, 1);
        if (!take_branch(&rest, &branches[1]))
            return refused("a brace does not close", rest);
    }
    if (rest.n && rest.p[0] == ':') {
        rest = str_from(rest, 1);
        if (!take_branch(&rest, &branches[0]))
            return refused("a brace does not close", rest);
    }
    if (rest.n)
        return refused("unexpected text behind a brace", rest);
    fault f = expand_text(e, branches[holds], depth + 1, out);
    return is_fault(f) || !e->seen ? f : expand_text(e, branches[!holds], depth + 1, out);
}

static bool is_number(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static str without_zeros(str s)
{
    while (s.n > 1 && s.p[0] == '0')
        s = str_from(s, 1);
    return s;
}

/* Numbers by value, of any length; everything else by bytes. */
static int operand_compare(str a, str b)
{
    if (!is_number(a) || !is_number(b))
        return str_compare(a, b);
    a = without_zeros(a);
    b = without_zeros(b);
    return a.n != b.n ? (a.n > b.n) - (a.n < b.n) : str_compare(a, b);
}

typedef struct comparison {
    str sign;
    bool when_less, when_equal, when_more;
} comparison;

static const comparison *comparison_find(str s)
{
    static const comparison rows[] = {
        { STR_ROW("=="), false, true, false }, { STR_ROW("!="), true, false, true },
        { STR_ROW("<="), true, true, false },  { STR_ROW(">="), false, true, true },
        { STR_ROW("<"), true, false, false },  { STR_ROW(">"), false, false, true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_starts(s, rows[i].sign))
            return &rows[i];
    return NULL;
}

static fault operands_expand(const expander *e, const str operands[2], unsigned depth, int *out_order)
{
    buf left = buf_new(EXPAND_OPERAND_MAX), right = buf_new(EXPAND_OPERAND_MAX);

    fault f = expand_text(e, operands[0], depth + 1, &left);
    if (!is_fault(f))
        f = expand_text(e, operands[1], depth + 1, &right);
    *out_order = operand_compare(buf_str(&left), buf_str(&right));
    buf_free(&left);
    buf_free(&right);
    return f;
}

/* {left} sign {right}, and branches behind it; without any, "true" or nothing, as Postfix has it. */
static fault expand_comparison(const expander *e, str rest, unsigned depth, buf *out)
{
    str operands[2];
    int order = 0;

    if (!take_inside(&rest, &operands[0]))
        return refused("a brace does not close", rest);
    rest = skip_blanks(rest);
    const comparison *c = comparison_find(rest);
    if (c == NULL)
        return refused("one of == != < <= >= > is missing", rest);
    rest = skip_blanks(str_from(rest, c->sign.n));
    if (rest.n == 0 || rest.p[0] != '{' || !take_inside(&rest, &operands[1]))
        return refused("{text} is missing behind a comparison", rest);
    fault f = operands_expand(e, operands, depth, &order);
    if (is_fault(f))
        return f;
    bool holds = order < 0 ? c->when_less : order > 0 ? c->when_more : c->when_equal;
    rest = skip_blanks(rest);
    if (rest.n == 0)
        return put(e, holds ? STR("true") : STR_NONE, out);
    if (rest.p[0] != '?' && rest.p[0] != ':')
        return refused("? or : is missing behind a comparison", rest);
    return expand_branches(e, holds, rest, depth, out);
}

static fault expand_name(const expander *e, str name, unsigned depth, buf *out)
{
    str value = STR_NONE;
    fault f = NO_FAULT;

    if (e->seen) {
        e->seen(e->context, name);
        return f;
    }
    bool is_defined = e->lookup(e->context, name, depth + 1, &value, &f);
    if (is_fault(f))
        return f;
    if (!is_defined)
        return fault_make(FAULT_REFUSED, "3.5", "$%.*s is not defined", STR_ARG(str_upto(name, 100)));
    return put(e, value, out);
}

/* What stands within ${ } or $( ). */
static fault expand_inside(const expander *e, str inside, unsigned depth, buf *out)
{
    str at = skip_blanks(inside), value = STR_NONE;
    fault f = NO_FAULT;

    if (at.n && at.p[0] == '{')
        return expand_comparison(e, at, depth, out);
    str name = str_upto(inside, name_length(inside));
    str rest = str_from(inside, name.n);
    if (name.n == 0 || (rest.n && rest.p[0] != '?' && rest.p[0] != ':'))
        return refused("a name is expected", inside);
    if (rest.n == 0)
        return expand_name(e, name, depth, out);
    if (e->seen)
        e->seen(e->context, name);
    else
        e->lookup(e->context, name, depth + 1, &value, &f);
    return is_fault(f) ? f : expand_branches(e, e->seen || value.n > 0, rest, depth, out);
}

/* *rest begins behind a dollar sign. */
static fault expand_reference(const expander *e, str *rest, unsigned depth, buf *out)
{
    str inside, from = *rest;

    if (rest->n && rest->p[0] == '$') {
        *rest = str_from(*rest, 1);
        return put(e, STR("$"), out);
    }
    if (rest->n && (rest->p[0] == '{' || rest->p[0] == '(')) {
        if (!take_inside(rest, &inside))
            return refused("a bracket does not close", from);
        return expand_inside(e, inside, depth, out);
    }
    size_t n = name_length(*rest);
    if (n == 0)
        return refused("$ without a name (a dollar sign is written $$)", from);
    *rest = str_from(*rest, n);
    return expand_name(e, str_upto(from, n), depth, out);
}

static fault expand_text(const expander *e, str text, unsigned depth, buf *out)
{
    fault f = NO_FAULT;

    if (depth > EXPAND_DEPTH_MAX)
        return refused("nested too deeply", text);
    while (text.n && !is_fault(f)) {
        size_t n = str_find(text, '$');
        f = put(e, str_upto(text, n), out);
        if (is_fault(f) || n == text.n)
            break;
        text = str_from(text, n + 1);
        f = expand_reference(e, &text, depth, out);
    }
    return f;
}

fault expand(str text, expand_lookup *lookup, void *context, unsigned depth, buf *out)
{
    return expand_text(&(expander){ .lookup = lookup, .context = context }, text, depth, out);
}

void expand_names(str text, void (*seen)(void *context, str name), void *context)
{
    expand_text(&(expander){ .seen = seen, .context = context }, text, 0, NULL);
}
