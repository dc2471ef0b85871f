/* SOURCES: ctl/queue/verbs.c ctl/queue/look.c ctl/queue/list.c ctl/queue/group.c ctl/queue/shape.c ctl/queue/filter.c ctl/queue/select.c ctl/queue/progress.c ctl/queue/print.c ctl/queue/json.c ctl/queue/change.c ctl/queue/change_stopped.c ctl/queue/rewrite.c ctl/queue/requeue.c ctl/queue/again.c ctl/queue/reroute.c ctl/queue/check.c ctl/queue/check_file.c ctl/queue/archive.c ctl/queue/export.c ctl/queue/import.c ctl/queue/bring.c ctl/options.c  NEEDS: ctl_common outside_jansson */
#include "ctl/queue/queue.h"
#include "base/checksum.h"
#include "ctl/command.h"
#include "ctl/commands.h"
#include "ctl/common/mailq.h"
#include "os/file.h"
#include <fcntl.h>
#include <jansson.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

#define ADDED "Received: from here\r\n"
#define CONTENT "Subject: x\r\n\r\nbody\r\n"

static char folder[64], printed[8000];
static int queue_fd;
static config conf;
static long magic = EXT4_SUPER_MAGIC; /* of the file system that all is said to be on */
static unsigned commits;              /* of the whole of it */

/* In the place of libc's own. */
int fstatfs(int fd, struct statfs *out)
{
    (void)fd;
    *out = (struct statfs){ .f_type = magic };
    return 0;
}

int syncfs(int fd)
{
    (void)fd;
    commits++;
    return 0;
}

/* As in ctl/main.c, without its words. */
int command_run(const command *rows, size_t count, const char *of, invocation *in)
{
    static char name[40];
    (void)of;
    for (size_t i = 0; in->argc > 0 && i < count; i++)
        if (strcmp(rows[i].name, in->argv[0]) == 0) {
            snprintf(name, sizeof name, "queue %s", rows[i].name);
            in->name = name;
            in->usage = rows[i].usage;
            return rows[i].run(in);
        }
    return EX_USAGE;
}

static void put(const char *name, const char *text)
{
    char file[120];
    file_owner owner = { .mode = 0600 };
    snprintf(file, sizeof file, "%s/%s", folder, name);
    assert_false(is_fault(file_replace(AT_FDCWD, file, str_c(text), owner)));
}

