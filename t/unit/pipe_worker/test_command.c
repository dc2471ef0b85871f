/* SOURCES: pipe/worker/actor.c pipe/worker/command.c pipe/worker/environment.c pipe/worker/file.c pipe/worker/letter.c pipe/worker/list.c pipe/worker/outcome.c pipe/worker/words.c  NEEDS: store worker */
/* Commands of the host's shell, with the message as input. */
#include "base/num.h"
#include "t/unit/pipe_worker/world.h"
#include <signal.h>

enum { BIG = 1000 * 1000 };

#define MAIL "A: b\r\n\r\nmark\r\n"

static void run(uint32_t ref, const char *command, const char *text)
{
    ask(ref, "|", command, text);
    rounds();
}

static void ends(const char *command, fault_kind outcome, const char *reason)
{
    pool.n = 0;
    run(7, command, MAIL);
    until_told(1);
    is_told(0, DELIVER_RESULT, 7, outcome, reason);
    assert_int_equal(w->worker.busy, 0);
    assert_null(w->a.runs);
}

static uint64_t number_in(const char *name)
{
    uint64_t n = 0;
    assert_true(num_parse(str_trim(str_c(text_of(name))), 0, UINT64_MAX, &n));
    return n;
}

static void it_reads_the_message_at_home(void **state)
{
    (void)state;
    ends("cat >got", FAULT_NONE, "delivered to command: cat >got");
    assert_int_equal(strncmp(text_of("got"), "From from@y.example  ", 21), 0);
    has("got", "\nReturn-Path: <from@y.example>\nDelivered-To: jo@x.example\nA: b\n\nmark\n");
}

static void nothing_of_ours_is_in_its_environment(void **state)
{
    (void)state;
    setenv("OF_THE_SUITE", "secret", 1);
    ends("env >got", FAULT_NONE, "delivered to command: env >got");
    unsetenv("OF_THE_SUITE");
    has("got", "LOGNAME=jo\n");
    has("got", "RECIPIENT=jo@x.example\n");
    assert_null(strstr(text_of("got"), "secret"));
}

/* What is inherited besides 0, 1 and 2 could be the queue file, or the channel to pipe. */
static void it_has_three_descriptors(void **state)
{
    (void)state;
    ends("for n in 3 4 5 6 7 8 9; do test ! -e /proc/self/fd/$n || exit 70; done", FAULT_NONE,
         "delivered to command: for n in 3 4 5 6 7 8 9; do test ! -e /proc/self/fd/$n || exit 70; done");
}

