/* SOURCES: qmgr/report.c  NEEDS: daemon queue */
/* qmgr and a bounce of the test's over a real channel, on queue files of the test's: who is reported to whom, and what a file
 * remembers of it. */
#include "base/clock.h"
#include "daemon/peers.h"
#include "ipc/talk/report.h"
#include "qmgr/qmgr.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROWS_MAX = 200, TO_MAX = 8 };

typedef struct asked_row {
    uint32_t ref, action;
    char address[80], original[80], orcpt[80], status[10], reason[300];
} asked_row;

static struct world {
    process process;
    program program;
    generation generation;
    qmgr qmgr;
    timer stop;
    channel bounce;
    char folder[40];
    uint64_t id;
    /* what bounce was asked */
    unsigned begins, row_count;
    uint32_t ref;
    uint64_t asked_id;
    char path[100], sender[100], client[100];
    uint32_t count, flags;
    asked_row rows[ROWS_MAX];
    /* what came of it */
    unsigned over, readied;
    fault problem;
} * w;

int message_write_fd(qmgr *of, message *m)
{
    (void)of;
    return m->loaded->fd;
}

void schedule_ready(qmgr *q, message *m)
{
    (void)q, (void)m;
    w->readied++;
}

message *message_find(const qmgr *q, uint64_t id)
{
    return map_get(&q->messages, ID_KEY(id));
}

/* As finish.c does: on with what is left to report. */
void finish_round(qmgr *q, message *m)
{
    w->problem = m->loaded->report_fault;
    if (!report_start(q, m))
        w->over++;
}

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 6; i++) {
        timer_set(&w->stop, 1);
        loop_run(w->process.loop);
    }
}

#define KEEP(to, text) snprintf((to), sizeof(to), "%.*s", STR_ARG(text))

static bool on_begin(void *context, channel *c, received *r)
{
    report_begin m;
    (void)context, (void)c;
    assert_int_equal(report_begin_decode(r->bytes, &m), PARSE_DONE);
    w->ref = r->ref;
    w->asked_id = m.queue_id;
    w->count = m.recipient_count;
    w->flags = m.flags;
    KEEP(w->path, m.reverse_path);
    KEEP(w->sender, m.sender);
    KEEP(w->client, m.client);
    w->begins++;
    w->row_count = 0;
    return true;
}

static bool on_row(void *context, channel *c, received *r)
{
    report_recipient m;
    (void)context, (void)c;
    assert_int_equal(report_recipient_decode(r->bytes, &m), PARSE_DONE);
    assert_true(w->row_count < ROWS_MAX);
    asked_row *row = &w->rows[w->row_count++];
    row->ref = r->ref;
    row->action = m.action;
    KEEP(row->address, m.address);
    KEEP(row->original, m.original);
    KEEP(row->orcpt, m.orcpt);
    KEEP(row->status, m.status);
    KEEP(row->reason, m.reason);
    return true;
}

static void attach(void)
{
    static const talk_row rows[] = { { REPORT_BEGIN, 1, 1, on_begin }, { REPORT_RECIPIENT, 0, 0, on_row } };
    static const talk end = { "bounce", rows, COUNT_OF(rows), NULL };
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&w->bounce, w->process.loop, pair[1], &end, NULL);
    daemon_peer_add(&w->process, STR("bounce"), 0, pair[0]);
    rounds();
}

static int setup(void **state)
{
    static peer_row peers[] = { { "bounce", { 0 }, report_bounce_opened, report_bounce_lost } };
    (void)state;
    peers[0].talk = bounce_talk;
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/test-report-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->generation.holders = 1;
    w->generation.snapshot.base = (config){ .myorigin = STR("origin.example"),
                                            .double_bounce_sender = STR("double-bounce"),
                                            .maximal_queue_lifetime = 1000 };
    w->program = (program){ .peers = peers, .peer_count = COUNT_OF(peers) };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->qmgr,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    w->qmgr.process = &w->process;
    w->qmgr.root_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(is_fault(queue_tree_make(w->qmgr.root_fd)));
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    attach();
    return 0;
}

