/* A bug for t/fault/powercut to find: local-worker says that a message is delivered, and commits what came together a while later. */
#include "base/memory.h"
#include "store/store.h"
#include "worker/worker.h"
#include <stdlib.h>

enum { LATER_MS = 10 };

void __real_worker_begin(worker *w);
void __wrap_worker_begin(worker *w);
void __real_delivery_commit(delivery *d, fault *results);
void __wrap_delivery_commit(delivery *d, fault *results);

static timer later;
static bool is_due;

static void commit(void *context)
{
    delivery *d = context;
    is_due = false;
    fault *results = memory_get((delivery_count(d) + 1) * sizeof *results);
    __real_delivery_commit(d, results);
    free(results);
}

static worker *ours;

void __wrap_worker_begin(worker *w)
{
    ours = w;
    __real_worker_begin(w);
}

void __wrap_delivery_commit(delivery *d, fault *results)
{
    for (size_t n = 0; n < delivery_count(d); n++)
        results[n] = NO_FAULT;
    if (!later.is_open)
        timer_open(&later, ours->loop, commit, d);
    if (!is_due)
        timer_set(&later, LATER_MS);
    is_due = true;
}
