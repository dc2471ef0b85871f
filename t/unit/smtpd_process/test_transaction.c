/* SOURCES: smtpd/ask.c smtpd/auth.c smtpd/content.c smtpd/footer.c smtpd/hello.c smtpd/lmtp.c smtpd/mail.c smtpd/meter.c smtpd/notice.c smtpd/replies.c smtpd/session.c smtpd/transaction.c smtpd/transcript.c smtpd/verbs.c  NEEDS: daemon tls proto queue */
/* smtpd between a client, policies and cleanups, over real channels in one loop. */
#include "daemon/peers.h"
#include "ipc/talk/cleanup.h"
#include "smtpd/session.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct policy_end {
    channel channel;
    uint32_t ref;
    unsigned asks;
} policy_end;

typedef struct cleanup_end {
    channel channel;
    uint32_t ref;
    unsigned begins, aborts, recipients, commits;
    char to[10][80], content[80];
    uint64_t bytes;
    uint32_t flags;
} cleanup_end;

static struct world {
    process process;
    program program;
    generation generation;
    snapshot_service service;
    smtpd smtpd;
    listener listener;
    timer stop;
    policy_end policy[2];
    cleanup_end cleanup[2];
    int client, file;
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

static bool on_ask(void *context, channel *c, received *r)
{
    policy_end *p = context;
    (void)c;
    p->ref = r->ref;
    p->asks++;
    return true;
}

static bool on_begin(void *context, channel *c, received *r)
{
    cleanup_end *e = context;
    (void)c;
    e->ref = r->ref;
    e->begins++;
    return true;
}

static bool on_abort(void *context, channel *c, received *r)
{
    (void)c, (void)r;
    ((cleanup_end *)context)->aborts++;
    return true;
}

static bool on_envelope(void *context, channel *c, received *r)
{
    envelope m;
    (void)c;
    bool is_whole = envelope_decode(r->bytes, &m) == PARSE_DONE;
    ((cleanup_end *)context)->flags = is_whole ? m.flags : 0;
    ((cleanup_end *)context)->ref = r->ref;
    return is_whole;
}

static bool on_recipient(void *context, channel *c, received *r)
{
    cleanup_end *e = context;
    envelope_recipient m;
    (void)c;
    assert_int_equal(envelope_recipient_decode(r->bytes, &m), PARSE_DONE);
    assert_true(e->recipients < 10);
    snprintf(e->to[e->recipients++], sizeof e->to[0], "%.*s", STR_ARG(m.address));
    return true;
}

static bool on_commit(void *context, channel *c, received *r)
{
    cleanup_end *e = context;
    cleanup_commit m;
    (void)c;
    assert_int_equal(cleanup_commit_decode(r->bytes, &m), PARSE_DONE);
    assert_int_equal(m.recipient_count, e->recipients);
    e->bytes = m.content_bytes;
    snprintf(e->content, sizeof e->content, "%.*s", STR_ARG(m.content));
    e->commits++;
    return true;
}

static const talk_row policy_rows[] = { { POLICY_ASK, 0, 0, on_ask } };
static const talk policy_end_talk = { "policy", policy_rows, COUNT_OF(policy_rows), NULL };
static const talk_row cleanup_rows[] = {
    { CLEANUP_BEGIN, 0, 0, on_begin },       { CLEANUP_ABORT, 0, 0, on_abort },
    { CLEANUP_ENVELOPE, 0, 0, on_envelope }, { CLEANUP_RECIPIENT, 0, 0, on_recipient },
    { CLEANUP_COMMIT, 0, 0, on_commit },
};
static const talk cleanup_end_talk = { "cleanup", cleanup_rows, COUNT_OF(cleanup_rows), NULL };

static void attach(channel *end, const talk *t, void *context, const char *role, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], t, context);
    daemon_peer_add(&w->process, str_c(role), instance, pair[0]);
    rounds();
}

