/* A pipe-worker without its walls: a folder that is the home of "jo", and the other end of its channel, which is the test. */
#pragma once
#include "pipe/worker/actor.h"
#include "t/unit/worker/pool_end.h"

enum { ROUNDS_MAX = 6000 }; /* until an event is given up: half a minute and more */

static struct world {
    char folder[40];
    worker worker;
    worker_program program;
    actor a;
    talk talk;
} * w;

static inline void rules_put(program_rules m)
{
    m.account = STR("jo");
    m.shell = STR("/bin/sh");
    m.filter = STR("abcdefghijklmnopqrstuvwxyz@.");
    m.delimiters = STR("+");
    m.time_limit_s = m.time_limit_s ? m.time_limit_s : 600;
    m.lock_attempts = 3;
    m.stale_lock_s = 100;
    channel_put(&pool.channel, PROGRAM_RULES, 0, program_rules, &m);
    rounds();
}

static inline int world_open(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/worker.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->worker = (worker){ .program = &w->program,
                          .state = &w->a,
                          .loop = loop_new(),
                          .mail_fd = -1,
                          .user = STR("jo"),
                          .host = STR("host"),
                          .home = str_c(w->folder) };
    w->worker.home_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->a.worker = &w->worker;
    w->talk = (talk){ "worker", actor_rows, actor_row_count, NULL };
    files_start(&w->a);
    pool_open(&w->worker, &w->talk);
    rules_put((program_rules){ .flags = PROGRAM_LOCKS_FCNTL | PROGRAM_LOCKS_DOT });
    return 0;
}

static inline void jobs_free(letter_job *first)
{
    while (first) {
        letter_job *j = first;
        first = j->next;
        letter_job_free(j);
    }
}

static inline int world_close(void **state)
{
    (void)state;
    assert_null(w->a.runs);
    jobs_free(w->a.files);
    jobs_free(w->a.copies);
    timer_close(&w->a.again);
    pool_close(&w->worker);
    arena_free(&w->a.rules_arena);
    loop_free(w->worker.loop);
    fd_close(&w->worker.home_fd);
    folder_remove(w->folder);
    free(w);
    return 0;
}

/* "|command" as it is; a name behind `kind` ("/" or ":include:/") is one in the home folder. */
static inline void ask(uint32_t ref, const char *kind, const char *name, const char *text)
{
    char member[300];
    snprintf(member, sizeof member, "%s%s%s%s", kind, kind[0] == '|' ? "" : w->folder + 1, kind[0] == '|' ? "" : "/",
             name);
    request(ref, (deliver_request){ .member = str_c(member) }, text);
}

static inline void until_told(size_t n)
{
    for (int i = 0; i < ROUNDS_MAX && pool.n < n; i++)
        rounds();
    assert_int_equal(pool.n, n);
}

static inline bool is_there(const char *name)
{
    struct stat st;
    return fstatat(w->worker.home_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A file of the home folder; "" when it is not there. */
static inline const char *text_of(const char *name)
{
    static char bytes[64 * 1024];
    int fd = openat(w->worker.home_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, bytes, sizeof bytes - 1) : 0;
    bytes[n > 0 ? n : 0] = '\0';
    fd_close(&fd);
    return bytes;
}

static inline void has(const char *name, const char *text)
{
    if (strstr(text_of(name), text) == NULL)
        fail_msg("\"%s\" is not in %s: %s", text, name, text_of(name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
