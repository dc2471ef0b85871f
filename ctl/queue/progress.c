#include "ctl/queue/progress.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { QUIET_MS = 500, STEP_MS = 100 };

progress progress_begin(const char *verb, size_t total)
{
    return (progress){ .verb = verb, .total = total, .began_ms = clock_monotonic_ms() };
}

void progress_add(progress *p, size_t more)
{
    uint64_t now = clock_monotonic_ms();
    p->done += more;
    if (now - p->began_ms < QUIET_MS || now - p->shown_ms < STEP_MS || !isatty(STDERR_FILENO))
        return;
    p->shown_ms = now;
    p->is_shown = true;
    fprintf(stderr, "\r%s: %zu of %zu\033[K", p->verb, p->done, p->total);
    fflush(stderr);
}

void progress_end(progress *p)
{
    if (p->is_shown)
        fputs("\r\033[K", stderr);
    p->is_shown = false;
}

static bool is_yes(void)
{
    char answer[8];
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

bool confirm(const invocation *in, bool is_sure, int *out_status, const char *format, ...)
{
    bool can_ask = isatty(STDIN_FILENO);
    va_list args;
    if (is_sure)
        return true;
    va_start(args, format);
    if (can_ask)
        fputs("Really ", stderr);
    else
        fprintf(stderr, "postrider %s: it would ", in->name);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(can_ask ? "? [y/N] " : "; there is no terminal to ask at: say --yes if that is meant\n", stderr);
    fflush(stderr);
    if (can_ask && is_yes())
        return true;
    if (can_ask)
        fputs("nothing was changed\n", stderr);
    *out_status = can_ask ? EXIT_FAILED : EX_USAGE;
    return false;
}
