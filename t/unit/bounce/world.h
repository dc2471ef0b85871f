/* bounce between a qmgr and a cleanup of the test's, over real channels in one loop. */
#pragma once
#include "base/checksum.h"
#include "bounce/bounce.h"
#include "daemon/peers.h"
#include "ipc/talk/notice.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define MESSAGE "Received: here\r\nMessage-ID: <m@b.example>\r\nSubject: s\r\n\r\nbody\r\n"

static struct world {
    process process;
    program program;
    generation generation;
    bounce bounce;
    timer stop;
    channel qmgr, cleanup, smtpd;
    /* what cleanup was told */
    uint32_t ref, recipients;
    unsigned begins, aborts, commits, flags;
    uint64_t bytes;
    uint32_t sum;
    char from[100], to[100], also_to[100]; /* also_to: the one before */
    char content[20000];                   /* of what came enclosed */
    int paper; /* what was written */
    /* what qmgr was told */
    unsigned dones;
    uint32_t outcome, done_ref;
    uint64_t report_id;
} * w;

static inline void on_stop(void *context)
{
    loop_stop(context);
}

static inline void rounds(void)
{
    for (int i = 0; i < 6; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

static inline bool got_begin(void *context, channel *c, received *r)
{
    (void)context, (void)c;
    w->ref = r->ref;
    w->begins++;
    return true;
}

static inline bool got_abort(void *context, channel *c, received *r)
{
    (void)context, (void)c, (void)r;
    w->aborts++;
    return true;
}

static inline bool got_envelope(void *context, channel *c, received *r)
{
    envelope m;
    (void)context, (void)c;
    assert_int_equal(envelope_decode(r->bytes, &m), PARSE_DONE);
    snprintf(w->from, sizeof w->from, "%.*s", STR_ARG(m.reverse_path));
    w->flags = m.flags;
    w->recipients = 0;
    return true;
}

static inline bool got_recipient(void *context, channel *c, received *r)
{
    envelope_recipient m;
    (void)context, (void)c;
    assert_int_equal(envelope_recipient_decode(r->bytes, &m), PARSE_DONE);
    memcpy(w->also_to, w->to, sizeof w->to);
    snprintf(w->to, sizeof w->to, "%.*s", STR_ARG(m.address));
    assert_int_equal(m.transport.n, 0);
    w->recipients++;
    return true;
}

static inline bool got_commit(void *context, channel *c, received *r)
{
    cleanup_commit m;
    (void)context, (void)c;
    assert_int_equal(cleanup_commit_decode(r->bytes, &m), PARSE_DONE);
    assert_int_equal(m.recipient_count, w->recipients);
    w->bytes = m.content_bytes;
    w->sum = m.content_checksum;
    w->ref = r->ref;
    assert_true(m.content.n < sizeof w->content);
    snprintf(w->content, sizeof w->content, "%.*s", STR_ARG(m.content));
    w->commits++;
    return true;
}

static inline bool got_done(void *context, channel *c, received *r)
{
    report_done m;
    (void)context, (void)c;
    assert_int_equal(report_done_decode(r->bytes, &m), PARSE_DONE);
    w->done_ref = r->ref;
    w->outcome = m.outcome;
    w->report_id = m.report_id;
    w->dones++;
    return true;
}

static inline void attach(channel *end, const talk *t, const char *role)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, NULL);
    daemon_peer_add(&w->process, str_c(role), 0, pair[0]);
    rounds();
}

static inline void attach_cleanup(void)
{
    static const talk_row rows[] = { { CLEANUP_BEGIN, 0, 0, got_begin },
                                     { CLEANUP_ABORT, 0, 0, got_abort },
                                     { CLEANUP_ENVELOPE, 0, 0, got_envelope },
                                     { CLEANUP_RECIPIENT, 0, 0, got_recipient },
                                     { CLEANUP_COMMIT, 0, 0, got_commit } };
    static const talk end = { "cleanup", rows, COUNT_OF(rows), NULL };
    attach(&w->cleanup, &end, "cleanup");
}

static inline void attach_qmgr(void)
{
    static const talk_row rows[] = { { REPORT_DONE, 0, 0, got_done } };
    static const talk end = { "qmgr", rows, COUNT_OF(rows), NULL };
    attach(&w->qmgr, &end, "qmgr");
}

