/* What other programs do to the Maildir is noticed and merged. */
#include "temp_store.h"
#include "store/internal.h"
#include <signal.h>

static void arrivals_get_uids_in_their_order(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "new/30.c.h", "c");
    temp_write(&t, "cur/10.a.h:2,S", "a");
    temp_write(&t, "new/20.b.h", "b");
    temp_write(&t, "new/.hidden", "x");
    assert_int_equal(mkdirat(t.dirfd, "new/folder", 0700), 0);
    assert_int_equal(symlinkat("10.a.h:2,S", t.dirfd, "cur/40.link"), 0);
    assert_int_equal(mkfifoat(t.dirfd, "new/50.fifo", 0600), 0);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 3);
    temp_content(m, 1, "a");
    temp_content(m, 2, "b");
    temp_content(m, 3, "c");
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN);
    assert_int_equal(mailbox_uidnext(m), 4);
    mailbox_close(m);
    temp_close(&t);
}

static void renames_of_others_change_flags(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    temp_write(&t, "cur/1.a.h:2,S", "a");
    temp_write(&t, "new/2.b.h", "b");
    mailbox *m = temp_select(&t, "INBOX");
    uint64_t modseq = mailbox_modseq(m);
    temp_rename(&t, "cur/1.a.h:2,S", "cur/1.a.h:2,FPa");
    temp_rename(&t, "new/2.b.h", "cur/2.b.h:2,");
    OK(mailbox_sync(m));
    OK(mailbox_poll(m, false, &c));
    assert_int_equal(uid_set_count(&c.flags), 1);
    assert_true(uid_set_has(&c.flags, 1));
    assert_int_equal(c.expunged.n, 0);
    mailbox_changes_free(&c);
    assert_true(mailbox_modseq(m) > modseq);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_FLAGGED);
    assert_int_equal(temp_info(m, 1).keywords, 1);
    temp_content(m, 2, "b");
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_SEEN); /* 'P' stays in the name */
    temp_work(t.s);
    assert_int_equal(faccessat(t.dirfd, "cur/1.a.h:2,FPSa", F_OK, 0), 0);
    mailbox_close(m);
    temp_close(&t);
}

static void a_change_that_waits_for_its_rename_is_kept(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "cur/1.a.h:2,S", "a");
    mailbox *m = temp_select(&t, "INBOX");
    temp_flag(m, 1, 1, FLAGS_ADD, MESSAGE_FLAGGED);
    temp_rename(&t, "cur/1.a.h:2,S", "cur/1.a.h:2,RS");
    temp_sync(m);
    assert_int_equal(temp_info(m, 1).flags, MESSAGE_SEEN | MESSAGE_FLAGGED | MESSAGE_ANSWERED);
    temp_flag(m, 1, 1, FLAGS_REMOVE, MESSAGE_SEEN);
    mailbox_close(m);
    temp_reopen(&t);
    m = temp_select(&t, "INBOX");
    temp_work(t.s);
    assert_int_equal(faccessat(t.dirfd, "cur/1.a.h:2,FR", F_OK, 0), 0);
    mailbox_close(m);
    temp_close(&t);
}

static void what_vanishes_is_expunged_and_its_uid_not_used_again(void **state)
{
    temp t = temp_open();
    mailbox_changes c;
    (void)state;
    temp_write(&t, "cur/1.a.h:2,", "a");
    temp_write(&t, "cur/2.b.h:2,", "b");
    temp_write(&t, "cur/3.c.h:2,", "c");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(unlinkat(t.dirfd, "cur/3.c.h:2,", 0), 0);
    assert_int_equal(unlinkat(t.dirfd, "cur/1.a.h:2,", 0), 0);
    OK(mailbox_sync(m));
    OK(mailbox_poll(m, false, &c));
    assert_int_equal(c.expunged.n, 2);
    assert_int_equal(c.expunged.p[0], 3);
    assert_int_equal(c.expunged.p[1], 1);
    assert_int_equal(c.messages, 1);
    mailbox_changes_free(&c);
    temp_write(&t, "cur/3.c.h:2,", "again");
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 2);
    assert_int_equal(mailbox_uid(m, 1), 2);
    assert_int_equal(mailbox_uid(m, 2), 4);
    mailbox_close(m);
    temp_close(&t);
}

