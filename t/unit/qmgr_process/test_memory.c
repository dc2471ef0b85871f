/* SOURCES: qmgr/admin.c qmgr/admin_lend.c qmgr/admin_change.c qmgr/deliver.c qmgr/destination.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/touched.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* Messages that stand in memory: offered, or direct; they have no file before a cleanup asks for one. */
#include "os/fd.h"
#include "os/file.h"
#include "t/unit/qmgr_process/world.h"

static void ids_take(uint32_t count)
{
    take_such((queue_take){ .count = count, .kind = FRESH_ID });
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(w->fds[i], -1);
        w->fds[i] = fd_memory("message");
    }
}

static void memory_put(uint16_t type, size_t i)
{
    queue_file m = { .queue_id = w->ids[i] };
    assert_true(fd_memory_seal(w->fds[i]));
    int fd = fcntl(w->fds[i], F_DUPFD_CLOEXEC, 0);
    channel_put_fds(&w->cleanup, type, 0, queue_file, &m, &fd, 1);
}

static void memory_say(uint16_t type, size_t i, uint32_t recipient_count)
{
    message_write(i, type == QUEUE_DIRECT ? ENVELOPE_DIRECT : 0, recipient_count);
    memory_put(type, i);
    rounds();
}

static bool has_file(size_t i)
{
    int fd = queue_tree_open(w->qmgr.root_fd, QUEUE_ACTIVE, w->ids[i], O_RDONLY);
    bool is_there = fd >= 0;
    fd_close(&fd);
    return is_there;
}

static void result_of(size_t request, fault_kind outcome)
{
    deliver_result m = { .queue_id = w->delivering, .outcome = outcome, .status = STR("2.2"), .reason = STR("reason") };
    channel_put(&w->local, DELIVER_RESULT, w->refs[request], deliver_result, &m);
    rounds();
}

static void cleanup_again(void)
{
    channel_close(&w->cleanup);
    rounds();
    attach(&w->cleanup, &cleanup_end_talk, "cleanup");
}

static void local_again(void)
{
    channel_close(&w->local);
    rounds();
    attach(&w->local, &local_end_talk, "local");
}

/* One more, of that cleanup or of another one. */
static void conversation_open(channel *end, uint32_t instance)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(end, w->process.loop, pair[1], &cleanup_end_talk, NULL);
    daemon_peer_add(&w->process, STR("cleanup"), instance, pair[0]);
    rounds();
}

static void name_say_by(channel *end, uint64_t id, bool is_orphan)
{
    queue_name_ask m = { .queue_id = id, .is_orphan = is_orphan };
    channel_put(end, QUEUE_NAME, 0, queue_name_ask, &m);
    rounds();
}

static void name_say(uint64_t id, bool is_orphan)
{
    name_say_by(&w->cleanup, id, is_orphan);
}

/* As cleanup does. */
static void file_it(size_t i)
{
    name_say(w->ids[i], false);
    assert_true(w->named >= 0);
    assert_true(file_copy(w->fds[i], w->named));
    say(QUEUE_DURABLE, w->ids[i]);
}

static slot_state slot_of(queue_place p, size_t i, uint32_t recipient)
{
    arena a = arena_new(0);
    queue_message m;
    int fd = queue_tree_open(w->qmgr.root_fd, p, w->ids[i], O_RDONLY);
    assert_true(fd >= 0);
    assert_string_equal(queue_read(fd, &a, &m).text, "");
    slot_state state = (slot_state)m.slots[recipient].state;
    arena_free(&a);
    close(fd);
    return state;
}

static void assert_nothing_is_left(size_t i)
{
    assert_int_equal(w->qmgr.messages.n + w->qmgr.offers.n + w->qmgr.active_count, 0);
    assert_false(is_in(QUEUE_ACTIVE, w->ids[i]));
}

static void what_is_delivered_never_has_a_file(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 2);
    assert_int_equal(w->requests, 2);
    assert_false(has_file(0));
    result_of(0, FAULT_NONE);
    result_of(1, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_NONE);
    assert_nothing_is_left(0);
    assert_false(has_file(0));
    assert_int_equal(w->qmgr.spares.n, 0);
}

static void what_is_kept_says_what_was_delivered(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 2);
    result_of(0, FAULT_NONE);
    result_of(1, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1);
    file_it(0);
    assert_int_equal(w->overs, 0);
    assert_int_equal(slot_of(QUEUE_DEFERRED, 0, 0), SLOT_DELIVERED);
    assert_int_equal(slot_of(QUEUE_DEFERRED, 0, 1), SLOT_DEFERRED);
    assert_int_equal(w->qmgr.offers.n + w->qmgr.active_count, 0);
}

