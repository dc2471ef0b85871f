/* pipe-worker: runs a user's commands, writes his files and reads his lists, as that user. It reads nothing of the message but what
 * its own work needs; what the commands make of it is theirs. */
#include "base/log.h"
#include "pipe/worker/actor.h"
#include <fcntl.h>
#include <sys/resource.h>

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

void actor_answer(actor *a, uint32_t ref, uint64_t queue_id, fault outcome, str reason)
{
    deliver_result m = { .queue_id = queue_id, .outcome = outcome.kind,
                         .status = is_fault(outcome) ? str_c(outcome.status) : STR("0.0"), .reason = reason };
    channel_put(&a->worker->pool, DELIVER_RESULT, ref, deliver_result, &m);
    worker_end(a->worker);
}

static bool on_rules(void *context, channel *ch, received *r)
{
    worker *w = context;
    actor *a = w->state;
    program_rules m;
    (void)ch;
    if (program_rules_decode(r->bytes, &m) != PARSE_DONE || m.time_limit_s == 0)
        return false;
    arena_clear(&a->rules_arena);
    str *texts[] = { &m.account, &m.shell, &m.time_zone, &m.filter, &m.delimiters };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_copy(&a->rules_arena, *texts[i]);
    a->rules = m;
    a->has_rules = true;
    return true;
}

static bool on_request(void *context, channel *ch, received *r)
{
    worker *w = context;
    actor *a = w->state;
    deliver_request m;
    (void)ch;
    if (deliver_request_decode(r->bytes, &m) != PARSE_DONE || m.member.n < 2 || !a->has_rules)
        return false;
    worker_begin(w);
    if (m.member.p[0] == '|') {
        command_run(a, r->ref, &m, received_take(r, 0));
        return true;
    }
    fault f = fault_make(FAULT_TRY_LATER, "3.3", "files and lists are not supported yet");
    actor_answer(a, r->ref, m.queue_id, f, str_c(f.text));
    return true;
}

static bool start(worker *w)
{
    actor *a = w->state;
    a->worker = w;
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
}

/* A user who may share his uid with others: his programs see the system and his own home, not the mail of others. */
static size_t rules(const worker *w, landlock_rule *out)
{
    static const struct {
        const char *path;
        unsigned access;
    } rows[] = {
        { "/usr", ACCESS_READ | ACCESS_EXECUTE },  { "/bin", ACCESS_READ | ACCESS_EXECUTE },
        { "/sbin", ACCESS_READ | ACCESS_EXECUTE }, { "/lib", ACCESS_READ | ACCESS_EXECUTE },
        { "/lib64", ACCESS_READ | ACCESS_EXECUTE }, { "/etc", ACCESS_READ },
        { "/dev", ACCESS_READ | ACCESS_WRITE },    { "/tmp", ACCESS_READ | ACCESS_WRITE },
    };
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int fd = open(rows[i].path, O_PATH | O_CLOEXEC);
        if (fd >= 0)
            out[n++] = (landlock_rule){ fd, rows[i].access };
    }
    int home = w->home.n > 1 ? open(w->home.p, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (home >= 0)
        out[n++] = (landlock_rule){ home, ACCESS_READ | ACCESS_WRITE | ACCESS_EXECUTE };
    return n;
}

int main(void)
{
    static actor a;
    static const talk_row rows[] = { { DELIVER_REQUEST, 1, 1, on_request }, { PROGRAM_RULES, 0, 0, on_rules } };
    static const worker_program program = { .role = "pipe-worker", .calls = CALLS_ANY, .runs_programs = true, .rules = rules,
                                            .rows = rows, .row_count = COUNT_OF(rows), .start = start,
                                            .on_leave = on_leave };
    return worker_run(&program, &a);
}