static void unload(message *m)
{
    close(m->loaded->fd);
    arena_free(&m->loaded->arena);
    free(m->loaded);
    m->loaded = NULL;
}

static int teardown(void **state)
{
    char command[80];
    map_entry e;
    (void)state;
    channel_close(&w->bounce);
    rounds();
    assert_int_equal(w->process.sessions, 0);
    assert_int_equal(w->qmgr.report_count, 0);
    for (size_t cursor = 0; map_next(&w->qmgr.messages, &cursor, &e);) {
        unload(e.value);
        free(e.value);
    }
    map_free(&w->qmgr.messages);
    refs_free(&w->qmgr.reports);
    close(w->qmgr.root_fd);
    timer_close(&w->stop);
    loop_free(w->process.loop);
    snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
    return 0;
}

static void file_load(message *m)
{
    loaded *l = m->loaded = calloc(1, sizeof *l);
    l->fd = queue_tree_open(w->qmgr.root_fd, QUEUE_ACTIVE, m->id, O_RDWR);
    assert_true(l->fd >= 0);
    assert_false(is_fault(queue_read(l->fd, &l->arena, &l->file)));
    l->progress = ARENA_ARRAY(&l->arena, progress, l->file.head.recipient_count);
}

/* A message in the queue and in memory, its slots still pending. */
static message *message_make(const envelope *e, const envelope_recipient *to, uint32_t count)
{
    uint64_t id = ++w->id;
    buf records = buf_new(1000000);
    int fd = queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, id);
    assert_true(fd >= 0 && queue_records_envelope(&records, e));
    for (uint32_t i = 0; i < count; i++)
        assert_true(queue_records_recipient(&records, &to[i]));
    queue_finish_args args = {
        .id = id, .arrived_us = clock_us(), .recipient_count = count, .records = buf_str(&records)
    };
    assert_false(is_fault(queue_finish(fd, &args)));
    buf_free(&records);
    close(fd);
    message *m = calloc(1, sizeof *m);
    *m = (message){ .id = id, .place = QUEUE_ACTIVE, .state = MESSAGE_ACTIVE, .arrived_s = clock_s() };
    map_put(&w->qmgr.messages, ID_KEY(m->id), m);
    file_load(m);
    return m;
}

static void slot_set(message *m, uint32_t i, slot_state state)
{
    static const char *const statuses[] = { "", "2.0.0", "4.2.0", "5.1.1" };
    unsigned told = m->loaded->file.slots[i].told;
    m->loaded->file.slots[i] = queue_slot_make(state, 100, statuses[state], STR("words"));
    queue_slot_tell(&m->loaded->file.slots[i], told);
    assert_false(is_fault(queue_slot_write(m->loaded->fd, &m->loaded->file.head, i, &m->loaded->file.slots[i])));
}

static const envelope plain = { .reverse_path = STR_ROW("a@b.example"),
                                .client_name = STR_ROW("unknown"),
                                .client_address = STR_ROW("192.0.2.1") };

static message *message_with(const envelope *e, slot_state state, uint32_t notify)
{
    envelope_recipient to = {
        .address = STR("u@l.example"), .original = STR("u@l.example"), .transport = STR("local"), .notify = notify
    };
    message *m = message_make(e, &to, 1);
    slot_set(m, 0, state);
    return m;
}

static void done(fault_kind outcome)
{
    report_done m = { .queue_id = w->asked_id, .outcome = outcome, .report_id = 77, .reason = STR("why") };
    channel_put(&w->bounce, REPORT_DONE, w->ref, report_done, &m);
    rounds();
}

/* What the file itself says. */
static unsigned told_on_disk(message *m, uint32_t i)
{
    unload(m);
    file_load(m);
    return m->loaded->file.slots[i].told;
}

static bool start(message *m)
{
    bool is_started = report_start(&w->qmgr, m);
    rounds();
    return is_started;
}

