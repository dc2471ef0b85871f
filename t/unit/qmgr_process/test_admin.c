/* SOURCES: qmgr/admin.c qmgr/touched.c qmgr/direct.c qmgr/offer.c qmgr/spare.c qmgr/admin_change.c qmgr/admin_lend.c qmgr/deliver.c qmgr/destination.c qmgr/fair.c qmgr/finish.c qmgr/fresh.c qmgr/ids.c qmgr/message.c qmgr/memory.c qmgr/removed.c qmgr/report.c qmgr/resolve.c qmgr/scan.c qmgr/schedule.c qmgr/transports.c qmgr/window.c  NEEDS: daemon queue */
/* The desk of qmgr on a queue of its own: root and two other users ask over real channels; loans end well and badly. */
#include "base/checksum.h"
#include "base/clock.h"
#include "ipc/talk/admin.h"
#include "qmgr/admin.h"
#include "queue/rewrite.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

enum { FIRST = 4711, MINE_UID = 21000, OTHER_UID = 21001, MANY = 1000, FDS_MAX = 8 };

typedef struct asker {
    channel channel;
    char rows[4000];
    size_t row_count, lines;
    int fds[FDS_MAX];
    size_t fd_count;
    unsigned ends;
    uint32_t count;
    fault fault;
} asker;

static struct world {
    process process;
    program program;
    generation generation;
    qmgr qmgr;
    timer stop;
    char folder[40];
    asker root, mine, other;
} * w;

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

static bool on_row(void *context, channel *ch, received *r)
{
    asker *a = context;
    admin_row m;
    (void)ch;
    assert_int_equal(admin_row_decode(r->bytes, &m), PARSE_DONE);
    size_t n = strlen(a->rows);
    snprintf(a->rows + n, sizeof a->rows - n, "%.*s;", STR_ARG(m.row));
    a->row_count++;
    for (size_t i = 0; i < m.row.n; i++)
        a->lines += m.row.p[i] == '\n';
    for (size_t i = 0; i < r->fd_count && a->fd_count < FDS_MAX; i++)
        a->fds[a->fd_count++] = received_take(r, i);
    return true;
}

static bool on_end(void *context, channel *ch, received *r)
{
    asker *a = context;
    admin_end m;
    assert_int_equal(admin_end_decode(r->bytes, &m), PARSE_DONE);
    a->count += m.count;
    if (str_equal(m.reason, STR("more"))) {
        admin_ask ask = { .verb = STR("more") };
        channel_put(ch, ADMIN_ASK, 0, admin_ask, &ask);
        return true;
    }
    a->fault = fault_make((fault_kind)m.outcome, "", "%.*s", STR_ARG(m.reason));
    a->ends++;
    return true;
}

static const talk_row rows[] = { { ADMIN_ROW, 0, CHANNEL_FDS_MAX, on_row }, { ADMIN_END, 0, 0, on_end } };
static const talk asker_talk = { "asker", rows, COUNT_OF(rows), NULL };

static void join(asker *a, uid_t uid)
{
    int pair[2];
    assert_true(channel_pair(pair));
    channel_open(&a->channel, w->process.loop, pair[1], &asker_talk, a);
    admin_admit(&w->qmgr.desk, pair[0], uid);
}

static void leave(asker *a)
{
    channel_close(&a->channel);
    for (size_t i = 0; i < a->fd_count; i++)
        close(a->fds[i]);
    a->fd_count = 0;
}

/* Asks and waits for the end of the answer. */
static void ask(asker *a, const char *verb, const char *argument)
{
    admin_ask m = { .verb = str_c(verb), .argument = str_c(argument) };
    for (size_t i = 0; i < a->fd_count; i++)
        close(a->fds[i]);
    a->rows[0] = '\0';
    a->row_count = a->lines = a->fd_count = a->ends = a->count = 0;
    channel_put(&a->channel, ADMIN_ASK, 0, admin_ask, &m);
    for (int i = 0; i < 1000 && a->ends == 0; i++)
        rounds();
    assert_int_equal(a->ends, 1);
}

static void file_make(uint64_t id, queue_place place, str login, str domain)
{
    arena mem = arena_new(0);
    envelope e = { .reverse_path = STR("a@b.example"), .login = login };
    envelope_recipient to = { .address = arena_printf(&mem, "c@%.*s", STR_ARG(domain)),
                              .transport = STR("local"),
                              .nexthop = STR("c") };
    str content = STR("Subject: x\r\n\r\nbody\r\n");
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    int fd = queue_tree_create(w->qmgr.root_fd, QUEUE_ACTIVE, id);
    assert_true(fd >= 0 && queue_records_envelope(&records, &e) && queue_records_recipient(&records, &to));
    assert_int_equal(pwrite(fd, content.p, content.n, QUEUE_CONTENT_START), content.n);
    queue_finish_args args = { .id = id,
                               .arrived_us = 5000000,
                               .content_bytes = content.n,
                               .content_checksum = checksum(0, content),
                               .recipient_count = 1,
                               .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &args)));
    assert_false(is_fault(queue_schedule_write(fd, clock_s() + 3000, 2)));
    buf_free(&records);
    arena_free(&mem);
    close(fd);
    assert_true(place == QUEUE_ACTIVE || queue_tree_move(w->qmgr.root_fd, QUEUE_ACTIVE, place, id));
}