static int setup(void **state)
{
    char path[100], text[200];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_queue.XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(text, sizeof text, "myhostname = mx.example.test\nqueue_directory = %s\n", folder);
    put("main.cf", text);
    put("master.cf", "");
    snprintf(path, sizeof path, "%s/queue", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    queue_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(queue_fd >= 0);
    assert_false(is_fault(queue_tree_make(queue_fd)));
    conf.queue_directory = str_c(folder);
    return 0;
}

static int teardown(void **state)
{
    char remove_all[100];
    (void)state;
    close(queue_fd);
    snprintf(remove_all, sizeof remove_all, "rm -rf %s", folder);
    return system(remove_all);
}

/* Two recipients: one delivered, one deferred. */
static void message_make(uint64_t id, queue_place place)
{
    static const envelope e = { .reverse_path = STR_ROW("a\033@b.example"), .helo = STR_ROW("h\xff"), .flags = ENVELOPE_8BIT };
    static const envelope_recipient to[2] = { { .address = STR_ROW("done@d.example") }, { .address = STR_ROW("late@d.example") } };
    str content = STR(CONTENT);
    buf records = buf_new(QUEUE_ENVELOPE_MAX);
    int fd = queue_tree_create(queue_fd, QUEUE_ACTIVE, id);
    assert_true(fd >= 0);
    assert_true(queue_records_envelope(&records, &e));
    assert_true(queue_records_recipient(&records, &to[0]) && queue_records_recipient(&records, &to[1]));
    assert_int_equal(pwrite(fd, content.p, content.n, QUEUE_CONTENT_START), content.n);
    queue_finish_args args = { .id = id, .arrived_us = 5000000, .content_bytes = content.n,
                               .content_checksum = checksum(0, content), .recipient_count = 2,
                               .added = STR(ADDED), .records = buf_str(&records) };
    assert_false(is_fault(queue_finish(fd, &args)));
    arena a = arena_new(0);
    queue_message m;
    assert_false(is_fault(queue_read(fd, &a, &m)));
    queue_slot done = queue_slot_make(SLOT_DELIVERED, 6, "2.0.0", STR("ok"));
    queue_slot late = queue_slot_make(SLOT_DEFERRED, 7, "4.4.1", STR("no answer"));
    assert_false(is_fault(queue_slot_write(fd, &m.head, 0, &done)));
    assert_false(is_fault(queue_slot_write(fd, &m.head, 1, &late)));
    assert_false(is_fault(queue_schedule_write(fd, 4102444800, 3)));
    arena_free(&a);
    buf_free(&records);
    close(fd);
    assert_true(place == QUEUE_ACTIVE || queue_tree_move(queue_fd, QUEUE_ACTIVE, place, id));
}

static int output_begin(int *before)
{
    int fd = memfd_create("output", MFD_CLOEXEC);
    fflush(stdout);
    *before = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    return fd;
}

static void output_end(int fd, int before)
{
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    ssize_t n = pread(fd, printed, sizeof printed - 1, 0);
    printed[n > 0 ? n : 0] = '\0';
    close(fd);
}

static int run(const char *verb, const char *first, const char *second)
{
    char *argv[5] = { (char *)(uintptr_t)"queue", (char *)(uintptr_t)verb, (char *)(uintptr_t)first,
                      (char *)(uintptr_t)second, NULL };
    invocation in = { .directory = folder, .argc = 2 + (first != NULL) + (second != NULL), .argv = argv };
    int before, fd = output_begin(&before);
    int status = command_queue(&in);
    output_end(fd, before);
    parsed_free(&in.parsed);
    return status;
}

static int mailq(void)
{
    int before, fd = output_begin(&before);
    int status = mailq_print(&conf);
    output_end(fd, before);
    return status;
}

static void has(const char *text)
{
    if (strstr(printed, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, printed);
}

static void has_not(const char *text)
{
    if (strstr(printed, text))
        fail_msg("\"%s\" is in: %s", text, printed);
}

static void an_empty_queue(void **state)
{
    (void)state;
    assert_int_equal(mailq(), EX_OK);
    assert_string_equal(printed, "Mail queue is empty\n");
    assert_int_equal(run("list", NULL, NULL), EXIT_DONE);
    assert_string_equal(printed, "the queue is empty\n");
    assert_int_equal(run("show", queue_id_text(9).text, NULL), EX_DATAERR);
    assert_int_equal(run("show", NULL, NULL), EX_USAGE);
}

static void messages_are_listed(void **state)
{
    (void)state;
    message_make(4712, QUEUE_DEFERRED);
    message_make(4711, QUEUE_HOLD);
    message_make(4713, QUEUE_INCOMING); /* not acknowledged: not shown */
    assert_int_equal(run("list", NULL, NULL), EXIT_DONE);
    has("<a?@b.example>");
    has("<late@d.example> deferred: 4.4.1 no answer\n");
    has("next try in ");
    has("\n2 messages, ");
    has("the suite does not run");
    has_not("done@d.example");
    has_not(queue_id_text(4713).text);
    assert_true(strncmp(printed, queue_id_text(4711).text, QUEUE_ID_CHARS) == 0); /* the oldest first */
    assert_int_equal(mailq(), EX_OK);
    has("(no answer)\n");
    has("late@d.example\n");
    has("-- 1 Kbytes in 2 Requests.\n");
    has_not("done@d.example");
    has("! "); /* on hold */
}

static void one_is_shown(void **state)
{
    (void)state;
    message_make(4711, QUEUE_DEFERRED);
    assert_int_equal(run("show", queue_id_text(4711).text, NULL), EXIT_DONE);
    has("place           deferred\n");
    has("sender          <a?@b.example>\n");
    has("flags           8bit\n");
    has("tries           3\n");
    has("recipient       <done@d.example> delivered: 2.0.0 ok\n");
    assert_int_equal(run("cat", queue_id_text(4711).text, NULL), EXIT_DONE);
    assert_string_equal(printed, ADDED CONTENT);
}

static void json_is_json(void **state)
{
    json_error_t error;
    (void)state;
    message_make(4711, QUEUE_DEFERRED);
    assert_int_equal(run("list", "--json", NULL), EXIT_DONE);
    json_t *o = json_loads(printed, 0, &error);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "id")), queue_id_text(4711).text);
    assert_string_equal(json_string_value(json_object_get(o, "place")), "deferred");
    assert_string_equal(json_string_value(json_object_get(o, "helo")), "h?");
    assert_int_equal(json_integer_value(json_object_get(o, "tries")), 3);
    assert_int_equal(json_integer_value(json_object_get(o, "next_try_s")), 4102444800);
    json_t *second = json_array_get(json_object_get(o, "recipients"), 1);
    assert_string_equal(json_string_value(json_object_get(second, "address")), "late@d.example");
    assert_string_equal(json_string_value(json_object_get(second, "state")), "deferred");
    json_decref(o);
}