typedef struct stamping {
    const temp *t;
    bool is_sure;
} stamping;

/* As if the folder had last been listed with just the time stamps that it has now. */
static fault stamp_write(MDB_txn *txn, void *context)
{
    const stamping *s = context;
    uint32_t id;
    box_writer w;
    assert_true(index_box_find(txn, STR("INBOX"), &id));
    assert_true(box_writer_open(&w, txn, id));
    assert_true(folder_stamp(s->t->dirfd, "cur", 0, &w.box.cur));
    assert_true(folder_stamp(s->t->dirfd, "new", 0, &w.box.new));
    w.box.cur.is_sure = w.box.new.is_sure = s->is_sure;
    w.is_box_changed = true;
    return env_fault(&s->t->s->index, box_writer_finish(&w), "write");
}

static void equal_stamps_count_only_when_they_were_old(void **state)
{
    temp t = temp_open();
    (void)state;
    mailbox *m = temp_select(&t, "INBOX");
    temp_write(&t, "cur/1.x.h:2,", "x");
    OK(env_write(&t.s->index, stamp_write, &(stamping){ &t, true }));
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 0); /* sure: the folder is not even listed */
    OK(env_write(&t.s->index, stamp_write, &(stamping){ &t, false }));
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1); /* the change may have been within the same tick */
    mailbox_close(m);
    temp_close(&t);
}

static void a_moved_file_is_found_when_it_is_needed(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "new/1.a.h", "a\n");
    temp_write(&t, "new/2.b.h", "b\n");
    mailbox *m = temp_select(&t, "INBOX");
    temp_rename(&t, "new/1.a.h", "cur/1.a.h:2,S");
    assert_int_equal(unlinkat(t.dirfd, "new/2.b.h", 0), 0);
    temp_content(m, 1, "a\r\n"); /* without a sync in between */
    buf b = buf_new(100);
    REFUSED(mailbox_load(m, 2, &b));
    buf_free(&b);
    mailbox_close(m);
    temp_close(&t);
}

static void a_torn_delivery_is_set_aside(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "new/1.prM1P1Q1R00000000.h,S=100,W=110", "too short");
    temp_write(&t, "new/2.prM1P1Q1R00000000.h,S=4,W=5", "good");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    temp_content(m, 1, "good");
    assert_int_equal(temp_count(&t, "tmp", NULL), 1);
    mailbox_close(m);
    temp_close(&t);
}

static void two_names_of_one_message_count_once(void **state)
{
    temp t = temp_open();
    (void)state;
    temp_write(&t, "new/1.a.h", "a");
    temp_write(&t, "cur/1.a.h:2,S", "a");
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_count(m), 1);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1);
    mailbox_close(m);
    temp_close(&t);
}

static void recent_goes_to_one_session_and_then_to_cur(void **state)
{
    temp t = temp_open();
    mailbox *reader;
    (void)state;
    temp_deliver(&t, "a\r\n");
    OK(mailbox_open(t.s, STR("INBOX"), true, &reader)); /* read-only: sees, does not take */
    assert_int_equal(mailbox_recent(reader), 1);
    mailbox *m = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_recent(m), 1);
    assert_true(temp_info(m, 1).is_recent);
    mailbox *second = temp_select(&t, "INBOX");
    assert_int_equal(mailbox_recent(second), 0);
    assert_int_equal(temp_count(&t, "new", NULL), 1);
    temp_work(t.s);
    assert_int_equal(temp_count(&t, "new", NULL), 0);
    assert_int_equal(temp_count(&t, "cur", NULL), 1);
    temp_sync(m);
    assert_int_equal(mailbox_count(m), 1);
    temp_content(m, 1, "a\r\n");
    mailbox_close(m);
    mailbox_close(second);
    mailbox_close(reader);
    temp_close(&t);
}