/* Its cleanup did not wait any longer; from now on results are written as ever. */
static void what_is_kept_while_it_is_delivered(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 3);
    result_of(0, FAULT_NONE);
    file_it(0);
    assert_int_equal(slot_of(QUEUE_ACTIVE, 0, 0), SLOT_DELIVERED);
    assert_int_equal(slot_of(QUEUE_ACTIVE, 0, 1), SLOT_PENDING);
    result_of(1, FAULT_NONE);
    assert_int_equal(slot_of(QUEUE_ACTIVE, 0, 1), SLOT_DELIVERED);
    local_again(); /* the third is handed out again, from the file */
    assert_int_equal(w->requests, 4);
    result_of(3, FAULT_NONE);
    assert_int_equal(w->overs + w->keeps, 0);
    assert_int_equal(w->qmgr.messages.n, 0);
}

static void a_delivery_that_is_lost_is_handed_out_again(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    local_again();
    assert_int_equal(w->requests, 2);
    result_of(1, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    assert_nothing_is_left(0);
}

static void one_that_has_to_wait_is_kept_at_once(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 1;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    memory_say(QUEUE_OFFER, 1, 1);
    assert_int_equal(w->keeps, 1);
    assert_int_equal(w->qmgr.messages.n, 1);
    file_it(1);
    assert_int_equal(w->qmgr.messages.n, 2);
    assert_int_equal(w->requests, 1);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->requests, 2);
    result_of(1, FAULT_NONE);
    assert_nothing_is_left(1);
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    ids_take(1);
    assert_int_equal(pwrite(w->fds[0], "x", 1, 0), 1);
    memory_put(QUEUE_OFFER, 0);
    rounds();
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    assert_nothing_is_left(0);
    assert_true(channel_is_open(&w->cleanup));
}

static void damage_that_a_delivery_finds_refuses_it(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    result_of(0, FAULT_BROKEN);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_TRY_LATER);
    assert_nothing_is_left(0);
}

/* The words crossed: OVER is on its way. */
static void a_name_for_what_is_gone_is_not_made(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    result_of(0, FAULT_NONE);
    name_say(w->ids[0], false);
    assert_int_equal(w->named, -1);
    assert_int_equal(w->overs, 1);
    assert_true(channel_is_open(&w->cleanup));
    assert_nothing_is_left(0);
}

/* Nor does its file serve another message: cleanup may be writing into it. */
static void what_is_delivered_while_it_is_copied_goes(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    name_say(w->ids[0], false);
    assert_true(has_file(0));
    result_of(0, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    assert_nothing_is_left(0);
    assert_false(has_file(0));
    assert_int_equal(w->qmgr.spares.n, 0);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_true(channel_is_open(&w->cleanup));
    assert_nothing_is_left(0);
}

/* An offer stays one: its delivery may end well. */
static void where_no_file_can_be_made_that_is_said(void **state)
{
    (void)state;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    for (size_t i = 0; i < 2; i++)
        close(queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, w->ids[i])); /* somebody else's */
    name_say(w->ids[0], false);
    name_say(w->ids[1], false); /* it is no message yet */
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 2);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    assert_int_equal(w->over, FAULT_NONE);
    assert_int_equal(w->qmgr.messages.n, 0);
    assert_int_equal(w->qmgr.fresh.n, 1);
    say(QUEUE_DROP, w->ids[1]);
    assert_int_equal(w->qmgr.fresh.n, 0);
    assert_true(has_file(0) && has_file(1));
}

/* The disk is full, or fails: the message stands in memory as before. */
static void a_file_that_is_not_used_goes(void **state)
{
    (void)state;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    for (size_t i = 0; i < 2; i++) {
        name_say(w->ids[i], false);
        assert_true(has_file(i));
        say(QUEUE_UNNAMED, w->ids[i]);
        assert_false(has_file(i));
    }
    say(QUEUE_UNNAMED, w->ids[0]); /* it has none */
    say(QUEUE_UNNAMED, w->ids[0] + 1000);
    assert_true(channel_is_open(&w->cleanup));
    result_of(0, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1);
    file_it(0);
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
    say(QUEUE_UNNAMED, w->ids[0]); /* too late: it is like any other now */
    assert_true(is_in(QUEUE_DEFERRED, w->ids[0]));
}

