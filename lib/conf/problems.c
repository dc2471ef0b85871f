#include "conf/problems.h"
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>

/* A value that is bad in main.cf is met again in each service that inherits it: said once. */
static bool is_said(const problems *ps, const problem *p)
{
    for (size_t i = 0; i < ps->rows.n; i++) {
        const problem *q = &ps->rows.p[i];
        if (q->line == p->line && q->is_warning == p->is_warning && str_equal(q->file, p->file) &&
            str_equal(q->text, p->text))
            return true;
    }
    return false;
}

__attribute__((format(printf, 5, 0))) static void add(problems *ps, str file, unsigned line, bool is_warning,
                                                      const char *format, va_list args)
{
    char text[400];
    int n = vsnprintf(text, sizeof text, format, args);
    size_t kept = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    problem p = { file, line, is_warning, { text, kept } };

    if (is_said(ps, &p))
        return;
    ps->error_count += !is_warning;
    ps->warning_count += is_warning;
    if (ps->rows.n == PROBLEM_COUNT_MAX)
        return;
    p.text = arena_copy(ps->arena, p.text);
    *vec_add(&ps->rows) = p;
}

void problem_error(problems *ps, str file, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(ps, file, line, false, format, args);
    va_end(args);
}

void problem_warning(problems *ps, str file, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(ps, file, line, true, format, args);
    va_end(args);
}

static int compare(const void *a, const void *b)
{
    const problem *p = *(const problem *const *)a, *q = *(const problem *const *)b;
    int order = str_compare(p->file, q->file);
    if (order == 0)
        order = (p->line > q->line) - (p->line < q->line);
    return order ? order : (p > q) - (p < q);
}

/* Control bytes come from the file that is complained of; they do not reach the terminal. */
static void append_printable(buf *out, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_append_char(out, (char)c);
    }
}

static void append(buf *out, const problem *p)
{
    append_printable(out, p->file);
    if (p->line)
        buf_printf(out, ":%u", p->line);
    buf_printf(out, "%s%s: ", p->file.n ? ": " : "", p->is_warning ? "warning" : "error");
    append_printable(out, p->text);
    buf_append_char(out, '\n');
}

str problems_text(const problems *ps, arena *a)
{
    const problem **sorted = ARENA_ARRAY(a, const problem *, ps->rows.n + 1);
    buf text = buf_new(SIZE_MAX / 2);

    for (size_t i = 0; i < ps->rows.n; i++)
        sorted[i] = &ps->rows.p[i];
    qsort(sorted, ps->rows.n, sizeof *sorted, compare);
    for (size_t i = 0; i < ps->rows.n; i++)
        append(&text, sorted[i]);
    size_t left_out = ps->error_count + ps->warning_count - ps->rows.n;
    if (left_out)
        buf_printf(&text, "and %zu more\n", left_out);
    str copy = arena_copy(a, buf_str(&text));
    buf_free(&text);
    return copy;
}

void problems_to_log(const problems *ps)
{
    for (size_t i = 0; i < ps->rows.n; i++)
        log_event(ps->rows.p[i].is_warning ? LOG_WARNING : LOG_ERROR, "configuration", LOG_STR("file", ps->rows.p[i].file),
                  LOG_NUM("line", ps->rows.p[i].line), LOG_STR("reason", ps->rows.p[i].text));
}

void problems_free(problems *ps)
{
    vec_free(&ps->rows);
    ps->error_count = ps->warning_count = 0;
}