static int setup(void **state)
{
    static peer_row peers[] = { { "policy", { 0 }, policy_opened, policy_lost },
                                { "cleanup", { 0 }, NULL, cleanup_lost } };
    int pair[2];
    (void)state;
    peers[0].talk = policy_talk;
    peers[1].talk = cleanup_talk;
    w = calloc(1, sizeof *w);
    w->service = (snapshot_service){ .key = STR("smtp/inet") };
    w->service.config = (config){
        .myhostname = STR("mx.example.test"),
        .smtpd_banner = STR("mx"),
        .line_length_limit = 2000,
        .smtpd_timeout = 300,
        .smtpd_hard_error_limit = 20,
        .smtpd_soft_error_limit = 10,
        .smtpd_session_limit = 10,
        .smtpd_recipient_limit = 100,
        .smtpd_delay_reject = true,
        .smtpd_session_time_limit = 3600,
        .smtpd_junk_command_limit = 100,
        .smtpd_reject_footer = STR("to $recipient."),
        .session_memory_limit = 1000000,
    };
    w->generation.holders = 1;
    w->generation.snapshot.services = &w->service;
    w->generation.snapshot.service_count = 1;
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->smtpd,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->smtpd.process = &w->process;
    w->listener = (listener){ .daemon = &w->process, .service = STR("smtp/inet") };
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach(&w->policy[0].channel, &policy_end_talk, &w->policy[0], "policy", 0);
    attach(&w->cleanup[0].channel, &cleanup_end_talk, &w->cleanup[0], "cleanup", 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    w->client = pair[1];
    w->file = memfd_create("content", MFD_CLOEXEC);
    session_open(&w->listener, &(accepted){ .fd = pair[0] });
    rounds();
    return 0;
}

static int teardown(void **state)
{
    channel *all[] = { &w->policy[0].channel, &w->policy[1].channel, &w->cleanup[0].channel, &w->cleanup[1].channel };
    (void)state;
    close(w->client);
    rounds();
    for (size_t i = 0; i < COUNT_OF(all); i++)
        channel_close(all[i]);
    rounds();
    assert_int_equal(w->process.sessions, 0);
    assert_null(w->process.peers);
    vec_free(&w->smtpd.sessions);
    vec_free(&w->smtpd.free_slots);
    close(w->file);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static void say(const char *text)
{
    assert_int_equal(write(w->client, text, strlen(text)), (ssize_t)strlen(text));
    rounds();
}

/* What came since the last call; "EOF" behind it when the connection has ended. */
static const char *heard(void)
{
    static char text[100000];
    size_t n = 0;
    ssize_t got;
    while ((got = read(w->client, text + n, sizeof text - n - 8)) > 0)
        n += (size_t)got;
    text[n] = 0;
    if (got == 0 || (got < 0 && errno != EAGAIN))
        memcpy(text + n, "EOF", 4);
    return text;
}

static void route(policy_end *p, const char *user)
{
    policy_route m = { .address = str_c(user), .transport = STR("local"), .nexthop = str_c(user) };
    channel_put(&p->channel, POLICY_ROUTE, p->ref, policy_route, &m);
    rounds();
}

static void answer(policy_end *p, uint32_t code)
{
    policy_answer m = { .code = code, .status = code < 400 ? STR_NONE : STR("5.7.1"), .reply = STR("words") };
    channel_put(&p->channel, POLICY_ANSWER, p->ref, policy_answer, &m);
    rounds();
}

/* One that goes where it says, or is refused. */
static void recipient_say(const char *user, uint32_t code)
{
    char line[100];
    snprintf(line, sizeof line, "RCPT TO:<%s@l.example>\r\n", user);
    say(line);
    route(&w->policy[0], user);
    answer(&w->policy[0], code);
}

static void ready(cleanup_end *e)
{
    cleanup_ready m = { .queue_id = 7 };
    int fd = fcntl(w->file, F_DUPFD_CLOEXEC, 0);
    channel_put_fds(&e->channel, CLEANUP_READY, e->ref, cleanup_ready, &m, &fd, 1);
    rounds();
}

static void done(cleanup_end *e)
{
    cleanup_done m = { .queue_id = 7, .outcome = FAULT_NONE };
    channel_put(&e->channel, CLEANUP_DONE, e->ref, cleanup_done, &m);
    rounds();
}

static void mail_begin(void)
{
    say("EHLO x\r\n");
    say("MAIL FROM:<a@b.example>\r\n");
    heard();
}

/* Announced as one that needs a file. */
static void large_mail_begin(void)
{
    say("EHLO x\r\n");
    say("MAIL FROM:<a@b.example> SIZE=100000\r\n");
    heard();
}

static void takes_a_message(void **state)
{
    (void)state;
    mail_begin();
    recipient_say("u", 250);
    assert_string_equal(heard(), "250 2.1.5 Ok\r\n");
    say("DATA\r\n");
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[0].commits, 1);
    assert_int_equal(w->cleanup[0].begins, 0);
    assert_int_equal(w->cleanup[0].bytes, 3);
    assert_string_equal(w->cleanup[0].content, "x\r\n");
    assert_string_equal(w->cleanup[0].to[0], "u");
    heard();
    done(&w->cleanup[0]);
    assert_true(str_starts(str_c(heard()), STR("250 2.0.0 Ok: queued as ")));
}

static void a_large_message_has_a_file(void **state)
{
    char octet[4] = "";
    (void)state;
    large_mail_begin();
    recipient_say("u", 250);
    assert_int_equal(w->cleanup[0].begins, 1);
    ready(&w->cleanup[0]);
    say("DATA\r\n");
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[0].commits, 1);
    assert_string_equal(w->cleanup[0].content, "");
    assert_int_equal(pread(w->file, octet, sizeof octet, 0), 3);
    heard();
    done(&w->cleanup[0]);
    assert_true(str_starts(str_c(heard()), STR("250 2.0.0 Ok: queued as ")));
}

