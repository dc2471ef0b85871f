/* The other end of a delivery worker's channel, which is the test: requests for the user "jo", and what the worker says to them. */
#pragma once
#include "base/checksum.h"
#include "ipc/talk/deliver.h"
#include "os/fd.h"
#include "worker/worker.h"
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
    uint32_t ref, outcome, is_final, is_destination;
    char text[120]; /* the reason, or the member */
} told;

static struct pool_end {
    channel channel;
    timer stop;
    told told[TOLD_MAX];
    size_t n;
} pool;

static void on_stop(void *context)
{
    loop_stop(context);
}

static inline void rounds(void)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&pool.stop, 1);
        loop_run(pool.channel.loop);
    }
}

static told *told_add(uint16_t type, uint32_t ref, uint32_t outcome, str text)
{
    assert_true(pool.n < TOLD_MAX);
    told *t = &pool.told[pool.n++];
    *t = (told){ .type = type, .ref = ref, .outcome = outcome };
    snprintf(t->text, sizeof t->text, "%.*s", STR_ARG(text));
    return t;
}

static bool on_result(void *context, channel *c, received *r)
{
    deliver_result m;
    (void)context, (void)c;
    assert_int_equal(deliver_result_decode(r->bytes, &m), PARSE_DONE);
    told_add(DELIVER_RESULT, r->ref, m.outcome, m.reason)->is_destination = m.is_destination;
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

/* Puts the worker's channel and this one up. */
static inline void pool_open(worker *of, const talk *t)
{
    int pair[2];
    pool = (struct pool_end){ .n = 0 };
    assert_true(channel_pair(pair));
    channel_open(&of->pool, of->loop, pair[0], t, of);
    channel_open(&pool.channel, of->loop, pair[1], &pool_talk, NULL);
    timer_open(&pool.stop, of->loop, on_stop, of->loop);
}

static inline void pool_close(worker *of)
{
    channel_close(&pool.channel);
    channel_close(&of->pool);
    timer_close(&pool.stop);
}

static inline void request_put(uint32_t ref, deliver_request m, const char *text, uint32_t flaw)
{
    int fd = memfd_create("queue", MFD_CLOEXEC);
    str content = str_c(text);
    assert_int_equal(write(fd, content.p, content.n), content.n);
    m.queue_id = ref + 1000;
    m.content_bytes = m.checked_bytes = content.n;
    m.content_checksum = checksum(0, content) ^ flaw;
    m.user = STR("jo");
    m.reverse_path = STR("from@y.example");
    if (m.recipient.n == 0)
        m.recipient = STR("jo@x.example");
    channel_put_fds(&pool.channel, DELIVER_REQUEST, ref, deliver_request, &m, &fd, 1);
}

/* A request for jo with that body; what is not set in `m` is filled in. */
static inline void request(uint32_t ref, deliver_request m, const char *text)
{
    request_put(ref, m, text, 0);
}

/* One whose content is not what was acknowledged. */
static inline void damaged_request(uint32_t ref, deliver_request m, const char *text)
{
    request_put(ref, m, text, 1);
}

static int paper; /* the file of the last copy */

static inline void paper_put(uint32_t ref, fault_kind outcome)
{
    deliver_result m = { .outcome = outcome, .reason = STR("the test says so") };
    paper = outcome == FAULT_NONE ? memfd_create("paper", MFD_CLOEXEC) : -1;
    int fd = outcome == FAULT_NONE ? fcntl(paper, F_DUPFD_CLOEXEC, 0) : -1;
    channel_put_fds(&pool.channel, DELIVER_PAPER, ref, deliver_result, &m, &fd, fd >= 0);
    rounds();
}

static inline void text_put(int folder_fd, const char *name, const char *text, mode_t mode)
{
    int fd = openat(folder_fd, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void folder_remove(const char *path)
{
    nftw(path, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void is_told(size_t i, uint16_t type, uint32_t ref, uint32_t outcome, const char *text)
{
    assert_true(i < pool.n);
    assert_int_equal(pool.told[i].type, type);
    assert_int_equal(pool.told[i].ref, ref);
    assert_int_equal(pool.told[i].outcome, outcome);
    if (strcmp(pool.told[i].text, text) != 0)
        fail_msg("\"%s\" is not \"%s\"", pool.told[i].text, text);
}
