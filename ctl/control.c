/* postrider start, stop, reload. Runs in: postrider, as root or as the ordinary user who runs the suite. */
#include "ctl/commands.h"
#include "ctl/common/ask.h"
#include "ctl/common/open.h"
#include "ctl/rules.h"
#include "os/fd.h"
#include "os/lock.h"
#include "os/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 60 * 1000, STOP_MORE_S = 15, READY_TARGET = 3 };

static pid_t master_pid(const config *c)
{
    arena a = arena_new(0);
    pid_t pid = lock_holder(AT_FDCWD, arena_printf(&a, "%.*s/master.lock", STR_ARG(c->queue_directory)).p);
    arena_free(&a);
    return pid;
}

/* All that would be found wrong after the start is found before it. */
static const config *configuration_check(invocation *in)
{
    rules_view rules;
    bool is_right = config_open(in->directory, false, &in->parsed);
    problems *ps = &in->parsed.problems;
    if (is_right) {
        is_right = rules_open(&rules, &in->parsed, ps);
        rules_close(&rules);
    }
    str words = problems_text(ps, &in->parsed.arena);
    fwrite(words.p, 1, words.n, stderr);
    if (is_right)
        return &in->parsed.base.config;
    fprintf(stderr, "postrider %s: not done: the configuration has errors\n", in->name);
    return NULL;
}

typedef struct starting {
    pid_t pid;
    int pidfd, ready, words;
} starting;

static fault master_spawn(const char *path, const char *directory, starting *out)
{
    int ready[2], words[2];
    arena a = arena_new(0);
    const char *options = getenv("ASAN_OPTIONS");
    char *argv[] = { (char *)(uintptr_t)path,  (char *)(uintptr_t) "-C", (char *)(uintptr_t)directory,
                     (char *)(uintptr_t) "-r", (char *)(uintptr_t) "3",  NULL };
    char *envp[] = { (char *)(uintptr_t) "PATH=/usr/bin:/bin",
                     options ? (char *)(uintptr_t)arena_printf(&a, "ASAN_OPTIONS=%s", options).p : NULL, NULL };
    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(words, O_CLOEXEC) != 0)
        return fault_errno("make a pipe");
    spawn_fd fds[] = { { words[1], 2 }, { ready[1], READY_TARGET } };
    spawn_plan plan = SPAWN_PLAN(.path = path, .argv = argv, .envp = envp, .fds = fds, .fd_count = COUNT_OF(fds),
                                 .starts_session = true);
    spawned s;
    fault f = spawn(&plan, &s);
    close(ready[1]);
    close(words[1]);
    arena_free(&a);
    *out = (starting){ s.pid, s.pidfd, ready[0], words[0] };
    return f;
}

static void words_relay(int fd)
{
    char bytes[4096];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0)
        fwrite(bytes, 1, (size_t)n, stderr);
}

/* True: all processes are up. *out_is_gone: master ended instead. */
static bool ready_wait(const starting *s, bool *out_is_gone)
{
    struct pollfd p[] = { { s->ready, POLLIN, 0 }, { s->words, POLLIN, 0 } };
    char answer[3];
    *out_is_gone = false;
    for (;;) {
        int n = poll(p, 2, START_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        if (p[1].revents & POLLIN)
            words_relay(s->words);
        else if (p[1].revents)
            p[1].fd = -1;
        if (p[0].revents == 0)
            continue;
        ssize_t got = read(s->ready, answer, sizeof answer);
        *out_is_gone = got <= 0;
        return got == sizeof answer && memcmp(answer, "ok\n", sizeof answer) == 0;
    }
}

static int start_wait(const starting *s)
{
    bool is_gone;
    int status = 0;
    char text[120];
    if (ready_wait(s, &is_gone))
        return EXIT_DONE;
    if (!is_gone) {
        fprintf(stderr, "postrider start: after %d s not all processes are up: see `postrider status` and the log\n",
                START_MS / 1000);
        return EXIT_FAILED;
    }
    words_relay(s->words);
    waitpid(s->pid, &status, 0);
    fprintf(stderr, "postrider start: master ended: %s\n", spawn_status_text(status, text, sizeof text));
    return EXIT_FAILED;
}

int command_start(invocation *in)
{
    bool is_foreground = false;
    const option_row rows[] = { { "foreground", 'f', &is_foreground, NULL } };
    if (!options_take(in, rows, COUNT_OF(rows), 0, 0))
        return EX_USAGE;
    const config *c = configuration_check(in);
    if (c == NULL)
        return EX_CONFIG;
    pid_t pid = master_pid(c);
    if (pid) {
        fprintf(stderr, "postrider start: it runs already (process %d)\n", (int)pid);
        return EXIT_DONE;
    }
    const char *directory = arena_c(&in->parsed.arena, in->parsed.directory);
    str master = arena_printf(&in->parsed.arena, "%.*s/master", STR_ARG(c->daemon_directory));
    if (is_foreground) {
        execl(master.p, master.p, "-C", directory, NULL);
        return command_fault(in, fault_errno("run %s", master.p));
    }
    starting s = { 0 };
    fault f = master_spawn(master.p, directory, &s);
    return is_fault(f) ? command_fault(in, f) : start_wait(&s);
}

static int gone_wait(const invocation *in, int pidfd, uint64_t limit_s)
{
    struct pollfd p = { pidfd, POLLIN, 0 };
    int n;
    do
        n = poll(&p, 1, (int)(limit_s * 1000));
    while (n < 0 && errno == EINTR);
    close(pidfd);
    if (n > 0)
        return EXIT_DONE;
    fprintf(stderr, "postrider %s: it is still there after %llu s\n", in->name, (unsigned long long)limit_s);
    return EXIT_FAILED;
}

int command_stop(invocation *in)
{
    if (!options_take(in, NULL, 0, 0, 0))
        return EX_USAGE;
    const config *c = command_config(in, false);
    if (c == NULL)
        return EX_CONFIG;
    pid_t pid = master_pid(c);
    int pidfd = pid ? pidfd_open(pid, 0) : -1;
    ask_answer a = ask(c, "ctl", STR("stop"), STR_NONE, NULL, NULL);
    if (!a.is_running && pidfd < 0) {
        fputs("postrider stop: it does not run\n", stderr);
        return EXIT_DONE;
    }
    if (pidfd >= 0 && (!a.is_running || a.is_ended)) { /* refused, or its socket was removed */
        close(pidfd);
        return command_fault(in, a.fault);
    }
    return pidfd < 0 ? EXIT_DONE : gone_wait(in, pidfd, c->drain_timeout + STOP_MORE_S);
}

static void row_print(void *context, str row, int *fds, size_t fd_count)
{
    (void)context;
    (void)fds, (void)fd_count;
    fwrite(row.p, 1, row.n, stderr);
}

int command_reload(invocation *in)
{
    if (!options_take(in, NULL, 0, 0, 0))
        return EX_USAGE;
    const config *c = configuration_check(in);
    if (c == NULL)
        return EX_CONFIG;
    ask_answer a = ask(c, "ctl", STR("reload"), STR_NONE, row_print, NULL);
    if (!a.is_running) {
        fputs("postrider reload: it does not run\n", stderr);
        return EXIT_NOT_RUNNING;
    }
    return command_fault(in, a.fault);
}
