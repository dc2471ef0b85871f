#include "ctl/common/aliases.h"
#include "db/map_build.h"
#include <stdio.h>
#include <sysexits.h>

fault table_make(const char *spec, bool is_alias, const table_context *context)
{
    arena a = arena_new(0);
    problems ps = { .arena = &a };
    size_t count;
    fault f = map_build(str_c(spec), is_alias ? SOURCE_ALIASES : SOURCE_TABLE, context, &ps, &count);
    str words = problems_text(&ps, &a);
    fwrite(words.p, 1, words.n, stderr);
    problems_free(&ps);
    arena_free(&a);
    return f;
}

int aliases_make(const config *c)
{
    table_context t = { .default_type = c->default_database_type, .is_alias = true };
    str rest = c->alias_database, word;
    int status = EX_OK;
    arena a = arena_new(0);
    while (table_word_next(&rest, &word)) {
        fault f = table_make(arena_c(&a, word), true, &t);
        if (!is_fault(f))
            continue;
        fprintf(stderr, "newaliases: %.*s: %s\n", STR_ARG(word), f.text);
        status = f.kind == FAULT_TRY_LATER ? EX_TEMPFAIL : EX_DATAERR;
    }
    arena_free(&a);
    return status;
}
