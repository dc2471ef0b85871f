#include "ctl/queue/select.h"
#include "base/map.h"
#include "ctl/common/text.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct fitting {
    const queue_filter *filter;
    queue_rows *rows; /* in the order in which files are asked for; those that fit move to the front */
    size_t at, kept;
} fitting;

/* Files of messages that are gone meanwhile do not come. */
static void fit_one(void *context, const queue_entry *e)
{
    fitting *f = context;
    while (f->at < f->rows->n && f->rows->p[f->at].id != e->id)
        f->at++;
    if (f->at == f->rows->n)
        return;
    queue_row row = f->rows->p[f->at++];
    row.place = (uint8_t)e->place;
    if (filter_fits_entry(f->filter, e) && filter_fits_row(f->filter, &row))
        f->rows->p[f->kept++] = row;
}

static fault files_fit(queue_view *v, const queue_filter *f, queue_rows *rows)
{
    queue_ids ids = { 0 };
    fitting fit = { .filter = f, .rows = rows };
    for (size_t i = 0; i < rows->n; i++)
        *vec_add(&ids) = rows->p[i].id;
    fault out = queue_view_files(v, ids.p, ids.n, fit_one, &fit, NULL);
    rows->n = fit.kept;
    vec_free(&ids);
    return out;
}

static size_t rows_fit(const queue_filter *f, queue_rows *rows)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->n; i++)
        if (filter_fits_row(f, &rows->p[i]))
            rows->p[kept++] = rows->p[i];
    return kept;
}

fault rows_select(queue_view *v, const queue_filter *f, queue_rows *out)
{
    fault wrong = queue_view_rows(v, out);
    out->n = rows_fit(f, out);
    return is_fault(wrong) || !f->needs_files ? wrong : files_fit(v, f, out);
}

typedef struct naming {
    selection *out;
    const invocation *in;
    map seen;
    bool is_all;
} naming;

static void name_take(naming *n, str word)
{
    uint64_t id;
    if (str_equal(word, STR("ALL"))) {
        n->is_all = true;
        return;
    }
    if (!queue_id_read(word, &id)) {
        fprintf(stderr, "postrider %s: no such message: ", n->in->name);
        text_print(stderr, str_upto(word, 80));
        fputc('\n', stderr);
        n->out->wrong++;
    } else if (map_put(&n->seen, (str){ (const char *)&id, sizeof id }, n) == NULL) {
        *vec_add(&n->out->ids) = id;
    }
}

/* The first word of each line, without the mark that mailq puts behind an id. */
static void input_take(naming *n)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    while ((got = getline(&line, &room, stdin)) > 0) {
        str rest = { line, (size_t)got }, word;
        if (!str_word(&rest, " \t\r\n", &word))
            continue;
        if (word.n == QUEUE_ID_CHARS + 1 && strchr("*!?", word.p[word.n - 1]))
            word.n--;
        name_take(n, word);
    }
    free(line);
}

/* Of the ids that were named, those that fit. */
static fault named_fit(queue_view *v, const queue_filter *f, selection *s)
{
    queue_rows rows;
    map named = { 0 };
    fault out = rows_select(v, f, &rows);
    for (size_t i = 0; i < s->ids.n; i++)
        map_put(&named, (str){ (const char *)&s->ids.p[i], sizeof s->ids.p[i] }, s);
    s->ids.n = 0;
    for (size_t i = 0; i < rows.n && !is_fault(out); i++)
        if (map_get(&named, (str){ (const char *)&rows.p[i].id, sizeof rows.p[i].id }))
            *vec_add(&s->ids) = rows.p[i].id;
    map_free(&named);
    vec_free(&rows);
    return out;
}

static fault fitting_take(queue_view *v, const queue_filter *f, selection *s)
{
    queue_rows rows;
    fault out = rows_select(v, f, &rows);
    s->ids.n = 0;
    for (size_t i = 0; i < rows.n && !is_fault(out); i++)
        *vec_add(&s->ids) = rows.p[i].id;
    vec_free(&rows);
    return out;
}

fault selection_take(selection *out, queue_view *v, const invocation *in, const queue_filter *f, bool means_all)
{
    *out = (selection){ 0 };
    naming n = { .out = out, .in = in };
    for (int i = 0; i < in->argc; i++) {
        if (strcmp(in->argv[i], "-") == 0)
            input_take(&n);
        else
            name_take(&n, str_c(in->argv[i]));
    }
    map_free(&n.seen);
    if (in->argc == 0 && !f->is_set && !means_all)
        return fault_make(FAULT_REFUSED, "5.4", "say which messages: ids, ALL, or options that they must fit");
    if (in->argc > 0 && !n.is_all)
        return f->is_set ? named_fit(v, f, out) : NO_FAULT;
    return fitting_take(v, f, out);
}

void selection_free(selection *s)
{
    vec_free(&s->ids);
}
