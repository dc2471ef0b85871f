/* qmgr between a cleanup and a local on a queue of its own, over real channels in one loop. */
#pragma once
#include "base/checksum.h"
#include "base/clock.h"
#include "daemon/peers.h"
#include "ipc/talk/deliver.h"
#include "ipc/talk/queue.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { GIVEN_MAX = 10 };

static struct world {
    process process;
    program program;
    generation generation;
    qmgr qmgr;
    timer stop;
    channel cleanup, local;
    char folder[40];
    uint64_t ids[GIVEN_MAX];
    int fds[GIVEN_MAX];
    uint32_t prepared_bytes; /* of the last file */
    int named;               /* the last file that was asked for; -1: there was none */
    int writer; /* of the last file that was given with one */
    size_t given, full;
    unsigned requests, overs, keeps, unnameds;
    fault_kind over;
    queue_outcome outcomes[GIVEN_MAX]; /* of a direct message; without texts */
    size_t outcome_count;
    uint32_t ref, refs[GIVEN_MAX]; /* of the last request, and of the first ones */
    uint64_t delivering;
} * w;

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 10; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static bool on_fresh(void *context, channel *c, received *r)
{
    queue_fresh m;
    (void)context, (void)c;
    assert_int_equal(queue_fresh_decode(r->bytes, &m), PARSE_DONE);
    w->prepared_bytes = m.prepared_bytes;
    if (w->given < GIVEN_MAX) {
        w->ids[w->given] = m.queue_id;
        w->fds[w->given] = r->fd_count ? received_take(r, 0) : -1;
    }
    if (r->fd_count > 1)
        w->writer = received_take(r, 1);
    w->given++;
    return true;
}

static bool on_named(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    if (w->named >= 0)
        close(w->named);
    w->named = received_take(r, 0);
    return true;
}

static bool on_unnamed(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->unnameds++;
    return true;
}

static bool on_full(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->full++;
    return true;
}

static bool on_outcome(void *context, channel *c, received *r)
{
    queue_outcome m;
    (void)context, (void)c;
    assert_int_equal(queue_outcome_decode(r->bytes, &m), PARSE_DONE);
    assert_true(w->outcome_count < GIVEN_MAX);
    m.status = m.reason = STR_NONE;
    w->outcomes[w->outcome_count++] = m;
    return true;
}

static bool on_over(void *context, channel *c, received *r)
{
    queue_result m;
    (void)context, (void)c;
    assert_int_equal(queue_result_decode(r->bytes, &m), PARSE_DONE);
    w->over = (fault_kind)m.outcome;
    w->overs++;
    return true;
}

static bool on_keep(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->keeps++;
    return true;
}

static bool on_request(void *context, channel *c, received *r)
{
    deliver_request m;
    (void)context, (void)c;
    assert_int_equal(deliver_request_decode(r->bytes, &m), PARSE_DONE);
    w->ref = r->ref;
    w->delivering = m.queue_id;
    if (w->requests < GIVEN_MAX)
        w->refs[w->requests] = r->ref;
    w->requests++;
    return true;
}

static const talk_row cleanup_rows[] = { { QUEUE_FRESH, 0, 2, on_fresh },
                                         { QUEUE_NAMED, 1, 1, on_named },
                                         { QUEUE_UNNAMED, 0, 0, on_unnamed },
                                         { QUEUE_FULL, 0, 0, on_full },
                                         { QUEUE_OUTCOME, 0, 0, on_outcome },
                                         { QUEUE_OVER, 0, 0, on_over },
                                         { QUEUE_KEEP, 0, 0, on_keep } };
static const talk cleanup_end_talk = { "cleanup", cleanup_rows, COUNT_OF(cleanup_rows), NULL };
static const talk_row local_rows[] = { { DELIVER_REQUEST, 1, 1, on_request } };
static const talk local_end_talk = { "local", local_rows, COUNT_OF(local_rows), NULL };

static void attach(channel *end, const talk *t, const char *role)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, NULL);
    daemon_peer_add(&w->process, str_c(role), 0, pair[0]);
    rounds();
}