static void one_for_elsewhere_gets_a_file_first(void **state)
{
    (void)state;
    ids_take(1);
    message_write(0, 0, 1);
    file_it(0);
    assert_int_equal(w->requests, 1);
    result_of(0, FAULT_NONE);
    assert_nothing_is_left(0);
}

static void what_a_lost_cleanup_had_in_memory_is_dropped(void **state)
{
    (void)state;
    ids_take(3);
    memory_say(QUEUE_OFFER, 0, 1);
    memory_say(QUEUE_OFFER, 1, 1);
    name_say(w->ids[1], false);
    assert_true(has_file(1));
    fd_close(&w->named); /* it is gone, with all that it had open */
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->qmgr.offers.n + w->qmgr.fresh.n, 0);
    for (size_t i = 0; i < 2; i++) {
        w->delivering = w->ids[i];
        result_of(i, FAULT_TRY_LATER);
        assert_false(has_file(i));
        assert_false(is_in(QUEUE_DEFERRED, w->ids[i]));
    }
    assert_int_equal(w->qmgr.messages.n, 0);
}

/* What they say to each other ends while the cleanup makes the file durable: it answers yes, as the file is found. */
static void a_file_that_is_being_committed_is_never_removed(void **state)
{
    (void)state;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    memory_say(QUEUE_OFFER, 1, 1);
    for (size_t i = 0; i < 2; i++) {
        name_say(w->ids[i], false);
        assert_true(file_copy(w->fds[i], w->named));
    }
    w->delivering = w->ids[1];
    result_of(1, FAULT_TRY_LATER); /* parked */
    channel_close(&w->cleanup);
    rounds();
    w->delivering = w->ids[0];
    result_of(0, FAULT_TRY_LATER);
    fd_close(&w->named);
    for (size_t i = 0; i < 2; i++) {
        message *m = message_find(&w->qmgr, w->ids[i]);
        assert_non_null(m);
        assert_true(is_in(QUEUE_ACTIVE, w->ids[i]));
        schedule_ready(&w->qmgr, m);
    }
    rounds();
    assert_int_equal(w->requests, 4);
    for (size_t i = 0; i < 2; i++)
        assert_false(message_find(&w->qmgr, w->ids[i])->is_in_memory);
}

/* And one that was never filled goes, as at a start. */
static void a_file_that_stayed_empty_goes(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    name_say(w->ids[0], false);
    fd_close(&w->named);
    channel_close(&w->cleanup);
    rounds();
    result_of(0, FAULT_TRY_LATER);
    assert_nothing_is_left(0);
    assert_false(has_file(0));
}

static void one_that_an_earlier_qmgr_knew_gets_a_file(void **state)
{
    (void)state;
    ids_take(1);
    uint64_t earlier = w->ids[0] - 5;
    name_say(earlier, true);
    assert_true(w->named >= 0);
    fd_close(&w->named);
    name_say(earlier, true); /* the first one was lost on the way */
    assert_true(w->named >= 0);
    assert_true(channel_is_open(&w->cleanup));
    assert_int_equal(w->qmgr.fresh.n, 2);
    name_say(earlier, false); /* it has one */
    assert_false(channel_is_open(&w->cleanup));
}

/* qmgr has not seen yet that the old one is over; and only of the same cleanup. */
static void one_is_taken_along_into_another_conversation(void **state)
{
    channel other;
    (void)state;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    name_say(w->ids[0], false);
    assert_true(has_file(0));
    conversation_open(&other, 0);
    fd_close(&w->named);
    for (size_t i = 0; i < 2; i++) {
        name_say_by(&other, w->ids[i], true);
        assert_true(w->named >= 0);
        assert_true(has_file(i));
        fd_close(&w->named);
    }
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->qmgr.offers.n, 1);
    assert_int_equal(w->qmgr.fresh.n, 1);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->overs, 1);
    channel_close(&other);
    rounds();
    assert_int_equal(w->qmgr.fresh.n + w->qmgr.messages.n, 0);
}

static void what_another_cleanup_holds_stays_its_own(void **state)
{
    channel other;
    (void)state;
    ids_take(2);
    memory_say(QUEUE_OFFER, 0, 1);
    name_say(w->ids[0], false);
    name_say(w->ids[1], false);
    fd_close(&w->named);
    conversation_open(&other, 1);
    for (size_t i = 0; i < 2; i++)
        name_say_by(&other, w->ids[i], true);
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 2);
    assert_true(has_file(0) && has_file(1));
    channel_close(&other);
    rounds();
    assert_int_equal(w->qmgr.offers.n, 1);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->overs, 1);
}

