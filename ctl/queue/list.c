/* postrider queue list: messages that fit, sorted, or how many there are. Runs in: postrider. Memory is bounded by a small row for
 * each message; files are read in parts. */
#include "base/num.h"
#include "ctl/common/text.h"
#include "ctl/queue/group.h"
#include "ctl/queue/queue.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct sorted_row {
    queue_row row;
    uint64_t key;
} sorted_row;

typedef struct listing {
    queue_filter filter;
    bool is_json, is_reverse, is_count;
    const char *sort, *limit_text, *by;
    uint64_t limit;
    const group_field *field;
    VEC(sorted_row) rows;
    size_t at, shown;
    uint64_t bytes;
} listing;

static void line_show(void *context, const queue_entry *e)
{
    listing *l = context;
    l->shown++;
    l->bytes += e->file.head.content_bytes;
    if (l->is_json)
        queue_json_print(e);
    else
        queue_line_print(e, l->filter.now_s);
}

static void size_take(void *context, const queue_entry *e)
{
    listing *l = context;
    while (l->at < l->rows.n && l->rows.p[l->at].row.id != e->id)
        l->at++;
    if (l->at < l->rows.n)
        l->rows.p[l->at].key = e->file.head.content_bytes;
}

static fault by_size(queue_view *v, listing *l, const queue_ids *ids)
{
    l->at = 0;
    return queue_view_files(v, ids->p, ids->n, size_take, l, NULL);
}

static fault by_tries(queue_view *v, listing *l, const queue_ids *ids)
{
    (void)v, (void)ids;
    for (size_t i = 0; i < l->rows.n; i++)
        l->rows.p[i].key = l->rows.p[i].row.tries;
    return NO_FAULT;
}

static fault by_next(queue_view *v, listing *l, const queue_ids *ids)
{
    (void)v, (void)ids;
    for (size_t i = 0; i < l->rows.n; i++)
        l->rows.p[i].key = l->rows.p[i].row.place == QUEUE_DEFERRED ? l->rows.p[i].row.next_try_s : UINT64_MAX;
    return NO_FAULT;
}

static fault by_age(queue_view *v, listing *l, const queue_ids *ids)
{
    (void)v, (void)ids;
    for (size_t i = 0; i < l->rows.n; i++)
        l->rows.p[i].key = i;
    return NO_FAULT;
}

static const struct sort_row {
    const char *name;
    bool is_falling; /* the largest first */
    fault (*keys)(queue_view *v, listing *l, const queue_ids *ids);
} sorts[] = {
    { "age", false, by_age }, { "size", true, by_size }, { "tries", true, by_tries }, { "next", false, by_next }
};

static const struct sort_row *sort_of(const listing *l)
{
    for (size_t i = 0; i < COUNT_OF(sorts); i++)
        if (strcmp(l->sort ? l->sort : "age", sorts[i].name) == 0)
            return &sorts[i];
    return NULL;
}

