/* SOURCES:  NEEDS: daemon */
/* A pool's process between a worker and cleanup, over real channels in one loop. */
#include "daemon/forward.h"
#include "daemon/peers.h"
#include "ipc/talk/cleanup.h"
#include "ipc/talk/report.h"
#include "os/fd.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct world {
    process process;
    program program;
    forward_desk desk;
    timer stop;
    channel cleanup, worker, to_worker;
    deliver_request request;
    forwarding *copy;
    /* cleanup's end */
    uint32_t ref;
    unsigned begins, aborts, commits;
    char said[2000]; /* the envelope and recipients, a line each */
    size_t said_n;
    cleanup_commit commit;
    /* the worker's */
    unsigned papers;
    uint32_t paper_ref, paper_outcome;
    bool has_paper;
    /* the job's */
    unsigned ends;
    fault outcome;
    uint32_t action;
    char reason[300];
} * w;

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 5; i++) {
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

static bool on_envelope(void *context, channel *c, received *r)
{
    envelope m;
    (void)context, (void)c;
    assert_int_equal(envelope_decode(r->bytes, &m), PARSE_DONE);
    w->said_n += (size_t)snprintf(w->said + w->said_n, sizeof w->said - w->said_n, "from=%.*s id=%.*s ret=%.*s by=%.*s flags=%u\n",
                                  STR_ARG(m.reverse_path), STR_ARG(m.envelope_id), STR_ARG(m.returns), STR_ARG(m.forwarders),
                                  m.flags);
    return true;
}

static bool on_recipient(void *context, channel *c, received *r)
{
    envelope_recipient m;
    (void)context, (void)c;
    assert_int_equal(envelope_recipient_decode(r->bytes, &m), PARSE_DONE);
    w->said_n += (size_t)snprintf(w->said + w->said_n, sizeof w->said - w->said_n, "%.*s [%.*s %.*s] %.*s notify=%u\n",
                                  STR_ARG(m.address), STR_ARG(m.transport), STR_ARG(m.nexthop), STR_ARG(m.orcpt), m.notify);
    return true;
}

static bool on_commit(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    assert_int_equal(cleanup_commit_decode(r->bytes, &w->commit), PARSE_DONE);
    w->commits++;
    return true;
}

static bool on_abort(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->aborts++;
    return true;
}

static bool on_paper(void *context, channel *c, received *r)
{
    deliver_result m;
    (void)context, (void)c;
    assert_int_equal(deliver_result_decode(r->bytes, &m), PARSE_DONE);
    w->papers++;
    w->paper_ref = r->ref;
    w->paper_outcome = m.outcome;
    w->has_paper = r->fd_count == 1;
    return true;
}

static const talk_row cleanup_rows[] = {
    { CLEANUP_BEGIN, 0, 0, on_begin },   { CLEANUP_ENVELOPE, 0, 0, on_envelope }, { CLEANUP_RECIPIENT, 0, 0, on_recipient },
    { CLEANUP_COMMIT, 0, 0, on_commit }, { CLEANUP_ABORT, 0, 0, on_abort },
};
static const talk cleanup_talk = { "cleanup", cleanup_rows, COUNT_OF(cleanup_rows), NULL };
static const talk_row worker_rows[] = { { DELIVER_PAPER, 0, 1, on_paper } };
static const talk worker_talk = { "worker", worker_rows, COUNT_OF(worker_rows), NULL };
static const talk to_worker_talk = { "to-worker", NULL, 0, NULL };

static void copy_free(void)
{
    forward_free(w->copy);
    w->copy = NULL;
}

static void on_end(void *job, fault outcome, uint32_t action, str reason)
{
    assert_ptr_equal(job, w);
    w->ends++;
    w->outcome = outcome;
    w->action = action;
    snprintf(w->reason, sizeof w->reason, "%.*s", STR_ARG(reason));
    copy_free(); /* as a job does */
}

static void cleanup_opened(peer *p)
{
    p->context = &w->desk;
}

static void cleanup_attach(uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&w->cleanup, w->process.loop, pair[1], &cleanup_talk, NULL);
    daemon_peer_add(&w->process, STR("cleanup"), instance, pair[0]);
}