/* ---- who is told of what ---- */

static void wishes_decide(void **state)
{
    static const struct {
        slot_state state;
        uint32_t notify;
        const char *sender;
        uint64_t delay;
        uint32_t flags;
        uint32_t action; /* 0: none */
    } rows[] = {
        { SLOT_FAILED, 0, "a@b.example", 0, 0, REPORT_FAILED },
        { SLOT_FAILED, NOTIFY_NEVER, "a@b.example", 0, 0, 0 },
        { SLOT_FAILED, NOTIFY_SUCCESS | NOTIFY_DELAY, "a@b.example", 0, 0, 0 },
        { SLOT_FAILED, NOTIFY_FAILURE, "a@b.example", 0, 0, REPORT_FAILED },
        { SLOT_FAILED, 0, "", 0, 0, REPORT_FAILED }, /* for postmaster, perhaps */
        { SLOT_FAILED, NOTIFY_NEVER, "", 0, 0, 0 },
        { SLOT_FAILED, 0, "double-bounce@origin.example", 0, 0, 0 },
        { SLOT_FAILED, 0, "Double-Bounce@ORIGIN.example", 0, 0, 0 },
        { SLOT_FAILED, 0, "double-bounce@other.example", 0, 0, REPORT_FAILED },
        { SLOT_FAILED, 0, "a@b.example", 0, ENVELOPE_DIRECT, 0 },
        { SLOT_DELIVERED, 0, "a@b.example", 0, 0, 0 },
        { SLOT_DELIVERED, NOTIFY_FAILURE, "a@b.example", 0, 0, 0 },
        { SLOT_DELIVERED, NOTIFY_SUCCESS, "a@b.example", 0, 0, REPORT_DELIVERED },
        { SLOT_DELIVERED, NOTIFY_SUCCESS, "", 0, 0, 0 },
        { SLOT_DELIVERED, NOTIFY_SUCCESS, "a@b.example", 0, ENVELOPE_DIRECT, 0 },
        { SLOT_DEFERRED, 0, "a@b.example", 0, 0, 0 },
        { SLOT_DEFERRED, 0, "a@b.example", 1, 0, REPORT_DELAYED },
        { SLOT_DEFERRED, 0, "a@b.example", 10000, 0, 0 },
        { SLOT_DEFERRED, NOTIFY_FAILURE, "a@b.example", 1, 0, 0 },
        { SLOT_DEFERRED, NOTIFY_DELAY, "a@b.example", 1, 0, REPORT_DELAYED },
        { SLOT_DEFERRED, NOTIFY_NEVER, "a@b.example", 1, 0, 0 },
        { SLOT_DEFERRED, 0, "", 1, 0, 0 },
        { SLOT_DEFERRED, 0, "a@b.example", 1, ENVELOPE_DIRECT, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        envelope e = { .reverse_path = str_c(rows[i].sender), .flags = rows[i].flags };
        w->generation.snapshot.base.delay_warning_time = rows[i].delay;
        message *m = message_with(&e, rows[i].state, rows[i].notify);
        m->arrived_s -= 100;
        assert_int_equal(report_is_missing(&w->qmgr, m), rows[i].action != 0);
        assert_int_equal(start(m), rows[i].action != 0);
        if (rows[i].action == 0)
            continue;
        assert_int_equal(w->rows[0].action, rows[i].action);
        assert_string_equal(w->path, rows[i].sender);
        done(FAULT_NONE);
        assert_false(report_is_missing(&w->qmgr, m));
        assert_false(start(m)); /* once */
    }
}

static void what_is_pending_is_no_news(void **state)
{
    (void)state;
    assert_false(start(message_with(&plain, SLOT_PENDING, NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY)));
}

static void the_slot_says_what_success_is(void **state)
{
    static const struct {
        uint8_t kept;
        uint32_t action;
    } rows[] = { { 0, REPORT_DELIVERED },
                 { REPORT_DELIVERED, REPORT_DELIVERED },
                 { REPORT_RELAYED, REPORT_RELAYED },
                 { REPORT_EXPANDED, REPORT_EXPANDED } };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        message *m = message_with(&plain, SLOT_DELIVERED, NOTIFY_SUCCESS);
        m->loaded->file.slots[0].action = rows[i].kept;
        assert_true(start(m));
        assert_int_equal(w->rows[0].action, rows[i].action);
        assert_string_equal(w->rows[0].address, "u@l.example"); /* of a user who forwards, too */
        done(FAULT_NONE);
        assert_int_equal(told_on_disk(m, 0), SLOT_TOLD_SUCCESS);
        assert_int_equal(m->loaded->file.slots[0].action, rows[i].kept);
    }
}

