/* One command: its process with the message as input, what it writes kept up to a limit, its time limited. Runs in: pipe-worker. */
#include "base/log.h"
#include "base/memory.h"
#include "os/fd.h"
#include "os/spawn.h"
#include "pipe/worker/actor.h"
#include "pipe/worker/environment.h"
#include "pipe/worker/outcome.h"
#include "pipe/worker/words.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_KEPT = 4096, REASON_MAX = 600 };

typedef struct run {
    actor *actor;
    uint32_t ref;
    arena arena;
    deliver_request request;
    str command;
    int fd;        /* the queue file */
    int input_fd;  /* the end that we write; -1: it has all, or wants no more */
    int output_fd;
    pid_t pid;
    int pidfd;
    watch input, output, exit;
    timer limit;
    letter letter;
    char piece[LETTER_PIECE]; /* read, but not written yet */
    size_t piece_n, piece_done;
    buf said;
    bool is_late;
    struct run *next;
} run;

static void input_close(run *r)
{
    watch_close(&r->input);
    fd_close(&r->input_fd);
}

static void run_free(run *r)
{
    run **at = &r->actor->runs;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    input_close(r);
    watch_close(&r->output);
    watch_close(&r->exit);
    timer_close(&r->limit);
    letter_close(&r->letter);
    fd_close(&r->output_fd);
    fd_close(&r->pidfd);
    fd_close(&r->fd);
    buf_free(&r->said);
    arena_free(&r->arena);
    free(r);
}

static void run_end(run *r, fault outcome, str reason)
{
    actor_answer(r->actor, r->ref, r->request.queue_id, outcome, reason, false);
    run_free(r);
}

/* It need not read all of it: that is its own choice. */
static void on_input(void *context, unsigned ready)
{
    run *r = context;
    (void)ready;
    if (r->piece_done == r->piece_n) {
        ssize_t n = letter_read(&r->letter, r->piece, sizeof r->piece);
        if (n <= 0) {
            input_close(r);
            return;
        }
        r->piece_n = (size_t)n;
        r->piece_done = 0;
    }
    ssize_t n = write(r->input_fd, r->piece + r->piece_done, r->piece_n - r->piece_done);
    if (n > 0)
        r->piece_done += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        input_close(r);
}

/* The first bytes are kept, the rest is read and forgotten. False: nothing more is there now. */
static bool output_take(run *r)
{
    char bytes[OUTPUT_KEPT];
    ssize_t n = read(r->output_fd, bytes, sizeof bytes);
    if (n > 0)
        buf_append(&r->said, str_upto((str){ bytes, (size_t)n }, OUTPUT_KEPT - r->said.n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        watch_close(&r->output);
    return n > 0;
}

static void on_output(void *context, unsigned ready)
{
    (void)ready;
    output_take(context);
}

/* What it left running may hold its output open for ever: nobody waits for that. */
static void on_exit_ready(void *context, unsigned ready)
{
    run *r = context;
    buf reason = buf_new(REASON_MAX + OUTPUT_KEPT);
    int status = 0;
    (void)ready;
    if (waitpid(r->pid, &status, WNOHANG) != r->pid)
        return;
    for (int i = 0; i < 16 && output_take(r); i++)
        continue;
    command_end end = { .wait_status = status, .is_late = r->is_late, .command = r->command, .output = buf_str(&r->said) };
    fault f = outcome_read(&end, &reason);
    run_end(r, f, str_upto(buf_str(&reason), REASON_MAX));
    buf_free(&reason);
}

static void run_kill(const run *r)
{
    kill(-r->pid, SIGKILL); /* it leads a session and a group of its own */
}

static void on_limit(void *context)
{
    run *r = context;
    r->is_late = true;
    run_kill(r);
}

static int home_open(str home)
{
    int fd = home.n ? open(home.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    return fd >= 0 ? fd : open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static fault process_start(run *r, int input, int output)
{
    const actor *a = r->actor;
    command_words words = words_read(r->command, &r->arena);
    spawn_fd fds[] = { { input, 0 }, { output, 1 }, { output, 2 } };
    spawn_plan plan = SPAWN_PLAN(.path = words.path, .argv = words.argv,
                                 .envp = environment_make(&r->request, &a->rules, a->worker->home, &r->arena), .fds = fds,
                                 .fd_count = COUNT_OF(fds), .starts_session = true);
    spawned s;
    plan.folder_fd = home_open(a->worker->home);
    fault f = spawn(&plan, &s);
    fd_close(&plan.folder_fd);
    r->pid = s.pid;
    r->pidfd = s.pidfd;
    return f;
}

static fault run_start(run *r)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    fault f = NO_FAULT;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        f = fault_errno("make a pipe");
    r->input_fd = in[1];
    r->output_fd = out[0];
    if (!is_fault(f) && (!fd_set_nonblock(r->input_fd, true) || !fd_set_nonblock(r->output_fd, true)))
        f = fault_errno("make a pipe non-blocking");
    if (!is_fault(f))
        f = process_start(r, in[0], out[1]);
    fd_close(&in[0]);
    fd_close(&out[1]);
    return f;
}

static void run_watch(run *r)
{
    loop *l = r->actor->worker->loop;
    watch_open(&r->input, l, r->input_fd, on_input, r);
    watch_want(&r->input, WATCH_WRITE);
    watch_open(&r->output, l, r->output_fd, on_output, r);
    watch_want(&r->output, WATCH_READ);
    watch_open(&r->exit, l, r->pidfd, on_exit_ready, r);
    watch_want(&r->exit, WATCH_READ);
    timer_open(&r->limit, l, on_limit, r);
    timer_set(&r->limit, r->actor->rules.time_limit_s * 1000);
}

void command_run(actor *a, uint32_t ref, const deliver_request *m, int fd)
{
    run *r = memory_get(sizeof *r);
    *r = (run){ .actor = a, .ref = ref, .fd = fd, .input_fd = -1, .output_fd = -1, .pidfd = -1, .said = buf_new(OUTPUT_KEPT),
                .next = a->runs };
    a->runs = r;
    request_keep(m, &r->arena, &r->request);
    r->command = str_trim(str_from(r->request.member, 1));
    fault f = letter_check(&r->request, fd);
    if (!is_fault(f))
        f = letter_open(&r->letter, &r->request, fd);
    if (!is_fault(f))
        f = run_start(r);
    if (is_fault(f))
        run_end(r, f, str_c(f.text));
    else
        run_watch(r);
}

void commands_kill(actor *a)
{
    for (const run *r = a->runs; r; r = r->next)
        run_kill(r);
}
