/* SOURCES: cleanup/bring.c cleanup/clients.c cleanup/content.c cleanup/direct.c cleanup/commit.c cleanup/offer.c cleanup/fields.c cleanup/filter.c cleanup/header.c cleanup/intake.c cleanup/resolve.c cleanup/rewrite.c cleanup/stock.c  NEEDS: daemon db queue proto */
/* A message whose content comes within COMMIT. */
#include "t/unit/cleanup_process/world.h"

#define CONTENT "Subject: x\r\n\r\ny\r\n"

static void one_say(void)
{
    enclosed_say(&w->smtpd, 1, STR(CONTENT), sizeof CONTENT - 1);
}

static void assert_content(uint64_t id, const char *wanted)
{
    char got[200] = "";
    arena a = arena_new(0);
    queue_message m;
    assert_string_equal(queue_read(w->files[id], &a, &m).text, "");
    assert_int_equal(m.head.checked_bytes, strlen(wanted));
    ssize_t n = pread(w->files[id], got, sizeof got - 1, (off_t)queue_content_start(&m.head));
    assert_true(n > 0);
    got[strlen(wanted)] = '\0';
    assert_string_equal(got, wanted);
    arena_free(&a);
}

static void stands_in_its_file(void **state)
{
    (void)state;
    qmgr_start(0);
    one_say();
    assert_int_equal(w->readies, 0);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    for (uint64_t id = 1; id <= w->last_id; id++)
        if (size_of(id)) {
            assert_goes_to(id, "local");
            assert_content(id, CONTENT);
            return;
        }
    fail_msg("no file has it");
}

static void an_empty_one_is_a_message(void **state)
{
    (void)state;
    qmgr_start(0);
    enclosed_say(&w->smtpd, 1, STR_NONE, 0);
    assert_int_equal(w->qmgr[0].durables, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
}

static void waits_for_a_file(void **state)
{
    (void)state;
    w->qmgr[0].is_slow = true;
    qmgr_start(0);
    one_say();
    assert_int_equal(w->dones, 0);
    give_due(&w->qmgr[0]);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_NONE);
    assert_int_equal(w->qmgr[0].durables, 1);
}

static void a_full_queue_refuses_it(void **state)
{
    (void)state;
    w->qmgr[0].is_full = true;
    qmgr_start(0);
    one_say();
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
    assert_int_equal(w->cleanup.intake_count, 0);
}

static void without_a_qmgr_it_is_refused(void **state)
{
    (void)state;
    one_say();
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->outcome, FAULT_TRY_LATER);
}

/* Its client has gone, or smtpd has ended. */
static void one_that_waits_may_be_given_up(void **state)
{
    cleanup_begin none = { 0 };
    (void)state;
    w->qmgr[0].is_slow = true;
    qmgr_start(0);
    one_say();
    channel_put(&w->smtpd, CLEANUP_ABORT, 1, cleanup_begin, &none);
    rounds();
    assert_int_equal(w->cleanup.intake_count, 0);
    one_say();
    channel_close(&w->smtpd);
    rounds();
    assert_int_equal(w->cleanup.intake_count, 0);
    give_due(&w->qmgr[0]);
    assert_int_equal(w->qmgr[0].durables, 0);
}

typedef struct wrong {
    size_t bytes;
    uint64_t said_bytes;
    bool has_begun, is_submitted;
} wrong;

static void what_does_not_fit_drops_its_bringer(void **state)
{
    static const wrong rows[] = {
        { 3, 4, false, false },
        { 4, 3, false, false },
        { CLEANUP_ENCLOSED_MAX + 1, CLEANUP_ENCLOSED_MAX + 1, false, false },
        { 3, 3, true, false },
        { 3, 3, false, true },
    };
    static char text[CLEANUP_ENCLOSED_MAX + 1];
    (void)state;
    qmgr_start(0);
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        channel *c = rows[k].is_submitted ? &w->submit : &w->smtpd;
        if (rows[k].is_submitted)
            submit_connect(c);
        if (rows[k].has_begun)
            begin(c, 1);
        enclosed_say(c, 1, (str){ text, rows[k].bytes }, rows[k].said_bytes);
        assert_false(channel_is_open(c));
        assert_int_equal(w->cleanup.intake_count, 0);
        if (!rows[k].is_submitted)
            attach(&w->smtpd, &bringer_talk, NULL, "smtpd", (uint32_t)k + 1);
    }
    assert_int_equal(w->qmgr[0].durables, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stands_in_its_file),
        TEST(an_empty_one_is_a_message),
        TEST(waits_for_a_file),
        TEST(a_full_queue_refuses_it),
        TEST(without_a_qmgr_it_is_refused),
        TEST(one_that_waits_may_be_given_up),
        TEST(what_does_not_fit_drops_its_bringer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