static inline void attach_smtpd(void)
{
    static const talk end = { "smtpd", NULL, 0, NULL };
    attach(&w->smtpd, &end, "smtpd");
}

static inline int world_open(void **state)
{
    static peer_row peers[] = { { "qmgr", { 0 }, NULL, jobs_qmgr_lost }, { "cleanup", { 0 }, NULL, bring_lost },
                                { "smtpd", { 0 }, NULL, NULL } };
    (void)state;
    peers[0].talk = qmgr_talk;
    peers[1].talk = cleanup_talk;
    peers[2].talk = notice_talk;
    w = calloc(1, sizeof *w);
    w->paper = -1;
    w->generation.holders = 1;
    w->generation.snapshot.base = (config){ .myhostname = STR("mx.example"),
                                            .myorigin = STR("origin.example"),
                                            .mail_name = STR("X"),
                                            .bounce_size_limit = 50000,
                                            .maximal_queue_lifetime = 432000,
                                            .notify_classes = STR("resource, software"),
                                            .error_notice_recipient = STR("errors@e.example"),
                                            .bounce_notice_recipient = STR("postmaster"),
                                            .second_bounce_notice_recipient = STR("twice"),
                                            .delay_notice_recipient = STR("late@l.example"),
                                            .double_bounce_sender = STR("double-bounce") };
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->bounce,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->bounce.process = &w->process;
    report_templates_default(&w->bounce.templates);
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach_qmgr();
    attach_cleanup();
    attach_smtpd();
    return 0;
}

static inline int world_close(void **state)
{
    (void)state;
    channel_close(&w->qmgr);
    channel_close(&w->cleanup);
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->process.sessions, 0);
    assert_null(w->process.peers);
    if (w->paper >= 0)
        close(w->paper);
    refs_free(&w->bounce.jobs);
    report_templates_free(&w->bounce.templates);
    timer_close(&w->stop);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static inline int message_file(str content)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    assert_int_equal(pwrite(fd, content.p, content.n, 100), (ssize_t)content.n);
    return fd;
}

static inline report_begin begin_of(str content)
{
    return (report_begin){ .queue_id = 7,
                           .content_offset = 100,
                           .content_bytes = content.n,
                           .arrived_s = 1000,
                           .expires_s = 2000,
                           .reverse_path = STR("a@b.example"),
                           .sender = STR("a@b.example"),
                           .client = STR("unknown [192.0.2.1]"),
                           .recipient_count = 1 };
}

static inline void ask(uint32_t ref, const report_begin *m, str content)
{
    int fd = message_file(content);
    channel_put_fds(&w->qmgr, REPORT_BEGIN, ref, report_begin, m, &fd, 1);
}

static inline void ask_row(uint32_t ref, enum report_action action, const char *address)
{
    report_recipient m = { .action = action,
                           .address = str_c(address),
                           .status = STR("5.1.1"),
                           .reason = STR("no such user"),
                           .when_s = 1500 };
    channel_put(&w->qmgr, REPORT_RECIPIENT, ref, report_recipient, &m);
}

/* cleanup gives a file. */
static inline void give(void)
{
    cleanup_ready m = { .queue_id = 9 };
    if (w->paper >= 0)
        close(w->paper);
    w->paper = memfd_create("paper", MFD_CLOEXEC);
    int fd = fcntl(w->paper, F_DUPFD_CLOEXEC, 0);
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->ref, cleanup_ready, &m, &fd, 1);
    rounds();
}

static inline void say_done(fault_kind outcome)
{
    cleanup_done m = { .queue_id = 9, .outcome = outcome, .reason = STR("words") };
    channel_put(&w->cleanup, CLEANUP_DONE, w->ref, cleanup_done, &m);
    rounds();
}

/* What was written; checked against what was said of it. */
static inline const char *paper(void)
{
    static char bytes[1 << 20];
    ssize_t n = pread(w->paper, bytes, sizeof bytes - 1, 0);
    assert_true(n >= 0);
    bytes[n] = '\0';
    assert_int_equal(w->bytes, n);
    assert_int_equal(w->sum, checksum(0, (str){ bytes, (size_t)n }));
    return bytes;
}

static inline bool paper_has(const char *text)
{
    return strstr(paper(), text) != NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