/* Children that deliver, flag, expunge and rename, each killed at some moment; what is left is right, and no UID
 * comes twice. */
static void child_work(const temp *t, unsigned seed)
{
    temp own = *t;
    alarm(20);
    if (is_fault(store_open(own.dirfd, NULL, &own.s)))
        _exit(1);
    for (unsigned i = 0;; i++) {
        mailbox *m;
        char text[64];
        bool more;
        snprintf(text, sizeof text, "child %u message %u\r\n", seed, i);
        if (is_fault(temp_deliver_to(&own, "INBOX", text)) || is_fault(mailbox_open(own.s, STR("INBOX"), false, &m)))
            _exit(2);
        uid_set one = { 0 };
        uint32_t uid = mailbox_uid(m, 1 + (seed * 7 + i) % mailbox_count(m));
        uid_set_add(&one, uid, uid);
        flag_change change = { .uids = &one, .action = i % 2 ? FLAGS_ADD : FLAGS_REPLACE, .flags = i % 32 };
        if (is_fault(mailbox_change_flags(m, &change, 1, NULL)) || is_fault(store_idle_work(own.s, 3, &more)))
            _exit(3);
        if (i % 3 == 2 && mailbox_expunge(m, &one, false, NULL).kind == FAULT_BUG)
            _exit(4);
        uid_set_free(&one);
        mailbox_close(m);
    }
}

static void survives_sigkill_in_mid_update_100_times(void **state)
{
    temp t = temp_open();
    uint32_t validity = 0, uidnext = 0;
    unsigned seed = 99;
    (void)state;
    store_close(t.s); /* an environment does not go through fork */
    for (unsigned round = 0; round < 100; round++) {
        pid_t pids[2];
        for (unsigned k = 0; k < 2; k++) {
            pids[k] = fork();
            if (pids[k] == 0)
                child_work(&t, round * 2 + k);
        }
        seed = seed * 1103515245 + 12345;
        usleep(2000 + (seed >> 16) % 20000); /* the moment of death, not a wait for an event */
        for (unsigned k = 0; k < 2; k++) {
            int status;
            kill(pids[k], SIGKILL);
            waitpid(pids[k], &status, 0);
            assert_true(WIFSIGNALED(status));
            assert_int_equal(WTERMSIG(status), SIGKILL);
        }
        temp_store_open(&t);
        mailbox *m = temp_select(&t, "INBOX");
        assert_true(validity == 0 || mailbox_uidvalidity(m) == validity);
        validity = mailbox_uidvalidity(m);
        assert_true(mailbox_uidnext(m) >= uidnext);
        uidnext = mailbox_uidnext(m);
        assert_int_equal(mailbox_count(m), temp_count(&t, "cur", NULL) + temp_count(&t, "new", NULL));
        for (uint32_t uid = 0; (uid = uid_set_next(mailbox_uids(m), uid + 1)) != 0;) {
            buf b = buf_new(1000);
            OK(mailbox_load(m, uid, &b));
            assert_true(b.n > 10); /* nothing torn */
            buf_free(&b);
        }
        mailbox_close(m);
        store_close(t.s);
    }
    assert_true(uidnext > 100);
    temp_store_open(&t);
    temp_work(t.s);
    temp_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_get_uids_in_their_order),
        cmocka_unit_test(renames_of_others_change_flags),
        cmocka_unit_test(a_change_that_waits_for_its_rename_is_kept),
        cmocka_unit_test(what_vanishes_is_expunged_and_its_uid_not_used_again),
        cmocka_unit_test(equal_stamps_count_only_when_they_were_old),
        cmocka_unit_test(a_moved_file_is_found_when_it_is_needed),
        cmocka_unit_test(a_torn_delivery_is_set_aside),
        cmocka_unit_test(two_names_of_one_message_count_once),
        cmocka_unit_test(recent_goes_to_one_session_and_then_to_cur),
        cmocka_unit_test(survives_sigkill_in_mid_update_100_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
