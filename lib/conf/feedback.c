#include "conf/feedback.h"
#include "base/num.h"

enum { DIGITS_MAX = 6, SCALE = 1000000 };

/* "0.25": digits, then a dot and at most six more. */
static bool decimal_read(str s, double *out)
{
    str whole;
    uint64_t units = 0, parts = 0;
    str_cut(&s, '.', &whole);
    if (whole.n && !num_parse(whole, 0, 1, &units))
        return false;
    if (s.n > DIGITS_MAX || (s.n && !num_parse(s, 0, SCALE, &parts)) || whole.n + s.n == 0)
        return false;
    for (size_t i = s.n; i < DIGITS_MAX; i++)
        parts *= 10;
    *out = (double)units + (double)parts / SCALE;
    return *out <= 1;
}

fault feedback_read(str text, feedback *out)
{
    str number, rest = text;
    bool is_divided = str_has(text, '/');
    str_cut(&rest, '/', &number);
    rest = str_trim(rest);
    *out = (feedback){ .kind = FEEDBACK_FIXED };
    if (is_divided && str_equal(rest, STR("concurrency")))
        out->kind = FEEDBACK_BY_CONCURRENCY;
    else if (is_divided && str_equal(rest, STR("sqrt_concurrency")))
        out->kind = FEEDBACK_BY_ROOT;
    else if (is_divided)
        return fault_make(FAULT_REFUSED, "3.5", "\"%.*s\" is divided neither by concurrency nor by sqrt_concurrency",
                          STR_ARG(str_upto(text, 60)));
    if (!decimal_read(str_trim(number), &out->value))
        return fault_make(FAULT_REFUSED, "3.5", "\"%.*s\" does not begin with a number from 0 to 1",
                          STR_ARG(str_upto(text, 60)));
    return NO_FAULT;
}

/* Newton's steps; libm would be one more library for this alone. */
static double root(double x)
{
    double r = x > 1 ? x : 1;
    for (int i = 0; i < 20; i++)
        r = (r + x / r) / 2;
    return r;
}

double feedback_of(const feedback *f, uint32_t concurrency)
{
    double by = concurrency ? concurrency : 1;
    switch (f->kind) {
    case FEEDBACK_BY_CONCURRENCY: return f->value / by;
    case FEEDBACK_BY_ROOT: return f->value / root(by);
    case FEEDBACK_FIXED: break;
    }
    return f->value;
}
