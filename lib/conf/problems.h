/* What is wrong with a configuration: all of it, with file and line, so that one look suffices. The arena owns the
 * texts. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"

enum { PROBLEM_COUNT_MAX = 1000 }; /* what comes after is counted, not kept */

typedef struct problem {
    str file; /* empty: the configuration as a whole */
    unsigned line;
    bool is_warning;
    str text;
} problem;

typedef struct problems {
    arena *arena; /* the caller's */
    VEC(problem) rows;
    size_t error_count, warning_count;
} problems;

void problem_error(problems *ps, str file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void problem_warning(problems *ps, str file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "main.cf:12: error: …" with a line end for each, in the order of files and lines. */
str problems_text(const problems *ps, arena *a);
void problems_to_log(const problems *ps); /* each as an event */
void problems_free(problems *ps);
