/* postrider map: indexed tables made, looked into, listed and turned into others. Runs in: postrider. */
#include "db/map_build.h"
#include "ctl/commands.h"
#include "ctl/common/aliases.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct map_options {
    bool is_alias, is_convert;
    const char *query;
} map_options;

/* Options are the same for all verbs; postmap's -q is taken too. */
static bool take(invocation *in, map_options *o, int least, int most)
{
    const option_row rows[] = { { "aliases", 'a', &o->is_alias, NULL },
                                { "convert", 0, &o->is_convert, NULL },
                                { "query", 'q', NULL, &o->query } };
    return options_take(in, rows, COUNT_OF(rows), least, most);
}

static table_context context_of(invocation *in, const map_options *o)
{
    const config *c = command_config(in, false);
    return (table_context){ .default_type = c ? c->default_database_type : STR(DEFAULT_DATABASE_TYPE),
                            .is_alias = o->is_alias };
}

static int build_all(invocation *in, const map_options *o)
{
    table_context t = context_of(in, o);
    int status = EXIT_DONE;
    for (int i = 0; i < in->argc; i++) {
        fault f = table_make(in->argv[i], o->is_alias, &t);
        if (is_fault(f))
            status = command_fault(in, f);
    }
    return status;
}

static int build(invocation *in)
{
    map_options o = { 0 };
    return take(in, &o, 1, 10000) ? build_all(in, &o) : EX_USAGE;
}

/* 1 like postmap when the key is not there. */
static int query_one(invocation *in, const table_context *t, const char *spec, str key)
{
    arena a = arena_new(0);
    table_result r;
    table_answer answer;
    fault f = map_query(str_c(spec), key, t, &a, &r, &answer);
    if (r == TABLE_FOUND) {
        fwrite(answer.value.p, 1, answer.value.n, stdout);
        putchar('\n');
    }
    arena_free(&a);
    return r == TABLE_FOUND ? EXIT_DONE : is_fault(f) ? command_fault(in, f) : EXIT_FAILED;
}

/* Keys from the input, one a line: "key<tab>value" for each that is there. */
static int query_lines(invocation *in, const table_context *t, const char *spec)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int status = EXIT_FAILED;
    while ((n = getline(&line, &room, stdin)) > 0) {
        str key = str_trim((str){ line, (size_t)n });
        arena a = arena_new(0);
        table_result r;
        table_answer answer;
        fault f = map_query(str_c(spec), key, t, &a, &r, &answer);
        if (r == TABLE_FOUND) {
            printf("%.*s\t%.*s\n", STR_ARG(key), STR_ARG(answer.value));
            status = EXIT_DONE;
        }
        arena_free(&a);
        if (is_fault(f)) {
            status = command_fault(in, f);
            break;
        }
    }
    free(line);
    return status;
}

static int query_key(invocation *in, const table_context *t, const char *spec, const char *key)
{
    return strcmp(key, "-") == 0 ? query_lines(in, t, spec) : query_one(in, t, spec, str_c(key));
}

static int query(invocation *in)
{
    map_options o = { 0 };
    if (!take(in, &o, 2, 10000))
        return EX_USAGE;
    table_context t = context_of(in, &o);
    int status = EXIT_FAILED;
    for (int i = 1; i < in->argc; i++) {
        int one = query_key(in, &t, in->argv[0], in->argv[i]);
        status = i == 1 || one > status ? one : status;
    }
    return status;
}

static int dump(invocation *in)
{
    map_options o = { 0 };
    if (!take(in, &o, 1, 1))
        return EX_USAGE;
    table_context t = context_of(in, &o);
    buf out = buf_new(SIZE_MAX / 2);
    fault f = map_dump(str_c(in->argv[0]), &t, &out);
    if (!is_fault(f))
        fwrite(buf_c(&out), 1, out.n, stdout);
    buf_free(&out);
    return command_fault(in, f);
}

static int convert_two(invocation *in, const map_options *o)
{
    table_context t = context_of(in, o);
    size_t count = 0;
    fault f = map_convert(str_c(in->argv[0]), str_c(in->argv[1]), &t, &count);
    if (!is_fault(f))
        fprintf(stderr, "%s: %zu entries\n", in->argv[1], count);
    return command_fault(in, f);
}

static int convert(invocation *in)
{
    map_options o = { 0 };
    return take(in, &o, 2, 2) ? convert_two(in, &o) : EX_USAGE;
}

/* Without a verb, as postmap: -q KEY TYPE:FILE looks up, else the tables are built. */
static int like_postmap(invocation *in)
{
    map_options o = { 0 };
    in->name = "map";
    if (!take(in, &o, 1, 10000))
        return EX_USAGE;
    if (o.is_convert)
        return in->argc == 2 ? convert_two(in, &o) : command_usage(in);
    if (o.query == NULL)
        return build_all(in, &o);
    table_context t = context_of(in, &o);
    return query_key(in, &t, in->argv[0], o.query);
}

static const command verbs[] = {
    { "build", "[-a] TYPE:FILE…", "make the index of each from its text", build },
    { "query", "TYPE:FILE KEY…", "print what stands there for the key; - reads keys from the input", query },
    { "dump", "TYPE:FILE", "print all entries, sorted", dump },
    { "convert", "TYPE:FILE TYPE:FILE", "write the entries of the first into the index of the second", convert },
};

static bool is_like_postmap(const invocation *in)
{
    return in->argc > 1 && (in->argv[1][0] == '-' || strchr(in->argv[1], ':') || strchr(in->argv[1], '/'));
}

int command_map(invocation *in)
{
    if (is_like_postmap(in))
        return like_postmap(in);
    in->argc--;
    in->argv++;
    return command_run(verbs, COUNT_OF(verbs), "postrider map", in);
}
