/* SOURCES: pickup/bring.c pickup/parcel.c  NEEDS: daemon queue */
/* pickup and a cleanup over a real channel in one loop, on a drop folder of the test's. */
#include "base/checksum.h"
#include "base/clock.h"
#include "daemon/peers.h"
#include "ipc/talk/cleanup.h"
#include "pickup/pickup.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define FIRST "0000000000000000000000000000000a"
#define SECOND "0000000000000000000000000000000b"

static struct world {
    process process;
    program program;
    generation generation;
    pickup pickup;
    timer stop;
    channel cleanup;
    char folder[40];
    uint32_t ref;
    unsigned begins, recipients, commits;
    uint64_t bytes;
    uint32_t sum;
    char login[20];
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

static bool on_begin(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    w->ref = r->ref;
    w->begins++;
    return true;
}

static bool on_abort(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    return true;
}

static bool on_envelope(void *context, channel *c, received *r)
{
    envelope m;
    (void)context, (void)c;
    assert_int_equal(envelope_decode(r->bytes, &m), PARSE_DONE);
    snprintf(w->login, sizeof w->login, "%.*s", STR_ARG(m.login));
    return true;
}

static bool on_recipient(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->recipients++;
    return true;
}

static bool on_commit(void *context, channel *c, received *r)
{
    cleanup_commit m;
    (void)context, (void)c;
    assert_int_equal(cleanup_commit_decode(r->bytes, &m), PARSE_DONE);
    w->bytes = m.content_bytes;
    w->sum = m.content_checksum;
    w->commits++;
    return true;
}

static const talk_row rows[] = {
    { CLEANUP_BEGIN, 0, 0, on_begin },       { CLEANUP_ABORT, 0, 0, on_abort },
    { CLEANUP_ENVELOPE, 0, 0, on_envelope }, { CLEANUP_RECIPIENT, 0, 0, on_recipient },
    { CLEANUP_COMMIT, 0, 0, on_commit },
};
static const talk end_talk = { "cleanup", rows, COUNT_OF(rows), NULL };

static void attach(void)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&w->cleanup, w->process.loop, pair[1], &end_talk, NULL);
    daemon_peer_add(&w->process, STR("cleanup"), 0, pair[0]);
}

static void leave(const char *name)
{
    int fd = openat(w->pickup.drop_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    buf records = buf_new(100000);
    envelope e = { .reverse_path = STR("me@here.test"), .login = STR("somebody else") };
    envelope_recipient r = { .address = STR("you@here.test") };
    assert_true(queue_records_envelope(&records, &e) && queue_records_recipient(&records, &r));
    assert_int_equal(pwrite(fd, "x\r\n", 3, QUEUE_CONTENT_START), 3);
    queue_finish_args args = { .arrived_us = clock_us(),
                               .content_bytes = 3,
                               .content_checksum = checksum(0, STR("x\r\n")),
                               .recipient_count = 1,
                               .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &args)));
    buf_free(&records);
    close(fd);
}

static bool is_there(const char *name)
{
    return faccessat(w->pickup.drop_fd, name, F_OK, 0) == 0;
}

static int setup(void **state)
{
    static peer_row peers[] = { { "cleanup", { 0 }, NULL, bring_lost } };
    (void)state;
    peers[0].talk = cleanup_talk;
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/test-pickup-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->generation.holders = 1;
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->pickup,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->pickup = (pickup){ .process = &w->process,
                          .drop_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                          .parcel = { .fd = -1 } };
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    timer_open(&w->pickup.look, w->process.loop, bring_next, &w->pickup);
    attach();
    return 0;
}

static int teardown(void **state)
{
    char command[80];
    (void)state;
    channel_close(&w->cleanup);
    w->process.is_draining = true;
    rounds();
    assert_int_equal(w->process.sessions, 0);
    assert_null(w->process.peers);
    timer_close(&w->pickup.look);
    map_free(&w->pickup.waiting);
    map_free(&w->pickup.strange);
    close(w->pickup.drop_fd);
    loop_free(w->process.loop);
    snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void look(void)
{
    timer_set(&w->pickup.look, 0);
    rounds();
}

static void ready(void)
{
    cleanup_ready m = { .queue_id = 1 };
    int fd = memfd_create("content", MFD_CLOEXEC);
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->ref, cleanup_ready, &m, &fd, 1);
    rounds();
}

static void done(fault_kind outcome)
{
    cleanup_done m = { .outcome = outcome, .reason = STR("words") };
    channel_put(&w->cleanup, CLEANUP_DONE, w->ref, cleanup_done, &m);
    rounds();
}

static void brings_and_removes_when_it_is_durable(void **state)
{
    char login[20];
    (void)state;
    leave(FIRST);
    look();
    assert_int_equal(w->begins, 1);
    ready();
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->recipients, 1);
    assert_int_equal(w->bytes, 3);
    assert_int_equal(w->sum, checksum(0, STR("x\r\n")));
    snprintf(login, sizeof login, "uid:%u", (unsigned)geteuid()); /* of the file, not what stands in it */
    assert_string_equal(w->login, login);
    assert_true(is_there(FIRST));
    done(FAULT_NONE);
    assert_false(is_there(FIRST));
    assert_int_equal(w->pickup.brought, 1);
}

static void a_refused_one_is_kept_aside(void **state)
{
    (void)state;
    leave(FIRST);
    look();
    ready();
    done(FAULT_REFUSED);
    assert_false(is_there(FIRST));
    assert_true(is_there(FIRST ".refused"));
}

static void one_that_cannot_be_taken_now_lets_the_next_go(void **state)
{
    (void)state;
    leave(FIRST);
    look();
    leave(SECOND);
    ready();
    done(FAULT_TRY_LATER);
    assert_int_equal(w->begins, 2);
    ready();
    done(FAULT_NONE);
    assert_true(is_there(FIRST));
    assert_false(is_there(SECOND));
}

/* It may be the message that cleanup could not bear: the others come first. */
static void a_cleanup_that_ends_gets_another_one_next(void **state)
{
    (void)state;
    leave(FIRST);
    look();
    leave(SECOND);
    channel_close(&w->cleanup);
    rounds();
    attach();
    look();
    assert_int_equal(w->begins, 2);
    ready();
    done(FAULT_NONE);
    assert_false(is_there(SECOND));
    assert_true(is_there(FIRST));
}

static void one_on_its_way_keeps_a_pickup_that_leaves(void **state)
{
    (void)state;
    leave(FIRST);
    look();
    assert_int_equal(w->process.sessions, 1);
    w->process.is_draining = true;
    leave(SECOND);
    ready();
    done(FAULT_NONE);
    assert_int_equal(w->process.sessions, 0);
    assert_false(is_there(FIRST));
    look();
    assert_int_equal(w->begins, 1); /* the next one brings it */
}

static void words_for_another_message_are_nothing(void **state)
{
    (void)state;
    leave(FIRST);
    look();
    w->ref += 7;
    done(FAULT_NONE);
    assert_true(is_there(FIRST));
    assert_true(channel_is_open(&w->cleanup));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(brings_and_removes_when_it_is_durable),         TEST(a_refused_one_is_kept_aside),
        TEST(one_that_cannot_be_taken_now_lets_the_next_go), TEST(a_cleanup_that_ends_gets_another_one_next),
        TEST(one_on_its_way_keeps_a_pickup_that_leaves),     TEST(words_for_another_message_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