static void content_say(size_t octets)
{
    char line[101];
    memset(line, 'x', sizeof line);
    memcpy(line + 98, "\r\n", 3);
    for (size_t n = 0; n < octets; n += 100)
        assert_int_equal(write(w->client, line, 100), 100);
    rounds();
}

/* It did not say how large it is. */
static void content_rests_until_there_is_a_file(void **state)
{
    (void)state;
    mail_begin();
    recipient_say("u", 250);
    say("DATA\r\n");
    heard();
    content_say(CLEANUP_ENCLOSED_MAX);
    assert_int_equal(w->cleanup[0].begins, 1);
    say(".\r\n");
    assert_int_equal(w->cleanup[0].commits, 0);
    attach(&w->cleanup[1].channel, &cleanup_end_talk, &w->cleanup[1], "cleanup", 1);
    channel_close(&w->cleanup[0].channel); /* another one is asked */
    rounds();
    ready(&w->cleanup[1]);
    assert_int_equal(w->cleanup[1].commits, 1);
    assert_int_equal(w->cleanup[1].bytes, lseek(w->file, 0, SEEK_END));
    done(&w->cleanup[1]);
    assert_true(str_starts(str_c(heard()), STR("250 2.0.0 Ok: queued as ")));
}

static void without_a_file_the_rest_is_read_and_refused(void **state)
{
    cleanup_done full = { .outcome = FAULT_TRY_LATER, .status = STR("3.1"), .reason = STR("full") };
    (void)state;
    mail_begin();
    recipient_say("u", 250);
    say("DATA\r\n");
    content_say(CLEANUP_ENCLOSED_MAX);
    channel_put(&w->cleanup[0].channel, CLEANUP_DONE, w->cleanup[0].ref, cleanup_done, &full);
    rounds();
    heard();
    content_say(CLEANUP_ENCLOSED_MAX);
    assert_string_equal(heard(), "");
    say(".\r\n");
    assert_true(str_starts(str_c(heard()), STR("452-4.3.1 ")));
    say("NOOP\r\n");
    assert_string_equal(heard(), "250 2.0.0 Ok\r\n");
}

