/* SOURCES: pipe/worker/actor.c pipe/worker/command.c pipe/worker/environment.c pipe/worker/file.c pipe/worker/letter.c pipe/worker/list.c pipe/worker/outcome.c pipe/worker/words.c  NEEDS: store worker */
/* Lists of :include:, and the copies that go to whom they name. */
#include "t/unit/pipe_worker/world.h"

#define MAIL "A: b\r\n\r\nmark\r\n"

static void list_put(const char *name, const char *text)
{
    text_put(w->worker.home_fd, name, text, 0644);
}

static void read_list(uint32_t ref, const char *name)
{
    ask(ref, ":include:/", name, MAIL);
    rounds();
}

/* What a list gives, in one line: members, '!' in front of the own mailbox; the reason when there is no copy. */
static const char *members_of(const char *text)
{
    static char line[400];
    size_t n = 0;
    list_put("list", text);
    pool.n = 0;
    read_list(1, "list");
    if (pool.told[0].type == DELIVER_RESULT)
        return pool.told[0].text;
    is_told(0, DELIVER_WANT, 1, 0, "");
    paper_put(1, FAULT_NONE);
    close(paper);
    line[0] = '\0';
    for (size_t i = 1; i < pool.n && pool.told[i].type == DELIVER_MEMBER; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s%s", n ? " " : "", pool.told[i].is_final ? "!" : "",
                              pool.told[i].text);
    assert_int_equal(pool.told[pool.n - 1].type, DELIVER_COPIED);
    assert_int_equal(pool.told[pool.n - 1].outcome, pool.n - 2); /* as many as were said */
    return line;
}

typedef struct row {
    const char *text, *members;
} row;

static void each_gives(const row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *got = members_of(rows[i].text);
        if (strcmp(got, rows[i].members) != 0)
            fail_msg("%s gives %s", rows[i].text, got);
    }
    assert_int_equal(w->worker.busy, 0);
}

static void each_form_gives_its_members(void **state)
{
    static const row rows[] = {
        { "ann@x.example\nben\n", "ann@x.example ben" },
        { "# nobody\nann, ben@y.example, ann", "ann ben@y.example" },
        { "\\jo, \\JO, ann", "!jo ann" },
        { "\\ann", "ann" },
        { "no address, ann", "ann" },
        { "|/bin/cat, /tmp/file, ann", "ann" }, /* not allowed in a list */
        { "", "the list names nobody" },
        { "# only a comment\n", "the list names nobody" },
        { "|/bin/cat", "the list names nobody" },
    };
    (void)state;
    each_gives(rows, COUNT_OF(rows));
}

static void commands_and_files_where_they_are_allowed(void **state)
{
    static const row commands[] = { { "|/bin/cat, /tmp/file, ann", "|/bin/cat ann" } };
    static const row files[] = { { "|/bin/cat, /tmp/file, ann", "/tmp/file ann" } };
    (void)state;
    rules_put((program_rules){ .flags = PROGRAM_LISTS_COMMANDS });
    each_gives(commands, COUNT_OF(commands));
    rules_put((program_rules){ .flags = PROGRAM_LISTS_FILES });
    each_gives(files, COUNT_OF(files));
}

static void lists_name_lists_and_each_is_read_once(void **state)
{
    char text[300];
    (void)state;
    snprintf(text, sizeof text, ":include:%s/list\n:include:%s/second\nann\n", w->folder, w->folder);
    list_put("second", text);
    assert_string_equal(members_of(text), "ann");
    list_put("second", "ben\nann\n");
    assert_string_equal(members_of(text), "ann ben");
}

static void is_for_later(const char *name, const char *why)
{
    pool.n = 0;
    read_list(1, name);
    assert_int_equal(pool.n, 1);
    if (pool.told[0].outcome != FAULT_TRY_LATER || strstr(pool.told[0].text, why) == NULL)
        fail_msg("%s: %s", name, pool.told[0].text);
    assert_int_equal(w->worker.busy, 0);
}

