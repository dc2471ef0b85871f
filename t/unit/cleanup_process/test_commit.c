/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* A message on its way into the queue: when it is answered, and what is left of one that is not. */
#include "t/unit/cleanup_process/world.h"

static void says_yes_when_it_is_durable(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    assert_int_equal(w->readies, 1);
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_goes_to(w->ready_id, "local");
}

/* A compromised smtpd could name any command otherwise: what policy says now is what counts. */
static void programs_are_not_taken_from_who_reads_strangers(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "pipe", 3);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(w->ask_count, 1);
    route(w->asks[0], "joe");
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_goes_to(w->ready_id, "joe");
}

static fault_kind read_kind(uint64_t id)
{
    arena a = arena_new(0);
    queue_message m;
    fault f = queue_read(w->files[id], &a, &m);
    arena_free(&a);
    return f.kind;
}

static void without_its_qmgr_it_is_refused_and_no_message(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    channel_close(&w->qmgr[0].channel);
    rounds();
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(read_kind(w->ready_id), FAULT_REFUSED);
}

static void a_bringer_that_ends_leaves_no_message(void **state)
{
    (void)state;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    content_write("x\r\n");
    uint64_t id = w->ready_id;
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->qmgr[0].drops, 1);
    assert_int_equal(w->qmgr[0].durables, 0);
    assert_int_equal(read_kind(id), FAULT_REFUSED);
    assert_true(channel_is_open(&w->qmgr[0].channel));
}

static void a_full_disk_is_not_asked_again_at_once(void **state)
{
    (void)state;
    w->qmgr[0].is_full = true;
    qmgr_start(0);
    assert_int_equal(w->qmgr[0].takes, 1);
    begin(&w->smtpd, 1);
    assert_int_equal(w->qmgr[0].takes, 2);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    w->qmgr[0].is_full = false;
    begin(&w->smtpd, 2);
    assert_int_equal(w->readies, 1);
}

/* The next qmgr is there, and asked for files, before the last one's end is seen. */
static void files_of_the_next_qmgr_are_taken(void **state)
{
    (void)state;
    w->qmgr[0].is_slow = w->qmgr[1].is_slow = true;
    qmgr_start(0);
    qmgr_start(1);
    begin(&w->smtpd, 1);
    assert_int_equal(w->qmgr[1].takes, 1);
    channel_close(&w->qmgr[0].channel);
    rounds();
    give_due(&w->qmgr[1]);
    give_due(&w->qmgr[1]); /* one kind is asked for after the other */
    assert_true(channel_is_open(&w->qmgr[1].channel));
    assert_int_equal(w->readies, 1);
}

/* The answer for a message that went away does not become another's. */
static void an_answer_finds_its_own_message(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    qmgr_start(0);
    submit_connect(&w->submit);
    begin(&w->submit, 1);
    commit(&w->submit, 1, "first@l.example", "", 0);
    assert_int_equal(w->ask_count, 1);
    channel_put(&w->submit, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    begin(&w->submit, 2);
    commit(&w->submit, 2, "second@l.example", "", 0);
    assert_int_equal(w->ask_count, 2);
    route(w->asks[0], "first");
    assert_int_equal(w->qmgr[0].durables, 0);
    route(w->asks[1], "second");
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_goes_to(w->ready_id, "second");
    assert_true(channel_is_open(&w->policy));
}

static void open_messages_keep_a_draining_cleanup(void **state)
{
    (void)state;
    qmgr_start(0);
    submit_connect(&w->submit);
    begin(&w->smtpd, 1);
    assert_int_equal(w->process.sessions, 1); /* the connection that brings nothing does not count */
    content_write("x\r\n");
    commit(&w->smtpd, 1, "u@l.example", "local", 3);
    assert_int_equal(w->process.sessions, 0);
}

static void a_size_that_wraps_is_not_whole(void **state)
{
    (void)state;
    w->generation.snapshot.base.message_size_limit = 0;
    qmgr_start(0);
    begin(&w->smtpd, 1);
    assert_int_equal(pwrite(w->fd, "x", 1, 9), 1);
    commit(&w->smtpd, 1, "u@l.example", "local", (uint64_t)10 - QUEUE_CONTENT_START);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
}

static void one_uid_has_so_many_connections(void **state)
{
    channel *many = calloc(100, sizeof *many);
    size_t open_count = 0;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        submit_connect(&many[i]);
    rounds();
    for (size_t i = 0; i < 100; i++) {
        open_count += channel_is_open(&many[i]);
        channel_close(&many[i]);
    }
    assert_int_equal(open_count, 64);
    rounds();
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(programs_are_not_taken_from_who_reads_strangers),
        TEST(says_yes_when_it_is_durable),
        TEST(without_its_qmgr_it_is_refused_and_no_message),
        TEST(a_bringer_that_ends_leaves_no_message),
        TEST(a_full_disk_is_not_asked_again_at_once),
        TEST(files_of_the_next_qmgr_are_taken),
        TEST(an_answer_finds_its_own_message),
        TEST(open_messages_keep_a_draining_cleanup),
        TEST(a_size_that_wraps_is_not_whole),
        TEST(one_uid_has_so_many_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