/* ---- what a report has ---- */

static void all_that_failed_is_in_one_report(void **state)
{
    envelope e = plain;
    envelope_recipient to[] = {
        { .address = STR("a@l.example"), .original = STR("list@l.example"), .orcpt = STR("rfc822;x@y") },
        { .address = STR("b@l.example") },
        { .address = STR("c@l.example"), .notify = NOTIFY_NEVER },
        { .address = STR("d@l.example") },
        { .address = STR("e@l.example") },
    };
    (void)state;
    e.flags = ENVELOPE_UTF8 | ENVELOPE_HOLD;
    message *m = message_make(&e, to, COUNT_OF(to));
    for (uint32_t i = 0; i < COUNT_OF(to); i++)
        slot_set(m, i, i == 1 ? SLOT_DELIVERED : i == 4 ? SLOT_DEFERRED : SLOT_FAILED);
    assert_true(start(m));
    assert_int_equal(w->begins, 1);
    assert_int_equal(w->count, 2);
    assert_int_equal(w->row_count, 2);
    assert_int_equal(w->flags, ENVELOPE_UTF8);
    assert_string_equal(w->client, "unknown [192.0.2.1]");
    assert_string_equal(w->rows[0].address, "a@l.example");
    assert_string_equal(w->rows[0].original, "list@l.example");
    assert_string_equal(w->rows[0].orcpt, "rfc822;x@y");
    assert_string_equal(w->rows[0].status, "5.1.1");
    assert_string_equal(w->rows[0].reason, "words");
    assert_string_equal(w->rows[1].address, "d@l.example");
    assert_int_equal(told_on_disk(m, 0), 0); /* not before it is durable */
    done(FAULT_NONE);
    assert_int_equal(w->over, 1);
    static const unsigned want[] = { SLOT_TOLD_FAILURE, 0, 0, SLOT_TOLD_FAILURE, 0 };
    for (uint32_t i = 0; i < COUNT_OF(to); i++) {
        assert_int_equal(told_on_disk(m, i), want[i]);
        assert_int_equal(m->loaded->file.slots[i].state, i == 1   ? SLOT_DELIVERED
                                                         : i == 4 ? SLOT_DEFERRED
                                                                  : SLOT_FAILED);
    }
}

static void each_kind_has_a_report_of_its_own(void **state)
{
    envelope_recipient to[] = { { .address = STR("a@l.example"), .notify = NOTIFY_SUCCESS },
                                { .address = STR("b@l.example") },
                                { .address = STR("c@l.example") } };
    (void)state;
    w->generation.snapshot.base.delay_warning_time = 1;
    message *m = message_make(&plain, to, COUNT_OF(to));
    m->arrived_s -= 100;
    for (uint32_t i = 0; i < COUNT_OF(to); i++)
        slot_set(m, i, (slot_state)(SLOT_DELIVERED + i));
    start(m);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(w->begins, i + 1);
        assert_int_equal(w->row_count, 1);
        done(FAULT_NONE);
    }
    assert_int_equal(w->over, 1);
    assert_int_equal(told_on_disk(m, 0), SLOT_TOLD_SUCCESS);
    assert_int_equal(told_on_disk(m, 1), SLOT_TOLD_DELAY);
    slot_set(m, 1, SLOT_FAILED); /* at last: that is told, too */
    assert_true(start(m));
    done(FAULT_NONE);
    assert_int_equal(told_on_disk(m, 1), SLOT_TOLD_DELAY | SLOT_TOLD_FAILURE);
}

