/* A delivery worker without its walls: a folder that is its home, a mailbox, and the other end of its channel, which is the test. */
#pragma once
#include "local/worker/worker.h"
#include "t/unit/worker/pool_end.h"

static struct world {
    char folder[40], path[60];
    worker worker;
    worker_program program;
    local_worker l;
    talk talk;
} * w;

static inline void rules_put(const deliver_rules *rules)
{
    channel_put(&pool.channel, DELIVER_RULES, 0, deliver_rules, rules);
    rounds();
}

/* A system user "jo" whose home is the folder; `mbox`: the mailbox is a file in it, else a Maildir. */
static inline void world_open(bool is_mbox)
{
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/worker.XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/box", w->folder);
    w->worker = (worker){ .program = &w->program,
                          .state = &w->l,
                          .loop = loop_new(),
                          .mail_fd = -1,
                          .user = STR("jo"),
                          .host = STR("host") };
    w->l.worker = &w->worker;
    w->worker.home_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    w->talk = (talk){ "worker", letter_rows, letter_row_count, NULL };
    pool_open(&w->worker, &w->talk);
    if (is_mbox) {
        w->worker.mbox = str_c(w->path);
        close(open(w->path, O_CREAT | O_WRONLY, 0600));
        spool_open(&w->l);
    } else {
        mkdirat(w->worker.home_fd, "Maildir", 0700);
        w->worker.mail_fd = openat(w->worker.home_fd, "Maildir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(maildir_start(&w->l));
    }
    rules_put(
        &(deliver_rules){ .flags = DELIVER_MAY_COMMAND | DELIVER_TO_FOLDER | DELIVER_LOCKS_FCNTL | DELIVER_LOCKS_DOT,
                          .lock_attempts = 3,
                          .stale_lock_s = 100 });
}

static inline int world_close(void **state)
{
    (void)state;
    while (w->l.first) {
        letter *k = w->l.first;
        w->l.first = k->next;
        letter_free(k);
    }
    while (w->l.copies) {
        letter *k = w->l.copies;
        w->l.copies = k->next;
        letter_free(k);
    }
    if (w->l.last)
        timer_close(&w->l.again);
    mbox_close(w->l.mbox);
    delivery_free(w->l.delivery);
    if (w->l.store)
        store_close(w->l.store);
    vec_free(&w->l.batch);
    pool_close(&w->worker);
    loop_free(w->worker.loop);
    fd_close(&w->worker.home_fd);
    fd_close(&w->worker.mail_fd);
    folder_remove(w->folder);
    free(w);
    return 0;
}

static inline void home_put(const char *name, const char *text, mode_t mode)
{
    text_put(w->worker.home_fd, name, text, mode);
}