static void world_make(unsigned more)
{
    qmgr *q = &w->qmgr;
    q->process = &w->process;
    schedule_open(q);
    destinations_open(q);
    q->root_fd = open(w->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(is_fault(queue_tree_make(q->root_fd)));
    file_make(FIRST, QUEUE_DEFERRED, STR("uid:21000"), STR("d.example"));
    file_make(FIRST + 1, QUEUE_HOLD, STR("uid:21001"), STR("d.example"));
    file_make(FIRST + 2, QUEUE_DEFERRED, STR("alice"), STR("e.example"));
    for (unsigned i = 0; i < more; i++)
        file_make(FIRST + 100 + i, QUEUE_HOLD, STR("uid:0"), STR("e.example"));
    assert_false(is_fault(ids_open(q)));
    assert_false(is_fault(scan_all(q)));
    admin_start(q);
    timer_open(&w->stop, w->process.loop, on_stop, w->process.loop);
    join(&w->root, 0);
    join(&w->mine, MINE_UID);
    join(&w->other, OTHER_UID);
}

static int setup(void **state)
{
    (void)state;
    w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/test-admin-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->generation.holders = 1;
    w->generation.snapshot.base = (config){ .queue_minfree = 1,
                                            .local_initial_destination_concurrency = 20,
                                            .local_destination_concurrency_limit = 20,
                                            .local_destination_concurrency_positive_feedback = STR("1"),
                                            .local_destination_concurrency_negative_feedback = STR("1"),
                                            .local_destination_concurrency_failed_cohort_limit = 1,
                                            .qmgr_delivery_limit = 100,
                                            .qmgr_message_active_limit = 100,
                                            .minimal_backoff_time = 300,
                                            .maximal_backoff_time = 4000,
                                            .maximal_queue_lifetime = 100000 };
    w->process = (process){ .program = &w->program,
                            .loop = loop_new(),
                            .state = &w->qmgr,
                            .current = &w->generation,
                            .control = { .fd = -1 } };
    w->process.control.loop = w->process.loop;
    return 0;
}

static int teardown(void **state)
{
    char command[80];
    (void)state;
    leave(&w->root);
    leave(&w->mine);
    leave(&w->other);
    rounds();
    assert_null(w->qmgr.desk.clients);
    map_entry e;
    for (size_t cursor = 0; map_next(&w->qmgr.messages, &cursor, &e); cursor = 0)
        message_forget(&w->qmgr, e.value);
    for (size_t cursor = 0; map_next(&w->qmgr.destinations, &cursor, &e);)
        free(e.value);
    snprintf(command, sizeof command, "rm -rf %s", w->folder);
    assert_int_equal(system(command), 0);
    close(w->qmgr.root_fd);
    map_free(&w->qmgr.messages);
    map_free(&w->qmgr.destinations);
    vec_free(&w->qmgr.waiting);
    loop_free(w->process.loop);
    free(w);
    return 0;
}

static const char *name(uint64_t id)
{
    static queue_name names[4];
    static unsigned at;
    names[at = (at + 1) % 4] = queue_id_text(id);
    return names[at].text;
}

static queue_place place_of(uint64_t id)
{
    for (int p = 0; p < QUEUE_PLACES; p++) {
        int fd = queue_tree_open(w->qmgr.root_fd, (queue_place)p, id, O_RDONLY);
        if (fd >= 0) {
            close(fd);
            return (queue_place)p;
        }
    }
    fail();
    return QUEUE_CORRUPT;
}

static void a_list_comes_in_parts_and_others_see_their_own(void **state)
{
    (void)state;
    world_make(MANY);
    ask(&w->root, "list", "");
    assert_int_equal(w->root.count, MANY + 3);
    assert_int_equal(w->root.lines, MANY + 3);
    assert_true(w->root.row_count > 2);
    ask(&w->mine, "list", "");
    assert_int_equal(w->mine.count, 1);
    assert_true(strncmp(w->mine.rows, name(FIRST), QUEUE_ID_CHARS) == 0);
    assert_non_null(strstr(w->mine.rows, " deferred "));
    ask(&w->other, "list", "");
    assert_int_equal(w->other.count, 1);
    assert_true(strncmp(w->other.rows, name(FIRST + 1), QUEUE_ID_CHARS) == 0);
}

static void files_are_given_to_their_owner(void **state)
{
    char all[64];
    (void)state;
    world_make(0);
    snprintf(all, sizeof all, "%s %s %s %s", name(FIRST), name(FIRST + 1), name(FIRST + 2), name(1));
    ask(&w->root, "files", all);
    assert_int_equal(w->root.fd_count, 3);
    ask(&w->mine, "files", all);
    assert_int_equal(w->mine.fd_count, 1);
    assert_int_equal(fcntl(w->mine.fds[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    ask(&w->mine, "files", "nonsense");
    assert_int_equal(w->mine.fault.kind, FAULT_REFUSED);
}

static void what_others_may_not(void **state)
{
    static const char *const verbs[] = { "hold", "release", "quarantine", "lend", "keep", "back", "bring" };
    char theirs[120], nobodys[120];
    (void)state;
    world_make(0);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        ask(&w->mine, verbs[i], name(FIRST));
        assert_int_equal(w->mine.fault.kind, FAULT_REFUSED);
    }
    ask(&w->mine, "delete", name(FIRST + 1));
    snprintf(theirs, sizeof theirs, "%s", w->mine.rows + QUEUE_ID_CHARS);
    ask(&w->mine, "delete", name(77));
    snprintf(nobodys, sizeof nobodys, "%s", w->mine.rows + QUEUE_ID_CHARS);
    assert_string_equal(theirs, nobodys); /* the same words, whether it exists or not */
    assert_int_equal(place_of(FIRST + 1), QUEUE_HOLD);
    ask(&w->mine, "delete", name(FIRST));
    assert_int_equal(w->mine.count, 1);
    ask(&w->mine, "flush", "ALL");
    assert_false(is_fault(w->mine.fault));
    assert_int_equal(w->mine.count, 0); /* how many there are is not for everybody */
}

/* What cannot be read now is not let go later by itself. */
static void a_release_that_fails_leaves_it_on_hold(void **state)
{
    (void)state;
    world_make(0);
    assert_true(queue_tree_remove(w->qmgr.root_fd, QUEUE_HOLD, FIRST + 1));
    ask(&w->root, "release", name(FIRST + 1));
    assert_false(is_fault(w->root.fault));
    assert_int_equal(w->root.count, 0);
    assert_non_null(strstr(w->root.rows, "open the queue file: No such file"));
    const message *m = message_find(&w->qmgr, FIRST + 1);
    assert_int_equal(m->place, QUEUE_HOLD);
    assert_int_equal(m->state, MESSAGE_AT_REST);
}

static void a_site_is_flushed(void **state)
{
    (void)state;
    world_make(0);
    ask(&w->root, "flush", "SITE E.example");
    assert_int_equal(w->root.count, 1);
    assert_int_equal(message_find(&w->qmgr, FIRST)->state, MESSAGE_WAITING);
    assert_int_not_equal(message_find(&w->qmgr, FIRST + 2)->state, MESSAGE_WAITING);
}

static void rewrite(asker *a, uint64_t id)
{
    arena mem = arena_new(0);
    queue_message m;
    assert_int_equal(a->fd_count, 2);
    assert_false(is_fault(queue_read(a->fds[0], &mem, &m)));
    m.head.id = id;
    m.recipients[0].nexthop = STR("elsewhere");
    m.schedule = (queue_schedule){ .next_try_s = clock_s() + 2000, .tries = 0 };
    assert_false(is_fault(queue_rewrite(a->fds[0], &m, a->fds[1])));
    arena_free(&mem);
}

static str nexthop_of(uint64_t id, arena *mem)
{
    queue_message m;
    int fd = queue_tree_open(w->qmgr.root_fd, place_of(id), id, O_RDONLY);
    assert_false(is_fault(queue_read(fd, mem, &m)));
    close(fd);
    return m.recipients[0].nexthop;
}

static void a_lent_message_rests_until_it_is_kept(void **state)
{
    arena mem = arena_new(0);
    (void)state;
    world_make(0);
    message *m = message_find(&w->qmgr, FIRST);
    ask(&w->root, "lend", name(FIRST));
    assert_int_equal(w->root.count, 1);
    assert_int_equal(m->state, MESSAGE_AT_REST);
    asker second = { .fds = { 0 } };
    join(&second, 0);
    for (size_t i = 0; i < 4; i++) { /* nobody else changes it meanwhile */
        ask(&second, ((const char *const[]){ "hold", "delete", "flush", "lend" })[i], name(FIRST));
        assert_int_equal(second.count, 0);
        assert_non_null(strstr(second.rows, "another command"));
    }
    ask(&second, "flush", "ALL");
    assert_int_equal(second.count, 1); /* the other one */
    ask(&second, "keep", name(FIRST));
    assert_int_equal(second.count, 0);
    rewrite(&w->root, FIRST);
    ask(&w->root, "keep", name(FIRST));
    assert_int_equal(w->root.count, 1);
    assert_true(str_equal(nexthop_of(FIRST, &mem), STR("elsewhere")));
    assert_int_equal(m->state, MESSAGE_WAITING);
    assert_int_equal(m->tries, 0);
    leave(&second);
    arena_free(&mem);
}

static void what_is_not_whole_is_not_kept(void **state)
{
    arena mem = arena_new(0);
    (void)state;
    world_make(0);
    ask(&w->root, "lend", name(FIRST));
    ask(&w->root, "keep", name(FIRST)); /* empty */
    assert_int_equal(w->root.count, 0);
    ask(&w->root, "lend", name(FIRST)); /* it can be had again */
    rewrite(&w->root, FIRST + 5);       /* another's id */
    ask(&w->root, "keep", name(FIRST));
    assert_int_equal(w->root.count, 0);
    assert_true(str_equal(nexthop_of(FIRST, &mem), STR("c")));
    assert_int_equal(message_find(&w->qmgr, FIRST)->state, MESSAGE_WAITING);
    arena_free(&mem);
}

static void a_client_that_goes_leaves_all_as_it_was(void **state)
{
    arena mem = arena_new(0);
    asker second = { .fds = { 0 } };
    (void)state;
    world_make(0);
    join(&second, 0);
    ask(&second, "lend", name(FIRST));
    rewrite(&second, FIRST);
    ask(&second, "lend", name(FIRST + 1));
    ask(&second, "bring", "00000000002 hold");
    leave(&second);
    rounds();
    assert_int_equal(place_of(FIRST), QUEUE_DEFERRED);
    assert_true(str_equal(nexthop_of(FIRST, &mem), STR("c")));
    assert_int_equal(message_find(&w->qmgr, FIRST)->state, MESSAGE_WAITING);
    assert_int_equal(place_of(FIRST + 1), QUEUE_HOLD);
    assert_int_equal(queue_tree_open(w->qmgr.root_fd, QUEUE_INCOMING, 2, O_RDONLY), -1);
    arena_free(&mem);
}

static void one_from_elsewhere_gets_its_id_or_another(void **state)
{
    uint64_t id;
    (void)state;
    world_make(0);
    ask(&w->root, "bring", "00000000002 hold");
    assert_string_equal(w->root.rows, "00000000002;");
    ask(&w->root, "keep", "00000000002");
    assert_int_equal(w->root.count, 0); /* nothing was written */
    for (size_t i = 0; i < 3; i++) {    /* taken; of the future; none */
        const char *wanted = ((const char *const[]){ name(FIRST), "ZZZZZZZZZZZ", "00000000000" })[i];
        char argument[40];
        snprintf(argument, sizeof argument, "%s deferred", wanted);
        ask(&w->root, "bring", argument);
        assert_int_equal(w->root.fd_count, 1);
        assert_true(queue_id_read(str_upto(str_c(w->root.rows), QUEUE_ID_CHARS), &id));
        assert_int_not_equal(strncmp(w->root.rows, wanted, QUEUE_ID_CHARS), 0);
    }
    ask(&w->root, "bring", "00000000002 active");
    assert_int_equal(w->root.fault.kind, FAULT_REFUSED);
}

static void damage_goes_to_corrupt_and_can_be_deleted_there(void **state)
{
    (void)state;
    world_make(0);
    ask(&w->root, "quarantine", name(FIRST));
    assert_int_equal(w->root.count, 1);
    assert_int_equal(place_of(FIRST), QUEUE_CORRUPT);
    assert_null(message_find(&w->qmgr, FIRST));
    ask(&w->root, "list", "");
    assert_non_null(strstr(w->root.rows, " corrupt "));
    ask(&w->mine, "files", name(FIRST));
    assert_int_equal(w->mine.fd_count, 0);
    ask(&w->root, "files", name(FIRST));
    assert_int_equal(w->root.fd_count, 1);
    ask(&w->root, "delete", name(FIRST));
    assert_int_equal(w->root.count, 1);
    assert_int_equal(queue_tree_open(w->qmgr.root_fd, QUEUE_CORRUPT, FIRST, O_RDONLY), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_list_comes_in_parts_and_others_see_their_own),
        TEST(files_are_given_to_their_owner),
        TEST(what_others_may_not),
        TEST(a_site_is_flushed),
        TEST(a_release_that_fails_leaves_it_on_hold),
        TEST(a_lent_message_rests_until_it_is_kept),
        TEST(what_is_not_whole_is_not_kept),
        TEST(a_client_that_goes_leaves_all_as_it_was),
        TEST(one_from_elsewhere_gets_its_id_or_another),
        TEST(damage_goes_to_corrupt_and_can_be_deleted_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
