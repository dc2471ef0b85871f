/* A worker takes its page from its user's mail folder: tries-ROLE, where the test put one. */
#include "fault/tries/place.h"
#include "os/worker_confine.h"
#include <stdio.h>

extern char *program_invocation_short_name;

fault __real_worker_confine(const worker_walls *w);
fault __wrap_worker_confine(const worker_walls *w);

fault __wrap_worker_confine(const worker_walls *w)
{
    char name[80];

    snprintf(name, sizeof name, "tries-%s", program_invocation_short_name);
    page *p = w->runs_programs ? place_page(program_invocation_short_name) : page_open(w->rules[0].fd, name);
    if (p)
        place_take(p, program_invocation_short_name);
    return __real_worker_confine(w);
}
