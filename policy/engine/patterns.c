#include "policy/engine/patterns.h"
#include "conf/parser.h"
#include "os/file.h"
#include <fcntl.h>

enum { FILE_DEPTH_MAX = 3, LIST_FILE_MAX = 4 * 1024 * 1024 };

table *rule_table(str where, str spec, table_pool *pool, problems *ps)
{
    table *t;
    fault f = table_pool_open(pool, spec, &t);

    if (t == NULL)
        problem_error(ps, STR(""), 0, "%.*s: %s", STR_ARG(where), f.text);
    else if (is_fault(f))
        problem_warning(ps, STR(""), 0, "%.*s: %s; mail is deferred until it opens", STR_ARG(where), f.text);
    return t;
}

static void words_read(str where, str value, table_pool *pool, patterns *out, problems *ps, unsigned depth);

static void file_words_read(str where, str path, table_pool *pool, patterns *out, problems *ps, unsigned depth)
{
    buf text = buf_new(LIST_FILE_MAX);
    fault f = depth < FILE_DEPTH_MAX ? file_read(AT_FDCWD, arena_c(&out->arena, path), &text)
                                     : fault_make(FAULT_REFUSED, "3.5", "files name files too deeply");
    str line;
    unsigned number;

    if (is_fault(f))
        problem_error(ps, STR(""), 0, "%.*s: %s", STR_ARG(where), f.text);
    for (config_line_reader r = lines_of(buf_str(&text), &out->arena); !is_fault(f) && line_next(&r, &line, &number);)
        words_read(where, line, pool, out, ps, depth + 1);
    buf_free(&text);
}

/* An IPv6 address has colons too; the names of types are none. */
static bool is_table(str word)
{
    size_t colon = str_find(word, ':');
    bool is_name = colon > 0 && colon < word.n;
    for (size_t i = 0; i < colon && is_name; i++)
        is_name = word.p[i] >= 'a' && word.p[i] <= 'z';
    return is_name && str_find(word, '/') > colon && !(word.n > colon + 1 && word.p[colon + 1] == ':');
}

static void word_read(str where, str word, table_pool *pool, patterns *out, problems *ps, unsigned depth)
{
    pattern p = { 0 };
    fault f;

    for (; word.n && word.p[0] == '!'; word = str_from(word, 1))
        p.is_excluded = !p.is_excluded;
    if (word.n == 0)
        return;
    if (word.p[0] == '/' && !p.is_excluded) {
        file_words_read(where, word, pool, out, ps, depth);
        return;
    }
    p.text = arena_copy(&out->arena, word);
    bool is_right = true;
    if (is_table(word))
        is_right = (p.table = rule_table(where, word, pool, ps)) != NULL;
    else if (out->kind == PATTERN_NETWORKS && !(is_right = network_read(word, &p.network, &f)))
        problem_error(ps, STR(""), 0, "%.*s: %s", STR_ARG(where), f.text);
    if (is_right)
        *vec_add(&out->rows) = p;
}

static void words_read(str where, str value, table_pool *pool, patterns *out, problems *ps, unsigned depth)
{
    str word;
    while (table_word_next(&value, &word))
        word_read(where, word, pool, out, ps, depth);
}

void patterns_read(str where, str value, table_pool *pool, patterns *out, problems *ps)
{
    words_read(where, value, pool, out, ps, 0);
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