/* Not qmgr ended, but what they said to each other. */
static void one_that_is_under_way_is_adopted(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 2);
    channel_close(&w->cleanup);
    rounds();
    assert_int_equal(w->qmgr.offers.n, 0);
    attach(&w->cleanup, &cleanup_end_talk, "cleanup");
    result_of(0, FAULT_NONE);
    name_say(w->ids[0], true);
    assert_true(w->named >= 0);
    assert_true(file_copy(w->fds[0], w->named));
    say(QUEUE_DURABLE, w->ids[0]);
    assert_int_equal(slot_of(QUEUE_ACTIVE, 0, 0), SLOT_DELIVERED);
    result_of(1, FAULT_TRY_LATER);
    assert_int_equal(slot_of(QUEUE_DEFERRED, 0, 1), SLOT_DEFERRED);
    assert_int_equal(w->overs, 0);
}

/* Nobody knows any more whether it was delivered: it comes twice at worst. */
static void one_that_was_delivered_meanwhile_is_taken_again(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    cleanup_again();
    result_of(0, FAULT_NONE);
    name_say(w->ids[0], true);
    assert_true(w->named >= 0);
    assert_true(file_copy(w->fds[0], w->named));
    say(QUEUE_DURABLE, w->ids[0]);
    assert_int_equal(w->requests, 2);
    result_of(1, FAULT_NONE);
    assert_nothing_is_left(0);
}

static void not_if_that_one_left_a_file(void **state)
{
    (void)state;
    ids_take(1);
    uint64_t earlier = w->ids[0] - 5;
    message_add(&w->qmgr, earlier, QUEUE_DEFERRED, 1);
    name_say(earlier, true);
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 1);
    name_say(w->qmgr.id_next + 1000, true); /* nobody gave this one yet */
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 2);
    assert_true(channel_is_open(&w->cleanup));
}

static void found_by_a_start(uint64_t id)
{
    message *m = message_add(&w->qmgr, id, QUEUE_ACTIVE, 0);
    m->is_found = true;
    schedule_ready(&w->qmgr, m);
}

/* That one ended before it could hand the file over; it waits for its turn, to be discarded. */
static void one_with_a_file_of_an_earlier_qmgr_gets_another(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 0;
    ids_take(1);
    uint64_t earlier = w->ids[0] - 5;
    close(queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, earlier));
    found_by_a_start(earlier);
    name_say(earlier, true);
    assert_int_equal(w->unnameds, 0);
    assert_true(w->named >= 0);
    w->ids[0] = earlier;
    message_write(0, 0, 1);
    assert_true(file_copy(w->fds[0], w->named));
    say(QUEUE_DURABLE, earlier);
    w->generation.snapshot.base.qmgr_message_active_limit = 100;
    schedule_soon(&w->qmgr);
    rounds();
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->delivering, earlier);
    deliver(FAULT_NONE);
    assert_nothing_is_left(0);
}

/* A cleanup that lies, or is mistaken, about a message that another one is about to finish. */
static void what_another_cleanup_still_writes_stays(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 0;
    ids_take(1);
    uint64_t earlier = w->ids[0] - 5;
    int theirs = queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, earlier);
    found_by_a_start(earlier);
    name_say(earlier, true);
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 1);
    int again = queue_tree_open(w->qmgr.root_fd, QUEUE_ACTIVE, earlier, O_RDONLY);
    assert_true(again >= 0);
    close(again);
    close(theirs);
}

static void a_whole_message_is_nobodys_to_remove(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 0;
    ids_take(1);
    uint64_t earlier = w->ids[0] - 5;
    int mine = w->fds[0], fd = queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, earlier);
    w->fds[0] = fd;
    w->ids[0] = earlier;
    message_write(0, 0, 1);
    w->fds[0] = mine;
    close(fd);
    found_by_a_start(earlier);
    name_say(earlier, true);
    assert_int_equal(w->named, -1);
    assert_int_equal(w->unnameds, 1);
    w->generation.snapshot.base.qmgr_message_active_limit = 100;
    schedule_soon(&w->qmgr);
    rounds();
    assert_int_equal(w->delivering, earlier);
    deliver(FAULT_NONE);
}

