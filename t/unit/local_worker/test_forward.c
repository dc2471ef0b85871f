/* SOURCES: local/worker/forward.c local/worker/letters.c local/worker/maildir.c local/worker/spool.c  NEEDS: store worker */
#include "world.h"

static int setup(void **state)
{
    (void)state;
    world_open(false);
    return 0;
}

/* What a .forward gives, in one line: members, '!' in front of the own mailbox; "mailbox" when there is no copy. */
static const char *members_of(const char *forward)
{
    static char line[400];
    size_t n = 0;
    home_put(".forward", forward, 0600);
    pool.n = 0;
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    if (pool.told[0].type == DELIVER_RESULT)
        return "mailbox";
    paper_put(1, FAULT_NONE);
    close(paper);
    line[0] = '\0';
    for (size_t i = 1; i < pool.n && pool.told[i].type == DELIVER_MEMBER; i++)
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s%s", n ? " " : "", pool.told[i].is_final ? "!" : "", pool.told[i].text);
    assert_int_equal(pool.told[pool.n - 1].type, DELIVER_COPIED);
    assert_int_equal(pool.told[pool.n - 1].outcome, pool.n - 2); /* as many as were said */
    return line;
}

static const struct row {
    const char *forward, *members;
} rows[] = {
    { "", "mailbox" },
    { "# only a comment\n", "mailbox" },
    { "\\jo", "mailbox" },
    { "\\jo, \\JO@x.example, \\jo", "mailbox" },
    { "ann", "ann" },
    { "ann, ben@y.example, ann", "ann ben@y.example" },
    { "\\jo, ann", "!jo ann" },
    { "\\ann", "ann" },
    { "\\jo@elsewhere.example", "jo@elsewhere.example" },
    { "jo, ann", "jo ann" },
    { "|/bin/cat x, ann", "|/bin/cat x ann" },
    { "\"|/bin/cat x, y\"", "|/bin/cat x, y" },
    { "/tmp/file, ann", "!jo ann" }, /* not allowed here */
    { "/tmp/file", "mailbox" },
    { ":include:/a/list", ":include:/a/list" },
    { "no address, ann", "!jo ann" },
};

static void each_form_gives_its_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *got = members_of(rows[i].forward);
        if (strcmp(got, rows[i].members) != 0)
            fail_msg("%s gives %s", rows[i].forward, got);
    }
    assert_int_equal(w->worker.busy, 0);
}

static void a_user_without_an_account_names_no_commands(void **state)
{
    (void)state;
    fd_close(&w->worker.mail_fd);
    w->worker.mail_fd = w->worker.home_fd;
    w->worker.home_fd = -1;
    int folder = w->worker.mail_fd;
    w->worker.home_fd = folder; /* for text_put */
    home_put(".forward", ":include:/a/list, ann", 0600);
    w->worker.home_fd = -1;
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    paper_put(1, FAULT_NONE);
    close(paper);
    assert_true(pool.told[1].is_final);
    is_told(2, DELIVER_MEMBER, 1, 0, "ann");
}

static void the_copy_has_a_mark_of_where_it_was(void **state)
{
    char bytes[200] = "";
    (void)state;
    home_put(".forward", "ann", 0600);
    request(1, (deliver_request){ .original = STR("info@x.example") }, "A: b\r\n\r\nmark\r\n");
    rounds();
    paper_put(1, FAULT_NONE);
    assert_true(pread(paper, bytes, sizeof bytes - 1, 0) > 0);
    assert_string_equal(bytes, "Delivered-To: jo@x.example\r\nA: b\r\n\r\nmark\r\n");
    close(paper);
}

static void a_message_that_loops_is_not_copied(void **state)
{
    (void)state;
    home_put(".forward", "ann", 0600);
    request(1, (deliver_request){ 0 }, "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    rounds();
    paper_put(1, FAULT_NONE);
    close(paper);
    is_told(1, DELIVER_RESULT, 1, FAULT_REFUSED, "mail forwarding loop for jo@x.example");
}

static void without_a_paper_the_reason_is_the_result(void **state)
{
    (void)state;
    home_put(".forward", "ann", 0600);
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    paper_put(1, FAULT_TRY_LATER);
    is_told(1, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the test says so");
    assert_int_equal(w->worker.busy, 0);
    paper_put(7, FAULT_TRY_LATER); /* for nobody */
    assert_false(channel_is_open(&w->worker.pool));
}

static void who_was_asked_before_is_not_asked_again(void **state)
{
    (void)state;
    home_put(".forward", "ann", 0600);
    request(1, (deliver_request){ .is_final = true }, "\r\nmark\r\n");
    request(2, (deliver_request){ .forwarders = STR("ann jo") }, "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_NONE, "delivered to maildir");
    is_told(1, DELIVER_RESULT, 2, FAULT_NONE, "delivered to maildir");
}

static void an_extension_has_a_file_of_its_own(void **state)
{
    (void)state;
    home_put(".forward", "ann", 0600);
    home_put(".forward+lists", "ben", 0600);
    request(1, (deliver_request){ .extension = STR("+Lists") }, "\r\nmark\r\n");
    request(2, (deliver_request){ .extension = STR("+more") }, "\r\nmark\r\n");
    request(3, (deliver_request){ .extension = STR("+/../.forward") }, "\r\nmark\r\n");
    rounds();
    for (uint32_t i = 1; i <= 3; i++) {
        pool.n = 0;
        paper_put(i, FAULT_NONE);
        close(paper);
        is_told(0, DELIVER_MEMBER, i, 0, i == 1 ? "ben" : "ann");
    }
}

static void an_unsafe_one_is_not_heeded(void **state)
{
    static const mode_t modes[] = { 0620, 0602, 0666 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        home_put(".forward", "ann", modes[i]);
        request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
        rounds();
        is_told(i, DELIVER_RESULT, 1, FAULT_NONE, "delivered to maildir");
    }
    home_put(".forward", "ann", 0644);
    chmod(w->folder, 0720);
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    is_told(3, DELIVER_RESULT, 1, FAULT_NONE, "delivered to maildir");
}

static void too_many_members_wait(void **state)
{
    static char text[20000];
    (void)state;
    size_t n = 0;
    for (int i = 0; i < 1001; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "u%d\n", i);
    home_put(".forward", text, 0600);
    request(1, (deliver_request){ 0 }, "\r\nmark\r\n");
    rounds();
    is_told(0, DELIVER_RESULT, 1, FAULT_TRY_LATER, "the .forward names too many recipients");
}

static void mailbox_command_takes_what_is_not_forwarded(void **state)
{
    (void)state;
    rules_put(&(deliver_rules){ .flags = DELIVER_HAS_COMMAND });
    assert_string_equal(members_of(""), "|");
    assert_string_equal(members_of("ann"), "ann");
    assert_string_equal(members_of("\\jo"), "|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_form_gives_its_members),
        TEST(a_user_without_an_account_names_no_commands),
        TEST(the_copy_has_a_mark_of_where_it_was),
        TEST(a_message_that_loops_is_not_copied),
        TEST(without_a_paper_the_reason_is_the_result),
        TEST(who_was_asked_before_is_not_asked_again),
        TEST(an_extension_has_a_file_of_its_own),
        TEST(an_unsafe_one_is_not_heeded),
        TEST(too_many_members_wait),
        TEST(mailbox_command_takes_what_is_not_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