static void the_words_of_this_round_are_whole(void **state)
{
    message *m = message_with(&plain, SLOT_PENDING, 0);
    char words[240];
    (void)state;
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    m->loaded->file.slots[0] = queue_slot_make(SLOT_FAILED, 1, "5.0.0", str_c(words));
    m->loaded->progress[0].worst = fault_make(FAULT_REFUSED, "0.0", "%s", words);
    start(m);
    assert_string_equal(w->rows[0].reason, words);
    done(FAULT_TRY_LATER);
    m->loaded->progress[0].worst = fault_make(FAULT_REFUSED, "0.0", "of another result");
    m->loaded->report_fault = NO_FAULT;
    start(m);
    assert_int_equal(strlen(w->rows[0].reason), 103);
    done(FAULT_NONE);
}

/* ---- to whom ---- */

static void owners_hear_of_their_lists(void **state)
{
    envelope_recipient to[] = { { .address = STR("a@l.example"), .sender = STR("owner-x@l.example") },
                                { .address = STR("b@l.example") },
                                { .address = STR("c@l.example"), .sender = STR("owner-x@l.example") } };
    (void)state;
    message *m = message_make(&plain, to, COUNT_OF(to));
    for (uint32_t i = 0; i < COUNT_OF(to); i++)
        slot_set(m, i, SLOT_FAILED);
    start(m);
    assert_string_equal(w->path, "owner-x@l.example");
    assert_string_equal(w->sender, "a@b.example");
    assert_int_equal(w->row_count, 2);
    assert_string_equal(w->rows[1].address, "c@l.example");
    done(FAULT_NONE);
    assert_string_equal(w->path, "a@b.example");
    assert_int_equal(w->row_count, 1);
    done(FAULT_NONE);
    assert_int_equal(w->over, 1);
}

static void an_owner_is_not_who_asked_for_success(void **state)
{
    envelope_recipient to = { .address = STR("a@l.example"),
                              .sender = STR("owner-x@l.example"),
                              .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE };
    (void)state;
    message *m = message_make(&plain, &to, 1);
    slot_set(m, 0, SLOT_DELIVERED);
    start(m);
    assert_string_equal(w->path, "a@b.example");
    done(FAULT_NONE);
}

/* Mail without a sender never makes a report to anybody but postmaster. */
static void an_owner_does_not_hear_of_reports(void **state)
{
    envelope e = { .reverse_path = STR_NONE };
    envelope_recipient to = { .address = STR("a@l.example"), .sender = STR("owner-x@l.example") };
    (void)state;
    message *m = message_make(&e, &to, 1);
    slot_set(m, 0, SLOT_FAILED);
    start(m);
    assert_string_equal(w->path, "");
    done(FAULT_NONE);
}

static void a_long_list_with_verp_takes_linear_time(void **state)
{
    enum { MANY = 5000 };
    envelope e = { .reverse_path = STR("list@l.example"), .verp = STR("+=") };
    envelope_recipient *to = calloc(MANY, sizeof *to);
    (void)state;
    for (uint32_t i = 0; i < MANY; i++)
        to[i] = (envelope_recipient){ .address = STR("u@l.example") };
    message *m = message_make(&e, to, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        slot_set(m, i, SLOT_FAILED);
    start(m);
    for (uint32_t i = 0; i < 50; i++) {
        assert_int_equal(m->loaded->told_upto, i);
        done(FAULT_NONE);
    }
    free(to);
}

static void with_verp_each_has_a_report(void **state)
{
    envelope e = { .reverse_path = STR("list@l.example"), .verp = STR("+=") };
    envelope_recipient to[] = { { .address = STR("a@l.example"), .original = STR("A@alias.example") },
                                { .address = STR("b@l.example") },
                                { .address = STR("c@l.example"), .sender = STR("owner-x@l.example") } };
    (void)state;
    message *m = message_make(&e, to, COUNT_OF(to));
    for (uint32_t i = 0; i < COUNT_OF(to); i++)
        slot_set(m, i, SLOT_FAILED);
    static const char *const want[] = { "list+A=alias.example@l.example", "list+b=l.example@l.example",
                                        "owner-x@l.example" };
    start(m);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(w->path, want[i]);
        assert_string_equal(w->sender, "list@l.example");
        assert_int_equal(w->row_count, 1);
        done(FAULT_NONE);
    }
    assert_int_equal(w->over, 1);
}