static void damage_is_said(void **state)
{
    (void)state;
    message_make(4711, QUEUE_ACTIVE);
    int fd = queue_tree_open(queue_fd, QUEUE_ACTIVE, 4711, O_RDWR);
    assert_int_equal(pwrite(fd, "????????", 8, 8), 8);
    close(fd);
    assert_int_equal(run("list", "--json", NULL), EXIT_DONE);
    has("\"damaged\":\"");
    assert_int_equal(run("show", queue_id_text(4711).text, NULL), EXIT_DONE);
    has("damaged         ");
    assert_int_equal(mailq(), EX_OK);
    has("* "); /* active */
    assert_int_equal(run("cat", queue_id_text(4711).text, NULL), EX_DATAERR);
}

static queue_place place_of(uint64_t id)
{
    queue_place p = QUEUE_CORRUPT;
    return queue_find(queue_fd, id, &p) ? p : QUEUE_CORRUPT;
}

static void changes_while_stopped(void **state)
{
    char kept[QUEUE_ID_CHARS + 1];
    (void)state;
    snprintf(kept, sizeof kept, "%s", queue_id_text(4711).text);
    message_make(4711, QUEUE_DEFERRED);
    message_make(4712, QUEUE_ACTIVE);
    assert_int_equal(run("hold", kept, NULL), EXIT_DONE);
    assert_string_equal(printed, "hold: 1 message\n");
    assert_int_equal(place_of(4711), QUEUE_HOLD);
    assert_int_equal(place_of(4712), QUEUE_ACTIVE);
    assert_int_equal(run("release", "ALL", "--json"), EXIT_DONE);
    assert_string_equal(printed, "{\"changed\":1}\n");
    assert_int_equal(place_of(4711), QUEUE_DEFERRED);
    assert_int_equal(run("show", kept, NULL), EXIT_DONE);
    has("tries           3\n"); /* neither policy had held it, nor had anything failed for good */
    assert_int_equal(run("flush", NULL, NULL), EXIT_DONE);
    assert_string_equal(printed, "flush: 1 message\n");
    assert_int_equal(run("delete", "ALL", NULL), EX_USAGE); /* nobody can be asked */
    assert_int_equal(place_of(4711), QUEUE_DEFERRED);
    assert_int_equal(run("delete", "ALL", "--yes"), EXIT_DONE);
    assert_string_equal(printed, "delete: 2 messages\n");
    assert_int_equal(place_of(4711), QUEUE_CORRUPT);
    assert_int_equal(run("delete", kept, "--yes"), EX_DATAERR);
}

/* What a cleanup had in its hands when the suite was stopped; here even under the id of a message. */
static void what_was_never_finished_is_no_message(void **state)
{
    (void)state;
    message_make(4711, QUEUE_DEFERRED);
    for (uint64_t id = 4711; id < 4713; id++)
        close(queue_tree_create(queue_fd, QUEUE_ACTIVE, id));
    assert_int_equal(run("hold", "ALL", NULL), EXIT_DONE);
    assert_string_equal(printed, "hold: 1 message\n");
    assert_int_equal(place_of(4711), QUEUE_HOLD);
    assert_int_equal(run("hold", queue_id_text(4712).text, NULL), EX_DATAERR);
    assert_int_equal(place_of(4712), QUEUE_INCOMING);
    assert_int_equal(run("delete", queue_id_text(4712).text, "--yes"), EX_DATAERR);
    assert_int_equal(run("release", "ALL", NULL), EXIT_DONE);
    assert_string_equal(printed, "release: 1 message\n");
}

static unsigned commits_of(long of)
{
    magic = of;
    commits = 0;
    assert_false(is_fault(queue_sync(&conf)));
    magic = EXT4_SUPER_MAGIC;
    return commits;
}

/* On btrfs the file system is committed as a whole, also by an ordinary user, who cannot read the queue's folder. */
static void a_change_is_durable_whoever_asked_for_it(void **state)
{
    uid_t self = geteuid();
    (void)state;
    conf.queue_directory = str_c(folder);
    assert_int_equal(commits_of(EXT4_SUPER_MAGIC), 0);
    assert_int_equal(commits_of(BTRFS_SUPER_MAGIC), 1);
    assert_int_equal(fchmod(queue_fd, 0), 0);
    assert_int_equal(self == 0 ? seteuid(65534) : 0, 0);
    unsigned plain = commits_of(EXT4_SUPER_MAGIC), whole = commits_of(BTRFS_SUPER_MAGIC);
    assert_int_equal(self == 0 ? seteuid(self) : 0, 0);
    assert_int_equal(fchmod(queue_fd, 0700), 0);
    assert_int_equal(plain, 0);
    assert_int_equal(whole, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(one_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(json_is_json, setup, teardown),
        cmocka_unit_test_setup_teardown(damage_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_while_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_never_finished_is_no_message, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_is_durable_whoever_asked_for_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
