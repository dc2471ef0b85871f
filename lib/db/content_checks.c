#include "db/content_checks.h"

static const struct {
    str name;
    check_verb verb;
    const char *wanted; /* what must stand behind it; NULL: nothing must */
} actions[] = {
    { STR_ROW("BCC"), CHECK_BCC, "an address" },
    { STR_ROW("DISCARD"), CHECK_DISCARD, NULL },
    { STR_ROW("DUNNO"), CHECK_DUNNO, NULL },
    { STR_ROW("OK"), CHECK_DUNNO, NULL },
    { STR_ROW("FILTER"), CHECK_FILTER, NULL },
    { STR_ROW("HOLD"), CHECK_HOLD, NULL },
    { STR_ROW("IGNORE"), CHECK_IGNORE, NULL },
    { STR_ROW("INFO"), CHECK_INFO, NULL },
    { STR_ROW("PASS"), CHECK_PASS, NULL },
    { STR_ROW("PREPEND"), CHECK_PREPEND, "a text" },
    { STR_ROW("REDIRECT"), CHECK_REDIRECT, "an address" },
    { STR_ROW("REJECT"), CHECK_REJECT, NULL },
    { STR_ROW("REPLACE"), CHECK_REPLACE, "a text" },
    { STR_ROW("STRIP"), CHECK_STRIP, NULL },
    { STR_ROW("WARN"), CHECK_WARN, NULL },
};

static size_t action_find(str name)
{
    size_t i = 0;
    while (i < COUNT_OF(actions) && !str_equal_nocase(actions[i].name, name))
        i++;
    return i;
}

check_action check_action_read(str value)
{
    str rest = value, name = STR_NONE;

    str_word(&rest, " \t", &name);
    size_t i = action_find(name);
    return (check_action){ .verb = i < COUNT_OF(actions) ? actions[i].verb : CHECK_UNKNOWN,
                           .name = name,
                           .text = str_trim(rest) };
}

typedef struct verifying {
    str where, table;
    problems *ps;
} verifying;

/* Of each result in a table, before mail meets it. */
static bool result_verify(void *context, str key, str value)
{
    const verifying *v = context;
    check_action a = check_action_read(value);
    size_t i = action_find(a.name);

    key = str_upto(key, 60);
    if (a.verb == CHECK_UNKNOWN)
        problem_error(v->ps, STR(""), 0, "%.*s: %.*s: %.*s: there is no action \"%.*s\"", STR_ARG(v->where),
                      STR_ARG(v->table), STR_ARG(key), STR_ARG(str_upto(a.name, 40)));
    else if (a.verb == CHECK_FILTER)
        problem_error(v->ps, STR(""), 0, "%.*s: %.*s: %.*s: the action FILTER is not supported yet", STR_ARG(v->where),
                      STR_ARG(v->table), STR_ARG(key));
    else if (actions[i].wanted && a.text.n == 0)
        problem_error(v->ps, STR(""), 0, "%.*s: %.*s: %.*s: %.*s needs %s behind it", STR_ARG(v->where),
                      STR_ARG(v->table), STR_ARG(key), STR_ARG(a.name), actions[i].wanted);
    return true;
}

/* What is asked for each line of each message stands in memory: cleanup has no files. */
static bool is_held_in_memory(str spec)
{
    static const str types[] = { STR_ROW("pcre"), STR_ROW("texthash"), STR_ROW("inline"), STR_ROW("static") };
    str type = str_upto(spec, str_find(spec, ':'));
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_equal(types[i], type))
            return true;
    return false;
}

static void list_read(content_checks *cs, check_kind kind, str where, str value, problems *ps)
{
    str word;

    while (table_word_next(&value, &word)) {
        table *t = NULL;
        if (!is_held_in_memory(word)) {
            problem_error(ps, STR(""), 0, "%.*s: %.*s: only pcre, texthash, inline and static tables can be used here",
                          STR_ARG(where), STR_ARG(str_upto(word, 100)));
            continue;
        }
        fault f = table_pool_open(&cs->pool, word, &t);
        if (is_fault(f))
            problem_error(ps, STR(""), 0, "%.*s: %s", STR_ARG(where), f.text);
        verifying v = { where, word, ps };
        if (t && !is_fault(f))
            table_list(t, result_verify, &v);
        if (t)
            *vec_add(&cs->lists[kind]) = t;
    }
}

void content_checks_open(const config *c, content_checks *out, problems *ps)
{
    const struct {
        const char *name;
        str value;
        check_kind kind;
    } rows[] = {
        { "header_checks", c->header_checks, CHECKS_HEADER },
        { "mime_header_checks", c->mime_header_checks, CHECKS_MIME },
        { "nested_header_checks", c->nested_header_checks, CHECKS_NESTED },
        { "body_checks", c->body_checks, CHECKS_BODY },
    };

    *out = (content_checks){ .context = { .default_type = c->default_database_type } };
    out->pool.context = &out->context;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool is_said = i > 0 && str_equal(rows[i].value, c->header_checks); /* the default of two is $header_checks */
        problems none = { .arena = ps->arena };
        list_read(out, rows[i].kind, str_c(rows[i].name), rows[i].value, is_said ? &none : ps);
        problems_free(&none);
    }
}

void content_checks_free(content_checks *cs)
{
    for (size_t i = 0; i < CHECK_KINDS; i++)
        vec_free(&cs->lists[i]);
    table_pool_free(&cs->pool);
}

bool content_check(const content_checks *cs, check_kind kind, str text, arena *mem, check_action *out, fault *out_fault)
{
    table_answer answer;

    *out_fault = NO_FAULT;
    for (size_t i = 0; i < cs->lists[kind].n; i++) {
        table *t = cs->lists[kind].p[i];
        table_result r = table_match(t, text, mem, &answer);
        if (r == TABLE_FAILED) {
            *out_fault = answer.fault;
            return false;
        }
        if (r == TABLE_FOUND) {
            *out = check_action_read(answer.value);
            out->table = table_name(t);
            out->line = answer.line;
            return true;
        }
    }
    return false;
}
