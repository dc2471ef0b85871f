/* postrider queue shape: how long what waits has waited, by destination or another field, as a table with bars. Runs in:
 * postrider. */
#include "base/num.h"
#include "ctl/common/text.h"
#include "ctl/queue/group.h"
#include "ctl/queue/queue.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { NAME_WIDTH = 30, NUMBER_WIDTH = 6, BAR_MAX = 40, BAR_LEAST = 8, ROWS_SHOWN = 20 };

typedef struct shape {
    queue_filter filter;
    bool is_json;
    const char *by, *limit_text;
    uint64_t limit;
    const group_field *field;
    size_t bar_width; /* 0: none */
    bool is_utf8;
} shape;

/* Locale variables are asked in the order of POSIX 8.2; nothing else of the environment counts. */
static bool terminal_has_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static size_t bar_width(void)
{
    size_t table = NAME_WIDTH + (size_t)NUMBER_WIDTH * (AGE_BUCKETS + 1) + 2;
    struct winsize w = { 0 };
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0)
        return 0;
    size_t room = w.ws_col > table ? w.ws_col - table : 0;
    return room < BAR_LEAST ? 0 : room < BAR_MAX ? room : BAR_MAX;
}

/* The older, the darker: three buckets share a shade. */
static void bar_print(const shape *s, const group *g, uint64_t largest)
{
    static const char *const shades[][2] = {
        { ".", "\u2591" }, { ":", "\u2592" }, { "+", "\u2593" }, { "#", "\u2588" }
    };
    uint64_t sum = 0, drawn = 0;
    for (size_t b = 0; b < AGE_BUCKETS; b++) {
        sum += g->ages[b];
        uint64_t upto = (sum * s->bar_width + largest - 1) / largest;
        for (; drawn < upto; drawn++)
            fputs(shades[b / 3][s->is_utf8], stdout);
    }
}

static void name_print(str name)
{
    char cut[NAME_WIDTH + 1];
    snprintf(cut, sizeof cut, "%.*s%s", (int)(name.n > NAME_WIDTH - 2 ? NAME_WIDTH - 3 : name.n), name.p ? name.p : "",
             name.n > NAME_WIDTH - 2 ? "+" : "");
    printf("%*s", (int)(NAME_WIDTH - strlen(cut)), "");
    text_print(stdout, str_c(cut));
}

static void row_print(const shape *s, str name, const group *g, uint64_t largest)
{
    name_print(name);
    printf("%*" PRIu64, NUMBER_WIDTH, g->count);
    for (size_t b = 0; b < AGE_BUCKETS; b++)
        printf("%*" PRIu64, NUMBER_WIDTH, g->ages[b]);
    if (s->bar_width && largest) {
        fputs("  ", stdout);
        bar_print(s, g, largest);
    }
    putchar('\n');
}

static void head_print(void)
{
    printf("%*s%*s", NAME_WIDTH, "", NUMBER_WIDTH, "T");
    for (size_t b = 0; b + 1 < AGE_BUCKETS; b++)
        printf("%*u", NUMBER_WIDTH, group_bucket_minutes(b));
    printf("%*s\n", NUMBER_WIDTH, "more");
}

static void row_json(const shape *s, const group *g)
{
    json_t *ages = json_array();
    for (size_t b = 0; b < AGE_BUCKETS; b++)
        json_array_append_new(ages, json_integer((json_int_t)g->ages[b]));
    queue_json_line(json_pack("{s:s, s:o, s:I, s:o}", "by", s->field->name, "key", queue_json_text(g->key), "total",
                              (json_int_t)g->count, "ages", ages));
}

static void shape_print(const shape *s, const grouping *g)
{
    size_t n;
    group **all = grouping_sorted(g, &n);
    if (!s->is_json) {
        head_print();
        row_print(s, STR("TOTAL"), &g->total, 0);
    }
    for (size_t i = 0; i < n && i < s->limit; i++) {
        if (s->is_json)
            row_json(s, all[i]);
        else
            row_print(s, all[i]->key, all[i], all[0]->count);
    }
    if (!s->is_json && n > s->limit)
        printf("%*s and %zu more: see --limit\n", NAME_WIDTH, "", n - (size_t)s->limit);
    free(all);
}

static fault shape_make(queue_view *v, shape *s)
{
    queue_rows rows;
    queue_ids ids = { 0 };
    grouping g = grouping_begin(s->field, &s->filter);
    fault f = rows_select(v, &s->filter, &rows);
    for (size_t i = 0; i < rows.n; i++)
        *vec_add(&ids) = rows.p[i].id;
    if (!is_fault(f))
        f = queue_view_files(v, ids.p, ids.n, grouping_add, &g, NULL);
    if (!is_fault(f))
        shape_print(s, &g);
    grouping_free(&g);
    vec_free(&ids);
    vec_free(&rows);
    return f;
}

int queue_shape(invocation *in)
{
    shape s = { .limit = isatty(STDOUT_FILENO) ? ROWS_SHOWN : UINT32_MAX, .is_utf8 = terminal_has_utf8() };
    const option_row rows[] = { FILTER_OPTIONS(s.filter),
                                { "json", 'j', &s.is_json, NULL },
                                { "by", 0, NULL, &s.by },
                                { "limit", 'n', NULL, &s.limit_text } };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    s.field = group_field_find(s.by ? s.by : "destination");
    s.bar_width = bar_width();
    if (s.field == NULL || (s.limit_text && !num_parse(str_c(s.limit_text), 1, UINT32_MAX, &s.limit))) {
        fprintf(stderr, "postrider queue shape: --by takes %s, --limit a number\n", group_field_names());
        return EX_USAGE;
    }
    if (queue_begin(in, &s.filter, false, VIEW_LOOK, &v, &status))
        status = queue_fault(in, shape_make(&v, &s));
    queue_view_close(&v);
    return status;
}