static int rising(const void *a, const void *b)
{
    const sorted_row *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

static int falling(const void *a, const void *b)
{
    const sorted_row *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key) - (x->key > y->key) : (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

/* The ids in the order in which they are shown. */
static fault order_make(queue_view *v, listing *l, queue_ids *ids)
{
    const struct sort_row *s = sort_of(l);
    fault f = s->keys(v, l, ids);
    if (l->rows.n)
        qsort(l->rows.p, l->rows.n, sizeof *l->rows.p, s->is_falling != l->is_reverse ? falling : rising);
    ids->n = l->limit < l->rows.n ? (size_t)l->limit : l->rows.n;
    for (size_t i = 0; i < ids->n; i++)
        ids->p[i] = l->rows.p[i].row.id;
    return f;
}

static void count_print(const group *g)
{
    printf("%8" PRIu64 " %7s  ", g->count, text_bytes(g->bytes).text);
    text_print(stdout, g->key);
    putchar('\n');
}

static void groups_print(const listing *l, const grouping *g)
{
    size_t n;
    group **all = grouping_sorted(g, &n);
    for (size_t i = 0; i < n && i < l->limit; i++) {
        if (l->is_json)
            queue_json_line(json_pack("{s:s, s:o, s:I, s:I}", "by", l->field->name, "key", queue_json_text(all[i]->key),
                                      "count", (json_int_t)all[i]->count, "bytes", (json_int_t)all[i]->bytes));
        else
            count_print(all[i]);
    }
    free(all);
}

static fault count_show(queue_view *v, listing *l, const queue_ids *ids)
{
    if (l->field == NULL) {
        printf(l->is_json ? "{\"count\":%zu}\n" : "%zu\n", ids->n);
        return NO_FAULT;
    }
    grouping g = grouping_begin(l->field, &l->filter);
    fault f = queue_view_files(v, ids->p, ids->n, grouping_add, &g, NULL);
    if (!is_fault(f))
        groups_print(l, &g);
    grouping_free(&g);
    return f;
}

static void totals_print(const queue_view *v, const listing *l)
{
    if (l->rows.n == 0)
        puts(l->filter.is_set ? "no message fits" : "the queue is empty");
    else
        printf("\n%zu message%s%s, %" PRIu64 " bytes%s\n", l->shown, l->shown == 1 ? "" : "s",
               l->shown < l->rows.n ? " of those that fit" : "", l->bytes,
               queue_view_is_running(v) ? "" : "; the suite does not run");
}

static fault list_show(queue_view *v, listing *l)
{
    queue_rows rows;
    queue_ids ids = { 0 };
    fault f = rows_select(v, &l->filter, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        *vec_add(&ids) = rows.p[i].id;
        *vec_add(&l->rows) = (sorted_row){ .row = rows.p[i] };
    }
    vec_free(&rows);
    if (!is_fault(f) && l->is_count) {
        f = count_show(v, l, &ids);
    } else if (!is_fault(f)) {
        f = order_make(v, l, &ids);
        if (!is_fault(f))
            f = queue_view_files(v, ids.p, ids.n, line_show, l, NULL);
        if (!is_fault(f) && !l->is_json)
            totals_print(v, l);
    }
    vec_free(&ids);
    return f;
}

/* --by alone counts, too. */
static bool options_are_right(listing *l)
{
    l->limit = UINT64_MAX;
    l->is_count = l->is_count || l->by;
    l->field = l->by ? group_field_find(l->by) : NULL;
    if (l->by && l->field == NULL)
        fprintf(stderr, "postrider queue list: --by %.40s: %s is expected\n", l->by, group_field_names());
    else if (sort_of(l) == NULL)
        fprintf(stderr, "postrider queue list: --sort %.40s: age, size, tries or next is expected\n", l->sort);
    else if (l->limit_text && !num_parse(str_c(l->limit_text), 1, UINT32_MAX, &l->limit))
        fprintf(stderr, "postrider queue list: --limit %.40s: a number is expected\n", l->limit_text);
    else
        return true;
    return false;
}

int queue_list(invocation *in)
{
    listing l = { 0 };
    const option_row rows[] = {
        FILTER_OPTIONS(l.filter),
        { "json", 'j', &l.is_json, NULL },
        { "sort", 0, NULL, &l.sort },
        { "reverse", 'r', &l.is_reverse, NULL },
        { "count", 'c', &l.is_count, NULL },
        { "by", 0, NULL, &l.by },
        { "limit", 'n', NULL, &l.limit_text },
    };
    queue_view v;
    int status;
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0) || !options_are_right(&l))
        return EX_USAGE;
    if (queue_begin(in, &l.filter, true, VIEW_LOOK, &v, &status))
        status = queue_fault(in, list_show(&v, &l));
    queue_view_close(&v);
    vec_free(&l.rows);
    return status;
}