/* Also before its turn came. */
static void an_admin_may_hold_it(void **state)
{
    (void)state;
    w->generation.snapshot.base.qmgr_message_active_limit = 1;
    ids_take(2);
    for (size_t i = 0; i < 2; i++) {
        message_write(i, 0, 1);
        memory_put(QUEUE_OFFER, i);
    }
    rounds();
    message *m = message_find(&w->qmgr, w->ids[1]);
    assert_int_equal(w->requests, 1);
    assert_int_equal(m->state, MESSAGE_READY);
    m->asked = ASKED_HOLD;
    finish_asked(&w->qmgr, m);
    result_of(0, FAULT_NONE);
    assert_int_equal(w->requests, 1);
    assert_int_equal(w->keeps, 1);
    file_it(1);
    assert_true(is_in(QUEUE_HOLD, w->ids[1]));
    assert_int_equal(w->qmgr.active_count, 0);
}

static void an_admin_may_delete_it(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    message *m = message_find(&w->qmgr, w->ids[0]);
    m->asked = ASKED_DELETE;
    finish_asked(&w->qmgr, m);
    result_of(0, FAULT_TRY_LATER);
    assert_int_equal(w->keeps, 1); /* its sender has heard nothing yet: it is queued first, and then it goes */
    file_it(0);
    assert_nothing_is_left(0);
}

static void a_direct_one_has_no_file(void **state)
{
    (void)state;
    ids_take(1);
    memory_say(QUEUE_DIRECT, 0, 2);
    assert_int_equal(w->requests, 2);
    result_of(0, FAULT_NONE);
    result_of(1, FAULT_REFUSED);
    assert_int_equal(w->outcome_count, 2);
    assert_int_equal(w->overs, 1);
    assert_nothing_is_left(0);
}

static void lies_drop_the_peer(void **state)
{
    static const uint16_t of_an_id[] = { QUEUE_OFFER, QUEUE_DIRECT, QUEUE_DURABLE, QUEUE_HELD };
    (void)state;
    for (size_t k = 0; k < COUNT_OF(of_an_id); k++) {
        w->given = 0;
        take_such((queue_take){ .count = 1, .kind = FRESH_ID });
        say(of_an_id[k], w->ids[0]);
        assert_false(channel_is_open(&w->cleanup));
        attach(&w->cleanup, &cleanup_end_talk, "cleanup");
    }
    w->given = 0;
    take(1);
    name_say(w->ids[0], false); /* it has one */
    assert_false(channel_is_open(&w->cleanup));
    fd_close(&w->fds[0]);
    attach(&w->cleanup, &cleanup_end_talk, "cleanup");
    w->given = 0;
    ids_take(1);
    memory_say(QUEUE_OFFER, 0, 1);
    say(QUEUE_DURABLE, w->ids[0]);
    assert_false(channel_is_open(&w->cleanup));
    result_of(w->requests - 1, FAULT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_delivered_never_has_a_file),
        TEST(what_is_kept_says_what_was_delivered),
        TEST(what_is_kept_while_it_is_delivered),
        TEST(a_delivery_that_is_lost_is_handed_out_again),
        TEST(one_that_has_to_wait_is_kept_at_once),
        TEST(what_is_no_message_is_refused),
        TEST(damage_that_a_delivery_finds_refuses_it),
        TEST(a_name_for_what_is_gone_is_not_made),
        TEST(what_is_delivered_while_it_is_copied_goes),
        TEST(where_no_file_can_be_made_that_is_said),
        TEST(a_file_that_is_not_used_goes),
        TEST(one_for_elsewhere_gets_a_file_first),
        TEST(what_a_lost_cleanup_had_in_memory_is_dropped),
        TEST(a_file_that_is_being_committed_is_never_removed),
        TEST(a_file_that_stayed_empty_goes),
        TEST(one_that_an_earlier_qmgr_knew_gets_a_file),
        TEST(one_is_taken_along_into_another_conversation),
        TEST(what_another_cleanup_holds_stays_its_own),
        TEST(one_that_is_under_way_is_adopted),
        TEST(one_that_was_delivered_meanwhile_is_taken_again),
        TEST(not_if_that_one_left_a_file),
        TEST(one_with_a_file_of_an_earlier_qmgr_gets_another),
        TEST(what_another_cleanup_still_writes_stays),
        TEST(a_whole_message_is_nobodys_to_remove),
        TEST(an_admin_may_hold_it),
        TEST(an_admin_may_delete_it),
        TEST(a_direct_one_has_no_file),
        TEST(lies_drop_the_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
