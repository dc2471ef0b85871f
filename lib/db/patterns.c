#include "db/patterns.h"
#include "conf/list.h"
#include "conf/parser.h"
#include "os/file.h"
#include <fcntl.h>

enum { FILE_DEPTH_MAX = 3, LIST_FILE_MAX = 4 * 1024 * 1024 };

static table *table_take(str where, str file, unsigned line, str spec, table_pool *pool, problems *ps)
{
    table *t;
    fault f = table_pool_open(pool, spec, &t);

    if (t == NULL)
        problem_error(ps, file, line, "%.*s: %s", STR_ARG(where), f.text);
    else if (is_fault(f))
        problem_warning(ps, file, line, "%.*s: %s; mail is deferred until it opens", STR_ARG(where), f.text);
    return t;
}

table *rule_table(str where, str spec, table_pool *pool, problems *ps)
{
    return table_take(where, STR(""), 0, spec, pool, ps);
}

/* Where the words stand, and what becomes of them. */
typedef struct reading {
    str where, file; /* file: empty in main.cf itself */
    unsigned line, depth;
    bool is_excluded; /* the file was named with an exclamation mark */
    table_pool *pool;
    patterns *out;
    problems *ps;
} reading;

static void words_read(const reading *in, str value);

static void file_words_read(const reading *in, str path, bool is_excluded)
{
    buf text = buf_new(LIST_FILE_MAX);
    const char *name = arena_c(in->ps->arena, path); /* problems outlive the list */
    fault f = in->depth < FILE_DEPTH_MAX ? file_read(AT_FDCWD, name, &text)
                                         : fault_make(FAULT_REFUSED, "3.5", "files name files too deeply");
    reading inner = *in;
    str line;

    if (is_fault(f))
        problem_error(in->ps, in->file, in->line, "%.*s: %s", STR_ARG(in->where), f.text);
    inner.file = str_c(name);
    inner.depth++;
    inner.is_excluded = is_excluded;
    config_line_reader r = lines_of(buf_str(&text), &in->out->arena);
    while (!is_fault(f) && line_next(&r, &line, &inner.line))
        words_read(&inner, line);
    buf_free(&text);
}

/* A network is tried first: the groups of an IPv6 address may look like the name of a type. */
static bool pattern_read(const reading *in, str word, pattern *p)
{
    fault f;
    p->text = arena_copy(&in->out->arena, word);
    if (in->out->kind == PATTERN_NETWORKS && network_read(word, &p->network, &f))
        return true;
    if (list_is_table(word))
        return (p->table = table_take(in->where, in->file, in->line, word, in->pool, in->ps)) != NULL;
    if (in->out->kind == PATTERN_DOMAINS)
        return true;
    problem_error(in->ps, in->file, in->line, "%.*s: %s", STR_ARG(in->where), f.text);
    return false;
}

static void word_read(const reading *in, str word)
{
    pattern p = { .is_excluded = in->is_excluded };

    for (; word.n && word.p[0] == '!'; word = str_from(word, 1))
        p.is_excluded = !p.is_excluded;
    if (word.n == 0)
        return;
    if (word.p[0] == '/')
        file_words_read(in, word, p.is_excluded);
    else if (pattern_read(in, word, &p))
        *vec_add(&in->out->rows) = p;
}

static void words_read(const reading *in, str value)
{
    str word;
    while (table_word_next(&value, &word))
        word_read(in, word);
}

void patterns_read(str where, str value, table_pool *pool, patterns *out, problems *ps)
{
    words_read(&(reading){ .where = where, .file = STR(""), .pool = pool, .out = out, .ps = ps }, value);
}

void patterns_free(patterns *p)
{
    vec_free(&p->rows);
    arena_free(&p->arena);
}

static bool domain_fits(const patterns *list, str word, str domain)
{
    if (str_equal_nocase(word, domain))
        return true;
    if (domain.n <= word.n || word.n == 0)
        return false;
    str end = str_from(domain, domain.n - word.n);
    bool has_dot = word.p[0] == '.' || (list->has_subdomains && domain.p[domain.n - word.n - 1] == '.');
    return has_dot && str_equal_nocase(end, word);
}

static match_result pattern_match(const patterns *list, pattern *p, str subject, arena *mem, fault *out_fault)
{
    table_answer answer;

    if (p->table) {
        table_result r = table_find(p->table, subject, mem, &answer);
        *out_fault = answer.fault;
        return r == TABLE_FAILED ? MATCH_FAILED : r == TABLE_FOUND ? MATCH_YES : MATCH_NO;
    }
    if (list->kind == PATTERN_DOMAINS)
        return domain_fits(list, p->text, subject) ? MATCH_YES : MATCH_NO;
    networks one = { .rows = { .p = &p->network, .n = 1, .capacity = 1 } };
    return networks_match_text(&one, subject) ? MATCH_YES : MATCH_NO;
}

match_result patterns_match(const patterns *list, str subject, arena *mem, fault *out_fault)
{
    for (size_t i = 0; i < list->rows.n && subject.n; i++) {
        pattern *p = &list->rows.p[i];
        match_result r = pattern_match(list, p, subject, mem, out_fault);
        if (r == MATCH_FAILED)
            return r;
        if (r == MATCH_YES)
            return p->is_excluded ? MATCH_NO : MATCH_YES;
    }
    return MATCH_NO;
}
