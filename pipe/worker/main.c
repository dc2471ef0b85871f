/* pipe-worker: runs a user's commands, writes his files and reads his lists, as that user. It reads nothing of the message but what
 * its own work needs; what the commands make of it is theirs. */
#include "base/log.h"
#include "pipe/worker/actor.h"
#include <sys/resource.h>
#include <unistd.h>

/* Of the worker and of whatever it starts. More may run under the same uid at a time: its other workers count. */
static const struct {
    __rlimit_resource_t what;
    rlim_t most;
} limits[] = {
    { RLIMIT_NOFILE, 1024 },
    { RLIMIT_NPROC, 4096 },
#ifndef POSTRIDER_SANITIZED /* shadow memory counts */
    { RLIMIT_DATA, (rlim_t)1 << 30 },
#endif
};

static bool limits_set(void)
{
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct rlimit now;
        if (getrlimit(limits[i].what, &now) != 0)
            return false;
        rlim_t most = now.rlim_max != RLIM_INFINITY && now.rlim_max < limits[i].most ? now.rlim_max : limits[i].most;
        if (setrlimit(limits[i].what, &(struct rlimit){ most, most }) != 0)
            return false;
    }
    return true;
}

static bool start(worker *w)
{
    actor *a = w->state;
    a->worker = w;
    files_start(a);
    if (!limits_set())
        log_fault(LOG_ERROR, "no-limits", fault_errno("limit itself"));
    return true;
}

/* Commands that run keep a worker that is asked to go; one whose pipe is gone leaves nothing behind, as the message will come again. */
static void on_leave(worker *w)
{
    actor *a = w->state;
    if (!channel_is_open(&w->pool))
        commands_kill(a);
    files_leave(a);
}

int main(void)
{
    static actor a;
    static worker_program program = { .role = "pipe-worker", .calls = CALLS_ANY, .runs_programs = true,
                                      .rows = actor_rows, .start = start, .on_leave = on_leave };
    program.row_count = actor_row_count;
    return worker_run(&program, &a);
}