/* It said where the recipient goes and ended before its answer; the next one says no. */
static void routes_of_a_policy_that_ended_are_none(void **state)
{
    (void)state;
    mail_begin();
    recipient_say("u", 250);
    say("RCPT TO:<v@l.example>\r\n");
    route(&w->policy[0], "v");
    channel_close(&w->policy[0].channel);
    rounds();
    attach(&w->policy[1].channel, &policy_end_talk, &w->policy[1], "policy", 1);
    assert_int_equal(w->policy[1].asks, 1);
    answer(&w->policy[1], 550);
    say("DATA\r\n");
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[0].recipients, 1);
    assert_string_equal(w->cleanup[0].to[0], "u");
}

static void routes_with_a_refusal_are_none(void **state)
{
    (void)state;
    mail_begin();
    recipient_say("v", 550);
    say("RCPT TO:<u@l.example>\r\n");
    route(&w->policy[0], "u");
    route(&w->policy[0], "u2");
    answer(&w->policy[0], 250);
    say("DATA\r\n");
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[0].recipients, 2);
    assert_string_equal(w->cleanup[0].to[0], "u");
    assert_string_equal(w->cleanup[0].to[1], "u2");
}

/* The memory of the transaction is gone when the footer names its last recipient. */
static void a_footer_after_the_transaction_names_nobody(void **state)
{
    char line[1200], local[1000];
    (void)state;
    mail_begin();
    for (int i = 0; i < 5; i++) {
        memset(local, 'u', sizeof local);
        snprintf(line, sizeof line, "RCPT TO:<%.60s@l.example>\r\n", local);
        say(line);
        answer(&w->policy[0], 550);
    }
    assert_non_null(strstr(heard(), "to uuu"));
    say("RSET\r\n");
    heard();
    say("NONSENSE\r\n");
    assert_string_equal(heard(), "500-5.5.2 Command not recognized\r\n500 5.5.2 to .\r\n");
}

/* The file of a cleanup that ended is not written to; the next recipient brings another. */
static void a_transaction_begins_anew_with_another_cleanup(void **state)
{
    (void)state;
    large_mail_begin();
    recipient_say("u", 250);
    ready(&w->cleanup[0]);
    channel_close(&w->cleanup[0].channel);
    rounds();
    attach(&w->cleanup[1].channel, &cleanup_end_talk, &w->cleanup[1], "cleanup", 1);
    recipient_say("v", 250);
    heard();
    say("DATA\r\n");
    assert_string_equal(heard(), ""); /* waits for the file */
    ready(&w->cleanup[1]);
    assert_true(str_starts(str_c(heard()), STR("354 ")));
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[1].recipients, 2);
}

/* One that a reload replaces leaves before it reads the question: another one is asked for the file. */
static void a_file_that_did_not_come_comes_from_another_cleanup(void **state)
{
    (void)state;
    large_mail_begin();
    recipient_say("u", 250);
    heard();
    say("DATA\r\n");
    attach(&w->cleanup[1].channel, &cleanup_end_talk, &w->cleanup[1], "cleanup", 1);
    channel_close(&w->cleanup[0].channel);
    rounds();
    assert_string_equal(heard(), "");
    assert_int_equal(w->cleanup[1].begins, 1);
    ready(&w->cleanup[1]);
    assert_true(str_starts(str_c(heard()), STR("354 ")));
    say("x\r\n.\r\n");
    assert_int_equal(w->cleanup[1].recipients, 1);
    done(&w->cleanup[1]);
    assert_true(str_starts(str_c(heard()), STR("250 2.0.0 Ok: queued as ")));
}

static void result(cleanup_end *e, uint32_t index, fault_kind outcome)
{
    cleanup_result m = { .index = index, .outcome = outcome, .status = STR("2.2"), .reason = STR("full") };
    channel_put(&e->channel, CLEANUP_RESULT, e->ref, cleanup_result, &m);
}