/* ---- aliases ---- */

static message *alias_make(slot_state first, slot_state second)
{
    envelope_recipient to[] = {
        { .address = STR("a@l.example"),
          .original = STR("x@l.example"),
          .transport = STR("local"),
          .notify = NOTIFY_SUCCESS },
        { .address = STR("b@l.example"),
          .original = STR("list@l.example"),
          .transport = STR("local"),
          .notify = NOTIFY_SUCCESS },
        { .address = STR("c@l.example"),
          .original = STR("list@l.example"),
          .transport = STR("local"),
          .notify = NOTIFY_SUCCESS },
    };
    message *m = message_make(&plain, to, COUNT_OF(to));
    slot_set(m, 0, SLOT_DELIVERED);
    slot_set(m, 1, first);
    slot_set(m, 2, second);
    return m;
}

static void an_alias_is_one_row(void **state)
{
    (void)state;
    message *m = alias_make(SLOT_DELIVERED, SLOT_DELIVERED);
    start(m);
    assert_int_equal(w->row_count, 2);
    assert_int_equal(w->count, 2);
    assert_int_equal(w->rows[0].action, REPORT_DELIVERED);
    assert_int_equal(w->rows[1].action, REPORT_EXPANDED);
    assert_string_equal(w->rows[1].address, "list@l.example");
    done(FAULT_NONE);
    assert_int_equal(w->over, 1);
}

static void a_member_that_waits_is_not_told_of_again(void **state)
{
    (void)state;
    for (int waits = 1; waits <= 2; waits++) {
        w->over = 0;
        message *m =
            alias_make(waits == 1 ? SLOT_DEFERRED : SLOT_DELIVERED, waits == 2 ? SLOT_DEFERRED : SLOT_DELIVERED);
        start(m);
        assert_int_equal(w->rows[1].action, REPORT_EXPANDED);
        done(FAULT_NONE);
        assert_int_equal(told_on_disk(m, (uint32_t)waits), SLOT_TOLD_SUCCESS);
        slot_set(m, (uint32_t)waits, SLOT_DELIVERED);
        assert_false(start(m));
        slot_set(m, (uint32_t)waits, SLOT_FAILED);
        assert_false(report_is_missing(&w->qmgr, m)); /* NOTIFY=SUCCESS alone */
    }
}

/* ---- when it goes wrong ---- */

static void nothing_is_told_that_is_not_durable(void **state)
{
    static const fault_kind outcomes[] = { FAULT_TRY_LATER, FAULT_REFUSED, FAULT_BUG };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        message *m = message_with(&plain, SLOT_FAILED, 0);
        w->over = 0;
        start(m);
        done(outcomes[i]);
        assert_int_equal(w->over, 1);
        assert_int_equal(w->problem.kind, outcomes[i]);
        assert_int_equal(told_on_disk(m, 0), 0);
        assert_true(report_is_missing(&w->qmgr, m));
    }
}

static void a_bounce_that_ends_is_asked_again(void **state)
{
    message *m = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    start(m);
    channel_close(&w->bounce);
    rounds();
    assert_int_equal(w->over, 1);
    assert_int_equal(w->problem.kind, FAULT_TRY_LATER);
    assert_int_equal(w->process.sessions, 0);
    m->is_unreported = w->qmgr.has_unreported = true; /* as finish.c leaves it */
    m->state = MESSAGE_WAITING;
    message *other = message_with(&plain, SLOT_DEFERRED, 0);
    other->state = MESSAGE_WAITING;
    attach();
    assert_int_equal(w->readied, 1);
    assert_false(w->qmgr.has_unreported);
}

