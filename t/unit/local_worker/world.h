/* A delivery worker without its walls: a folder that is its home, a mailbox, and the other end of its channel, which is the test. */
#pragma once
#include "base/checksum.h"
#include "local/worker/worker.h"
#include "os/fd.h"
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { TOLD_MAX = 80 };

typedef struct told {
    uint16_t type;
    uint32_t ref, outcome, is_final;
    char text[120]; /* the reason, or the member */
} told;

static struct world {
    char folder[40], path[60];
    worker worker;
    worker_program program;
    local_worker l;
    talk talk;
    channel pool;
    timer stop;
    told told[TOLD_MAX];
    size_t n;
} * w;

static void world_stop(void *context)
{
    loop_stop(context);
}

static inline void rounds(void)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->worker.loop);
    }
}

static told *told_add(uint16_t type, uint32_t ref, uint32_t outcome, str text)
{
    assert_true(w->n < TOLD_MAX);
    told *t = &w->told[w->n++];
    *t = (told){ .type = type, .ref = ref, .outcome = outcome };
    snprintf(t->text, sizeof t->text, "%.*s", STR_ARG(text));
    return t;
}

static bool on_result(void *context, channel *c, received *r)
{
    deliver_result m;
    (void)context, (void)c;
    assert_int_equal(deliver_result_decode(r->bytes, &m), PARSE_DONE);
    told_add(DELIVER_RESULT, r->ref, m.outcome, m.reason);
    return true;
}

static bool on_want(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    told_add(DELIVER_WANT, r->ref, 0, STR_NONE);
    return true;
}

static bool on_member(void *context, channel *c, received *r)
{
    deliver_member m;
    (void)context, (void)c;
    assert_int_equal(deliver_member_decode(r->bytes, &m), PARSE_DONE);
    told_add(DELIVER_MEMBER, r->ref, 0, m.member)->is_final = m.is_final;
    return true;
}

static bool on_copied(void *context, channel *c, received *r)
{
    deliver_copied m;
    (void)context, (void)c;
    assert_int_equal(deliver_copied_decode(r->bytes, &m), PARSE_DONE);
    told_add(DELIVER_COPIED, r->ref, m.member_count, STR_NONE);
    return true;
}

static bool on_lock(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    told_add(DELIVER_LOCK, r->ref, 0, STR_NONE);
    return true;
}

static bool on_unlock(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    told_add(DELIVER_UNLOCK, r->ref, 0, STR_NONE);
    return true;
}

static const talk_row pool_rows[] = {
    { DELIVER_RESULT, 0, 0, on_result }, { DELIVER_WANT, 0, 0, on_want }, { DELIVER_MEMBER, 0, 0, on_member },
    { DELIVER_COPIED, 0, 0, on_copied }, { DELIVER_LOCK, 0, 0, on_lock }, { DELIVER_UNLOCK, 0, 0, on_unlock },
};
static const talk pool_talk = { "pool", pool_rows, COUNT_OF(pool_rows), NULL };

/* In the place of lib/worker: nobody leaves. */
void worker_begin(worker *of)
{
    of->busy++;
}

void worker_end(worker *of)
{
    of->busy--;
}

static inline void rules_put(const deliver_rules *rules)
{
    channel_put(&w->pool, DELIVER_RULES, 0, deliver_rules, rules);
    rounds();
}

/* A system user "jo" whose home is the folder; `mbox`: the mailbox is a file in it, else a Maildir. */
static inline void world_open(bool is_mbox)
{
    int pair[2];
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
    timer_open(&w->stop, w->worker.loop, world_stop, w->worker.loop);
    assert_true(channel_pair(pair));
    w->talk = (talk){ "worker", letter_rows, letter_row_count, NULL };
    channel_open(&w->worker.pool, w->worker.loop, pair[0], &w->talk, &w->worker);
    channel_open(&w->pool, w->worker.loop, pair[1], &pool_talk, NULL);
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

static int world_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
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
    channel_close(&w->pool);
    channel_close(&w->worker.pool);
    timer_close(&w->stop);
    loop_free(w->worker.loop);
    fd_close(&w->worker.home_fd);
    fd_close(&w->worker.mail_fd);
    nftw(w->folder, world_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* A request for jo with that body; what is not set in `m` is filled in. */
static inline void request(uint32_t ref, deliver_request m, const char *text)
{
    int fd = memfd_create("queue", MFD_CLOEXEC);
    str content = str_c(text);
    assert_int_equal(write(fd, content.p, content.n), content.n);
    m.queue_id = ref + 1000;
    m.content_bytes = m.checked_bytes = content.n;
    m.content_checksum = checksum(0, content);
    m.user = STR("jo");
    m.reverse_path = STR("from@y.example");
    if (m.recipient.n == 0)
        m.recipient = STR("jo@x.example");
    channel_put_fds(&w->pool, DELIVER_REQUEST, ref, deliver_request, &m, &fd, 1);
}

static inline void text_put(const char *name, const char *text, mode_t mode)
{
    int fd = openat(w->worker.home_fd, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static inline void is_told(size_t i, uint16_t type, uint32_t ref, uint32_t outcome, const char *text)
{
    assert_true(i < w->n);
    assert_int_equal(w->told[i].type, type);
    assert_int_equal(w->told[i].ref, ref);
    assert_int_equal(w->told[i].outcome, outcome);
    if (strcmp(w->told[i].text, text) != 0)
        fail_msg("\"%s\" is not \"%s\"", w->told[i].text, text);
}