static int setup(void **state)
{
    static peer_row rows[1];
    int pair[2];
    (void)state;
    rows[0] = (peer_row){ "cleanup", forward_talk, cleanup_opened, forward_cleanup_lost };
    w = calloc(1, sizeof *w);
    w->program = (program){ .peers = rows, .peer_count = 1 };
    w->process = (process){ .program = &w->program, .loop = loop_new(), .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->desk.on_end = on_end;
    w->request = (deliver_request){ .queue_id = 12, .reverse_path = STR("from@y.example"), .envelope_id = STR("env"),
                                    .returns = STR("HDRS"), .orcpt = STR("rfc822;info@x.example"), .flags = ENVELOPE_8BIT,
                                    .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE, .forwarders = STR("ann"),
                                    .recipient = STR("jo@x.example"), .original = STR("info@x.example"), .user = STR("jo") };
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    assert_true(channel_pair(pair));
    channel_open(&w->to_worker, w->process.loop, pair[0], &to_worker_talk, NULL);
    channel_open(&w->worker, w->process.loop, pair[1], &worker_talk, NULL);
    cleanup_attach(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    copy_free();
    channel_close(&w->to_worker);
    channel_close(&w->worker);
    channel_close(&w->cleanup);
    rounds();
    assert_null(w->process.peers);
    refs_free(&w->desk.copies);
    timer_close(&w->stop);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void begin(void)
{
    forward_order o = { .request = &w->request, .worker = &w->to_worker, .ref = 77, .may_command = true, .may_include = true, .job = w };
    w->copy = forward_begin(&w->desk, &w->process, &o);
    rounds();
}

static void ready(void)
{
    cleanup_ready m = { .queue_id = 13 };
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->ref, cleanup_ready, &m, &fd, 1);
    rounds();
}

static void done(fault_kind outcome)
{
    cleanup_done m = { .queue_id = 13, .outcome = outcome, .status = STR("4.6"), .reason = STR("Too many hops") };
    channel_put(&w->cleanup, CLEANUP_DONE, w->ref, cleanup_done, &m);
    rounds();
}

static bool member(const char *text, bool is_final)
{
    return forward_member(w->copy, &(deliver_member){ .member = str_c(text), .is_final = is_final });
}

static bool copied(uint32_t members)
{
    bool is_good = forward_copied(w->copy, &(deliver_copied){ .content_bytes = 5, .content_checksum = 6, .member_count = members });
    rounds();
    return is_good;
}

static void members_become_recipients_that_the_worker_cannot_choose(void **state)
{
    (void)state;
    begin();
    assert_int_equal(w->papers, 0);
    ready();
    assert_int_equal(w->paper_ref, 77);
    assert_true(w->has_paper && w->paper_outcome == FAULT_NONE);
    assert_true(member("ann", false) && member("\"b c\"", false) && member("d@z.example", false));
    assert_true(member("|/bin/cat", false) && member(":include:/l", false) && member("root", true));
    assert_true(copied(6));
    assert_true(forward_is_committing(w->copy));
    assert_string_equal(w->said, "from=from@y.example id=env ret=HDRS by=ann jo flags=1\n"
                                 "ann@x.example [ ] rfc822;info@x.example notify=4\n"
                                 "\"b c\"@x.example [ ] rfc822;info@x.example notify=4\n"
                                 "d@z.example [ ] rfc822;info@x.example notify=4\n"
                                 "jo@x.example [pipe jo |/bin/cat] rfc822;info@x.example notify=4\n"
                                 "jo@x.example [pipe jo :include:/l] rfc822;info@x.example notify=4\n"
                                 "jo@x.example [local \\jo] rfc822;info@x.example notify=4\n");
    assert_int_equal(w->commit.content_bytes, 5);
    assert_int_equal(w->commit.content_checksum, 6);
    assert_int_equal(w->commit.recipient_count, 6);
    done(FAULT_NONE);
    assert_int_equal(w->ends, 1);
    assert_false(is_fault(w->outcome));
    assert_int_equal(w->action, REPORT_EXPANDED);
    assert_string_equal(w->reason, "forwarded as 0000000000F");
}

/* RFC 3461 5.2.7: one recipient inherits all wishes, and nothing is reported here. */
static void one_recipient_has_all_wishes(void **state)
{
    static const struct {
        uint32_t asked, members, notify, action;
    } rows[] = {
        { NOTIFY_SUCCESS | NOTIFY_DELAY, 1, NOTIFY_SUCCESS | NOTIFY_DELAY, DELIVER_PASSED_ON },
        { NOTIFY_SUCCESS, 2, NOTIFY_NEVER, REPORT_EXPANDED },
        { NOTIFY_NEVER, 2, NOTIFY_NEVER, DELIVER_PASSED_ON },
        { 0, 2, 0, DELIVER_PASSED_ON },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char want[40];
        w->request.notify = rows[i].asked;
        begin();
        ready();
        assert_true(member("ann", false));
        assert_true(rows[i].members == 1 || member("ben", false));
        assert_true(copied(rows[i].members));
        snprintf(want, sizeof want, " notify=%u\n", rows[i].notify);
        assert_non_null(strstr(w->said, want));
        done(FAULT_NONE);
        assert_int_equal(w->action, rows[i].action);
        teardown(state);
        setup(state);
    }
}

static void what_may_not_be_named_is_refused(void **state)
{
    static const char *const bad[] = { "", "/file", "a\nb", "a\x7f", "\r" };
    (void)state;
    begin();
    assert_false(member("ann", false)); /* before there is a paper */
    ready();
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(member(bad[i], false));
    assert_false(copied(0));
    assert_true(member("ann", false));
    assert_false(copied(2)); /* one was lost */
    assert_int_equal(w->commits, 0);
}

static void cleanups_refusal_is_the_result(void **state)
{
    (void)state;
    begin();
    ready();
    member("ann", false);
    copied(1);
    done(FAULT_REFUSED);
    assert_int_equal(w->outcome.kind, FAULT_REFUSED);
    assert_string_equal(w->outcome.status, "4.6");
    assert_non_null(strstr(w->reason, "Too many hops"));
}

static void without_a_file_the_worker_hears_why(void **state)
{
    (void)state;
    begin();
    done(FAULT_TRY_LATER);
    assert_int_equal(w->papers, 1);
    assert_false(w->has_paper);
    assert_int_equal(w->paper_outcome, FAULT_TRY_LATER);
    assert_int_equal(w->ends, 0);
    assert_true(member("ann", false));
    assert_true(copied(1)); /* a worker that goes on all the same */
    assert_int_equal(w->outcome.kind, FAULT_TRY_LATER);
    channel_close(&w->cleanup);
    rounds();
    begin(); /* no cleanup at all */
    assert_int_equal(w->papers, 2);
    assert_int_equal(w->paper_outcome, FAULT_TRY_LATER);
}

static void a_lost_cleanup_is_tried_again(void **state)
{
    (void)state;
    begin();
    ready();
    member("ann", false);
    channel_close(&w->cleanup); /* while the worker writes */
    rounds();
    assert_int_equal(w->ends, 0);
    cleanup_attach(1);
    rounds();
    assert_true(copied(1));
    assert_int_equal(w->outcome.kind, FAULT_TRY_LATER);
    begin();
    ready();
    member("ann", false);
    copied(1);
    channel_close(&w->cleanup); /* after the commit was asked for */
    rounds();
    assert_int_equal(w->ends, 2);
    assert_int_equal(w->outcome.kind, FAULT_TRY_LATER);
}

static void what_is_given_up_is_aborted(void **state)
{
    (void)state;
    begin();
    ready();
    copy_free();
    rounds();
    assert_int_equal(w->aborts, 1);
    done(FAULT_NONE); /* late: nobody's */
    assert_int_equal(w->ends, 0);
    assert_true(channel_is_open(&w->cleanup));
    begin();
    done(FAULT_NONE); /* of what was not committed: that cleanup is dropped */
    assert_false(channel_is_open(&w->cleanup));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(members_become_recipients_that_the_worker_cannot_choose),
        TEST(one_recipient_has_all_wishes),
        TEST(what_may_not_be_named_is_refused),
        TEST(cleanups_refusal_is_the_result),
        TEST(without_a_file_the_worker_hears_why),
        TEST(a_lost_cleanup_is_tried_again),
        TEST(what_is_given_up_is_aborted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