static void lmtp_begin_one(void)
{
    w->service.config.smtpd_protocol = PROTOCOL_LMTP;
    w->service.config.smtpd_reject_footer = STR_NONE;
    say("LHLO x\r\n");
    say("MAIL FROM:<a@b.example>\r\n");
    static const char *const users[] = { "u", "v" };
    for (size_t i = 0; i < COUNT_OF(users); i++)
        recipient_say(users[i], 250);
    say("DATA\r\n");
    heard();
    say("x\r\n.\r\n");
    assert_string_equal(heard(), "");
}

static void lmtp_answers_for_each_recipient(void **state)
{
    (void)state;
    lmtp_begin_one();
    assert_true(w->cleanup[0].flags & ENVELOPE_DIRECT);
    result(&w->cleanup[0], 1, FAULT_TRY_LATER);
    result(&w->cleanup[0], 0, FAULT_NONE);
    rounds();
    assert_string_equal(heard(), ""); /* until all is known */
    done(&w->cleanup[0]);
    const char *text = heard();
    assert_true(str_starts(str_c(text), STR("250 2.1.5 Ok: delivered as ")));
    assert_non_null(strstr(text, "\r\n452 4.2.2 full\r\n"));
    say("NOOP\r\n");
    assert_string_equal(heard(), "250 2.0.0 Ok\r\n");
}

/* cleanup has kept it after all. */
static void what_was_queued_instead_is_everybodys_yes(void **state)
{
    (void)state;
    lmtp_begin_one();
    done(&w->cleanup[0]);
    const char *text = heard();
    const char *second = strstr(text, "\r\n");
    assert_true(str_starts(str_c(text), STR("250 2.0.0 Ok: queued as ")));
    assert_true(second && str_starts(str_c(second + 2), STR("250 2.0.0 Ok: queued as ")));
}

static void a_lost_cleanup_ends_the_connection(void **state)
{
    (void)state;
    lmtp_begin_one();
    result(&w->cleanup[0], 0, FAULT_NONE);
    rounds();
    channel_close(&w->cleanup[0].channel);
    rounds();
    const char *text = heard();
    assert_true(str_starts(str_c(text), STR("421 ")));
    assert_non_null(strstr(text, "EOF"));
}

static void an_idle_session_ends_when_the_process_leaves(void **state)
{
    (void)state;
    mail_begin();
    w->process.is_draining = true;
    for (size_t i = 0; i < w->smtpd.sessions.n; i++)
        session_drain(w->smtpd.sessions.p[i]);
    rounds();
    const char *text = heard();
    assert_true(str_starts(str_c(text), STR("421-4.3.2 ")));
    assert_non_null(strstr(text, "EOF"));
}

static void a_message_is_finished_when_the_process_leaves(void **state)
{
    (void)state;
    mail_begin();
    recipient_say("u", 250);
    say("DATA\r\n");
    heard();
    w->process.is_draining = true;
    session_drain(w->smtpd.sessions.p[0]);
    rounds();
    assert_string_equal(heard(), "");
    say("x\r\n.\r\n");
    assert_string_equal(heard(), "");
    done(&w->cleanup[0]);
    const char *text = heard();
    assert_true(str_starts(str_c(text), STR("250 2.0.0 Ok: queued as ")));
    assert_non_null(strstr(text, "421-4.3.2 "));
    assert_non_null(strstr(text, "EOF"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_a_message),
        TEST(a_large_message_has_a_file),
        TEST(content_rests_until_there_is_a_file),
        TEST(without_a_file_the_rest_is_read_and_refused),
        TEST(routes_of_a_policy_that_ended_are_none),
        TEST(routes_with_a_refusal_are_none),
        TEST(a_footer_after_the_transaction_names_nobody),
        TEST(a_transaction_begins_anew_with_another_cleanup),
        TEST(a_file_that_did_not_come_comes_from_another_cleanup),
        TEST(lmtp_answers_for_each_recipient),
        TEST(what_was_queued_instead_is_everybodys_yes),
        TEST(a_lost_cleanup_ends_the_connection),
        TEST(an_idle_session_ends_when_the_process_leaves),
        TEST(a_message_is_finished_when_the_process_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