static void an_unsafe_list_is_not_used(void **state)
{
    int home = w->worker.home_fd;
    (void)state;
    text_put(home, "open", "ann\n", 0646);
    is_for_later("open", "everybody may write to it");
    assert_int_equal(mkfifoat(home, "fifo", 0600), 0);
    is_for_later("fifo", "it is no plain file");
    is_for_later(".", "it is no plain file");
    is_for_later("nowhere", "No such file");
    list_put("large", "ann\n");
    int fd = openat(home, "large", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 4 * 1024 * 1024 + 1), 0);
    close(fd);
    is_for_later("large", "it is too large");
}

static void too_many_members_wait(void **state)
{
    static char text[90000];
    size_t n = 0;
    (void)state;
    for (int i = 0; i <= 10000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "u%d\n", i);
    list_put("list", text);
    is_for_later("list", "the list names more than 10000 recipients");
}

static void too_many_lists_wait(void **state)
{
    char name[20], text[100];
    (void)state;
    for (int i = 0; i <= 100; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(text, sizeof text, ":include:%s/l%d\nann\n", w->folder, i + 1);
        list_put(name, text);
    }
    is_for_later("l0", "more than 100 lists name each other");
}

static void the_copy_has_a_mark_of_where_it_was(void **state)
{
    char bytes[200] = "";
    (void)state;
    list_put("list", "ann\n");
    read_list(1, "list");
    assert_int_equal(w->worker.busy, 1);
    paper_put(1, FAULT_NONE);
    assert_true(pread(paper, bytes, sizeof bytes - 1, 0) > 0);
    assert_string_equal(bytes, "Delivered-To: jo@x.example\r\n" MAIL);
    close(paper);
    assert_int_equal(w->worker.busy, 0);
}

static void what_loops_or_is_damaged_is_not_copied(void **state)
{
    char member[80];
    (void)state;
    list_put("list", "ann\n");
    ask(1, ":include:/", "list", "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    snprintf(member, sizeof member, ":include:%s/list", w->folder);
    damaged_request(2, (deliver_request){ .member = str_c(member) }, MAIL);
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_REFUSED, "mail forwarding loop for jo@x.example");
    assert_int_equal(pool.told[1].type, DELIVER_RESULT);
    assert_int_equal(pool.told[1].outcome, FAULT_BROKEN);
}

/* A paper that takes nothing, as on a full disk. */
static void a_copy_that_cannot_be_written_is_for_later(void **state)
{
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    deliver_result m = { .outcome = FAULT_NONE };
    (void)state;
    list_put("list", "ann\n");
    read_list(1, "list");
    channel_put_fds(&pool.channel, DELIVER_PAPER, 1, deliver_result, &m, &full, 1);
    rounds();
    assert_int_equal(pool.n, 2);
    assert_int_equal(pool.told[1].type, DELIVER_RESULT);
    assert_int_equal(pool.told[1].outcome, FAULT_TRY_LATER);
    assert_int_equal(w->worker.busy, 0);
}

static void without_a_paper_the_reason_is_the_result(void **state)
{
    (void)state;
    list_put("list", "ann\n");
    for (uint32_t i = 1; i <= 2; i++)
        read_list(i, "list");
    paper_put(2, FAULT_REFUSED);
    is_told(2, DELIVER_RESULT, 2, FAULT_REFUSED, "the test says so");
    paper_put(1, FAULT_TRY_LATER);
    is_told(3, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the test says so");
    assert_int_equal(w->worker.busy, 0);
    paper_put(1, FAULT_TRY_LATER); /* for nobody any more */
    assert_false(channel_is_open(&w->worker.pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_form_gives_its_members),
        TEST(commands_and_files_where_they_are_allowed),
        TEST(lists_name_lists_and_each_is_read_once),
        TEST(an_unsafe_list_is_not_used),
        TEST(too_many_members_wait),
        TEST(too_many_lists_wait),
        TEST(the_copy_has_a_mark_of_where_it_was),
        TEST(what_loops_or_is_damaged_is_not_copied),
        TEST(a_copy_that_cannot_be_written_is_for_later),
        TEST(without_a_paper_the_reason_is_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
