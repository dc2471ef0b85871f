/* SOURCES: bounce/ask.c bounce/bring.c bounce/compose.c bounce/letter.c bounce/notice.c bounce/original.c bounce/templates.c  NEEDS: daemon queue */
/* What cleanup may say, in each order, and what qmgr hears of it. */
#include "t/unit/bounce/world.h"

static void ask_one(enum report_action action)
{
    report_begin m = begin_of(STR(MESSAGE));
    ask(1, &m, STR(MESSAGE));
    ask_row(1, action, "u@l.example");
    rounds();
}

static void heard(fault_kind outcome)
{
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, outcome);
    assert_int_equal(w->process.sessions, 0);
}

static void without_a_cleanup(void **state)
{
    (void)state;
    channel_close(&w->cleanup);
    rounds();
    ask_one(REPORT_FAILED);
    heard(FAULT_TRY_LATER);
}

static void cleanup_has_no_file(void **state)
{
    (void)state;
    ask_one(REPORT_FAILED);
    say_done(FAULT_TRY_LATER);
    heard(FAULT_TRY_LATER);
}

static void cleanup_refuses(void **state)
{
    (void)state;
    ask_one(REPORT_FAILED);
    give();
    say_done(FAULT_REFUSED);
    heard(FAULT_REFUSED);
    assert_int_equal(w->report_id, 0);
}

/* Before the file came, and while it is made durable. */
static void cleanup_ends(void **state)
{
    (void)state;
    ask_one(REPORT_FAILED);
    channel_close(&w->cleanup);
    rounds();
    heard(FAULT_TRY_LATER);
    w->dones = 0;
    attach_cleanup();
    ask_one(REPORT_FAILED);
    give();
    channel_close(&w->cleanup);
    rounds();
    heard(FAULT_TRY_LATER);
}

static void a_file_that_cannot_be_written(void **state)
{
    cleanup_ready m = { .queue_id = 9 };
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)state;
    ask_one(REPORT_FAILED);
    channel_put_fds(&w->cleanup, CLEANUP_READY, w->ref, cleanup_ready, &m, &fd, 1);
    rounds();
    assert_int_equal(w->aborts, 1);
    assert_int_equal(w->commits, 0);
    heard(FAULT_TRY_LATER);
}

static void a_message_that_is_too_short(void **state)
{
    report_begin m = begin_of(STR(MESSAGE));
    (void)state;
    m.content_bytes += 10;
    ask(1, &m, STR(MESSAGE));
    ask_row(1, REPORT_FAILED, "u@l.example");
    rounds();
    give();
    assert_int_equal(w->aborts, 1);
    heard(FAULT_TRY_LATER);
}

static void words_of_another_conversation_are_nothing(void **state)
{
    (void)state;
    ask_one(REPORT_FAILED);
    w->ref += 1;
    say_done(FAULT_NONE);
    assert_int_equal(w->dones, 0);
    w->ref -= 1;
    say_done(FAULT_TRY_LATER);
    heard(FAULT_TRY_LATER);
}

static void a_copy_follows_for_the_postmaster(void **state)
{
    (void)state;
    w->generation.snapshot.base.notify_classes = STR("bounce, delay");
    ask_one(REPORT_FAILED);
    give();
    say_done(FAULT_NONE);
    assert_int_equal(w->dones, 0);
    assert_int_equal(w->begins, 2);
    give();
    assert_string_equal(w->from, "double-bounce@origin.example");
    assert_string_equal(w->to, "postmaster");
    assert_false(paper_has("\r\nbody\r\n"));
    say_done(FAULT_NONE);
    heard(FAULT_NONE);
    assert_int_equal(w->bounce.copied, 1);
}

/* The sender was told: a second report of it would be worse than a copy less. */
static void a_copy_that_fails_is_no_reason_to_report_again(void **state)
{
    (void)state;
    w->generation.snapshot.base.notify_classes = STR("bounce");
    ask_one(REPORT_FAILED);
    give();
    say_done(FAULT_NONE);
    say_done(FAULT_TRY_LATER);
    heard(FAULT_NONE);
    assert_int_equal(w->report_id, 9);
}

static void ask_double(void)
{
    report_begin m = begin_of(STR(MESSAGE));
    m.reverse_path = m.sender = STR_NONE;
    ask(1, &m, STR(MESSAGE));
    ask_row(1, REPORT_FAILED, "u@l.example");
    rounds();
}

static void a_message_without_a_sender(void **state)
{
    (void)state;
    ask_double();
    assert_int_equal(w->begins, 0);
    heard(FAULT_NONE);
    assert_int_equal(w->bounce.dropped, 1);
    w->dones = 0;
    w->generation.snapshot.base.notify_classes = STR("2bounce");
    ask_double();
    give();
    assert_string_equal(w->from, "double-bounce@origin.example");
    assert_string_equal(w->to, "twice@origin.example");
    say_done(FAULT_TRY_LATER); /* this one is asked for again: nobody has heard of it */
    heard(FAULT_TRY_LATER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_cleanup),
        TEST(cleanup_has_no_file),
        TEST(cleanup_refuses),
        TEST(cleanup_ends),
        TEST(a_file_that_cannot_be_written),
        TEST(a_message_that_is_too_short),
        TEST(words_of_another_conversation_are_nothing),
        TEST(a_copy_follows_for_the_postmaster),
        TEST(a_copy_that_fails_is_no_reason_to_report_again),
        TEST(a_message_without_a_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