static int setup(void **state)
{
    static peer_row peers[] = { { "cleanup", { 0 }, NULL, fresh_holder_lost },
                                { "local", { 0 }, deliver_peer_opened, deliver_carrier_lost } };
    (void)state;
    peers[0].talk = cleanup_talk;
    peers[1].talk = delivery_talk;
    w = calloc(1, sizeof *w);
    w->named = -1;
    snprintf(w->folder, sizeof w->folder, "/tmp/test-qmgr-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->generation.holders = 1;
    w->generation.snapshot.base = (config){ .queue_minfree = 1,
                                            .local_initial_destination_concurrency = 20,
                                            .local_destination_concurrency_limit = 20,
                                            .local_destination_concurrency_positive_feedback = STR("1"),
                                            .local_destination_concurrency_negative_feedback = STR("1"),
                                            .local_destination_concurrency_failed_cohort_limit = 1,
                                            .qmgr_delivery_limit = 100,
                                            .qmgr_message_active_limit = 100,
                                            .minimal_backoff_time = 300,
                                            .maximal_backoff_time = 4000,
                                            .maximal_queue_lifetime = 100000 };
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->qmgr,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    qmgr *q = &w->qmgr;
    q->process = &w->process;
    schedule_open(q);
    destinations_open(q);
    q->root_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(is_fault(queue_tree_make(q->root_fd)));
    removals_open(q);
    assert_false(is_fault(ids_open(q)));
    assert_false(is_fault(scan_all(q)));
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach(&w->cleanup, &cleanup_end_talk, "cleanup");
    attach(&w->local, &local_end_talk, "local");
    return 0;
}

static int teardown(void **state)
{
    char command[80];
    (void)state;
    channel_close(&w->cleanup);
    channel_close(&w->local);
    rounds();
    assert_int_equal(w->process.sessions, 0);
    for (size_t i = 0; i < w->given && i < GIVEN_MAX; i++)
        if (w->fds[i] >= 0)
            close(w->fds[i]);
    if (w->named >= 0)
        close(w->named);
    map_entry e;
    for (size_t cursor = 0; map_next(&w->qmgr.messages, &cursor, &e); cursor = 0)
        message_forget(&w->qmgr, e.value);
    for (size_t cursor = 0; map_next(&w->qmgr.destinations, &cursor, &e);)
        free(e.value);
    snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    close(w->qmgr.root_fd);
    spares_remove(&w->process);
    map_free(&w->qmgr.messages);
    map_free(&w->qmgr.fresh);
    for (size_t cursor = 0; map_next(&w->qmgr.directs, &cursor, &e);)
        free(e.value);
    map_free(&w->qmgr.directs);
    map_free(&w->qmgr.offers);
    map_free(&w->qmgr.destinations);
    vec_free(&w->qmgr.waiting);
    refs_free(&w->qmgr.running);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void take_such(queue_take m)
{
    channel_put(&w->cleanup, QUEUE_TAKE, 0, queue_take, &m);
    rounds();
}

static void take(uint32_t count)
{
    take_such((queue_take){ .count = count, .kind = FRESH_PLAIN });
}

/* It ends, and its descriptor with it. */
static inline void cleanup_end(size_t i)
{
    close(w->fds[i]);
    w->fds[i] = -1;
    channel_close(&w->cleanup);
    rounds();
}

/* An empty file is none: it is kept for a new message. */
static inline bool is_in(queue_place p, uint64_t id)
{
    struct stat st;
    int fd = queue_tree_open(w->qmgr.root_fd, p, id, O_RDONLY);
    if (fd < 0)
        return false;
    assert_int_equal(fstat(fd, &st), 0);
    close(fd);
    return st.st_size > 0;
}

static void say(uint16_t type, uint64_t id)
{
    queue_file m = { .queue_id = id };
    channel_put(&w->cleanup, type, 0, queue_file, &m);
    rounds();
}

/* To u@l.example, v@l.example, and so on. */
static void message_write(size_t i, uint32_t flags, uint32_t recipient_count)
{
    buf records = buf_new(100000);
    envelope e = { .reverse_path = STR("a@b.example"), .flags = flags };
    assert_true(queue_records_envelope(&records, &e));
    for (uint32_t n = 0; n < recipient_count; n++) {
        char user[2] = { (char)('u' + n), '\0' }, address[20];
        snprintf(address, sizeof address, "%s@l.example", user);
        envelope_recipient to = { .address = str_c(address), .transport = STR("local"), .nexthop = str_c(user) };
        assert_true(queue_records_recipient(&records, &to));
    }
    queue_finish_args args = {
        .id = w->ids[i], .arrived_us = clock_us(), .recipient_count = recipient_count, .records = buf_str(&records)
    };
    assert_false(is_fault(queue_finish(w->fds[i], &args)));
    buf_free(&records);
}

static inline void write_message(size_t i)
{
    message_write(i, 0, 1);
}

static inline void deliver(fault_kind outcome)
{
    deliver_result m = { .queue_id = w->delivering, .outcome = outcome };
    channel_put(&w->local, DELIVER_RESULT, w->ref, deliver_result, &m);
    rounds();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