static void without_a_bounce(void **state)
{
    message *m = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    channel_close(&w->bounce);
    rounds();
    assert_true(start(m));
    assert_int_equal(w->over, 1);
    assert_int_equal(w->problem.kind, FAULT_TRY_LATER);
}

static void a_queue_file_that_cannot_be_opened(void **state)
{
    message *m = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    assert_true(queue_tree_remove(w->qmgr.root_fd, QUEUE_ACTIVE, m->id));
    assert_true(start(m));
    assert_int_equal(w->begins, 0);
    assert_int_equal(w->problem.kind, FAULT_TRY_LATER);
}

static void an_admin_comes_first(void **state)
{
    message *m = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    m->asked = ASKED_DELETE;
    assert_false(start(m));
}

static void one_that_leaves_begins_no_report_and_ends_those_it_has(void **state)
{
    message *first = message_with(&plain, SLOT_FAILED, 0), *second = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    start(first);
    assert_int_equal(w->process.sessions, 1);
    w->process.is_draining = true;
    assert_true(start(second));
    assert_int_equal(w->begins, 1);
    done(FAULT_NONE);
    assert_int_equal(told_on_disk(first, 0), SLOT_TOLD_FAILURE);
    assert_int_equal(w->begins, 1);
    w->process.is_draining = false; /* for the end of the test */
    start(message_with(&plain, SLOT_FAILED, 0));
    assert_int_equal(w->begins, 3);
    done(FAULT_NONE);
}

static void so_many_at_a_time(void **state)
{
    enum { AT_ONCE = 100, COUNT = 130 };
    (void)state;
    for (int i = 0; i < COUNT; i++)
        report_start(&w->qmgr, message_with(&plain, SLOT_FAILED, 0));
    rounds();
    assert_int_equal(w->begins, AT_ONCE);
    for (unsigned i = AT_ONCE; i < COUNT; i++) {
        done(FAULT_NONE);
        assert_int_equal(w->begins, i + 1);
    }
    channel_close(&w->bounce);
    rounds();
    assert_int_equal(w->over, COUNT);
}

static void words_about_another_report_drop_the_bounce(void **state)
{
    message *m = message_with(&plain, SLOT_FAILED, 0);
    (void)state;
    start(m);
    w->asked_id++;
    done(FAULT_NONE);
    assert_false(channel_is_open(&w->bounce));
    assert_int_equal(told_on_disk(m, 0), 0);
    attach();
    w->ref = 12345;
    done(FAULT_NONE);
    assert_false(channel_is_open(&w->bounce));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wishes_decide),
        TEST(what_is_pending_is_no_news),
        TEST(the_slot_says_what_success_is),
        TEST(all_that_failed_is_in_one_report),
        TEST(each_kind_has_a_report_of_its_own),
        TEST(the_words_of_this_round_are_whole),
        TEST(owners_hear_of_their_lists),
        TEST(an_owner_is_not_who_asked_for_success),
        TEST(an_owner_does_not_hear_of_reports),
        TEST(with_verp_each_has_a_report),
        TEST(a_long_list_with_verp_takes_linear_time),
        TEST(an_alias_is_one_row),
        TEST(a_member_that_waits_is_not_told_of_again),
        TEST(nothing_is_told_that_is_not_durable),
        TEST(a_bounce_that_ends_is_asked_again),
        TEST(without_a_bounce),
        TEST(a_queue_file_that_cannot_be_opened),
        TEST(an_admin_comes_first),
        TEST(one_that_leaves_begins_no_report_and_ends_those_it_has),
        TEST(so_many_at_a_time),
        TEST(words_about_another_report_drop_the_bounce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