static void its_status_is_the_result(void **state)
{
    static const struct {
        const char *command;
        fault_kind outcome;
        const char *reason;
    } rows[] = {
        { "exit 75", FAULT_TRY_LATER, "temporary failure" },
        { "exit 67", FAULT_REFUSED, "user unknown" },
        { "exit 1", FAULT_REFUSED, "Command died with status 1: \"exit 1\"" },
        { "echo no; echo never >&2; exit 67", FAULT_REFUSED, "user unknown. Command output: no never" },
        { "echo 4.2.2 full; exit 67", FAULT_TRY_LATER, "full" },
        { "kill -9 $$", FAULT_TRY_LATER, "Command died with signal 9: \"kill -9 $$\"" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ends(rows[i].command, rows[i].outcome, rows[i].reason);
}

static const char *big(void)
{
    static char text[BIG + 1];
    memset(text, 'x', BIG);
    for (size_t i = 70; i < BIG; i += 72)
        text[i] = '\r', text[i + 1] = '\n';
    return text;
}

static void a_large_one_comes_whole(void **state)
{
    (void)state;
    run(1, "sed 1,/^Delivered-To/d | tr -d '\\n' | wc -c >got", big());
    until_told(1);
    is_told(0, DELIVER_RESULT, 1, FAULT_NONE,
            "delivered to command: sed 1,/^Delivered-To/d | tr -d '\\n' | wc -c >got");
    assert_int_equal(number_in("got"), BIG - 2 * (BIG / 72));
}

static void it_need_not_read_all(void **state)
{
    (void)state;
    run(1, "head -c 10 >got", big());
    run(2, "exit 0", big());
    until_told(2);
    assert_int_equal(pool.told[0].outcome + pool.told[1].outcome, 2 * FAULT_NONE);
    assert_int_equal(strlen(text_of("got")), 10);
}

/* It may write as much as it likes; what is kept is limited. */
static void output_without_end_is_read_and_forgotten(void **state)
{
    (void)state;
    ends("head -c 1000000 /dev/zero | tr '\\0' y; exit 67", FAULT_REFUSED,
         "user unknown. Command output: "
         "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
}

static void several_run_at_a_time(void **state)
{
    (void)state;
    assert_int_equal(mkfifoat(w->worker.home_fd, "gate", 0600), 0);
    run(1, "cat gate >got", MAIL);
    run(2, "echo open >gate", MAIL);
    until_told(2);
    assert_string_equal(text_of("got"), "open\n");
}

static void what_it_leaves_running_is_not_waited_for(void **state)
{
    (void)state;
    ends("sleep 1000 & echo $! >pid", FAULT_NONE, "delivered to command: sleep 1000 & echo $! >pid");
    pid_t left = (pid_t)number_in("pid");
    assert_true(left > 1);
    assert_int_equal(kill(left, SIGKILL), 0);
}

/* Of the command and of all that it started. */
static void its_time_is_limited(void **state)
{
    char byte;
    (void)state;
    assert_int_equal(mkfifoat(w->worker.home_fd, "gate", 0600), 0);
    int gate = openat(w->worker.home_fd, "gate", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    rules_put((program_rules){ .time_limit_s = 1 });
    ends("exec >gate; echo; sleep 1000 | cat", FAULT_TRY_LATER,
         "Command time limit exceeded: \"exec >gate; echo; sleep 1000 | cat\"");
    assert_int_equal(read(gate, &byte, 1), 1);
    for (int i = 0; i < ROUNDS_MAX && read(gate, &byte, 1) != 0; i++)
        rounds();
    assert_int_equal(read(gate, &byte, 1), 0); /* nobody has it open for writing any more */
    close(gate);
}

static void all_end_when_pipe_is_gone(void **state)
{
    (void)state;
    run(1, "echo >one; exec sleep 1000", MAIL);
    run(2, "echo >two; exec sleep 1000", MAIL);
    for (int i = 0; i < ROUNDS_MAX && !(is_there("one") && is_there("two")); i++)
        rounds();
    assert_int_equal(pool.n, 0);
    commands_kill(&w->a);
    until_told(2);
    assert_int_equal(w->worker.busy, 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pool.told[i].outcome, FAULT_TRY_LATER);
}

static void what_cannot_be_started_is_for_later(void **state)
{
    (void)state;
    pool.n = 0;
    run(1, "/nowhere/command", MAIL);
    until_told(1);
    assert_int_equal(pool.told[0].outcome, FAULT_TRY_LATER);
    assert_null(w->a.runs);
}

static void a_damaged_one_is_given_to_nobody(void **state)
{
    (void)state;
    damaged_request(1, (deliver_request){ .member = STR("|cat >got") }, MAIL);
    until_told(1);
    assert_int_equal(pool.told[0].outcome, FAULT_BROKEN);
    assert_false(is_there("got"));
    ask(2, "|", "cat >got", "Delivered-To: jo@x.example\r\n\r\nmark\r\n");
    until_told(2);
    is_told(1, DELIVER_RESULT, 2, FAULT_REFUSED, "mail forwarding loop for jo@x.example");
    assert_false(is_there("got"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_reads_the_message_at_home),
        TEST(nothing_of_ours_is_in_its_environment),
        TEST(it_has_three_descriptors),
        TEST(its_status_is_the_result),
        TEST(a_large_one_comes_whole),
        TEST(it_need_not_read_all),
        TEST(output_without_end_is_read_and_forgotten),
        TEST(several_run_at_a_time),
        TEST(what_it_leaves_running_is_not_waited_for),
        TEST(its_time_is_limited),
        TEST(all_end_when_pipe_is_gone),
        TEST(what_cannot_be_started_is_for_later),
        TEST(a_damaged_one_is_given_to_nobody),
    };
    signal(SIGPIPE, SIG_IGN); /* as lib/worker has it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
