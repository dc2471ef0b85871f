/* The desk where admins ask: who may ask for what, how many may come, and that nothing is left of those who went. */
#include "daemon/admin.h"
#include "ipc/talk/admin.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct asker {
    channel channel;
    unsigned rows, ends, fds, closed;
    uint32_t outcome, count;
    char last[80];
} asker;

static loop *l;
static timer stop;
static admin_desk desk;
static unsigned gone;
static asker one, many[ADMIN_CLIENTS_MAX + 1];

static void on_secret(admin_client *c, str argument)
{
    admin_row_put(c, argument);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    admin_row_put_fds(c, STR("with a file"), &fd, 1);
    admin_end_put(c, NO_FAULT, 2);
}

static void on_open_to_all(admin_client *c, str argument)
{
    (void)argument;
    admin_more_put(c, 7);
}

static const admin_verb verbs[] = { { "secret", false, on_secret }, { "open", true, on_open_to_all } };

static bool on_row(void *context, channel *c, received *r)
{
    asker *a = context;
    admin_row m;
    (void)c;
    assert_int_equal(admin_row_decode(r->bytes, &m), PARSE_DONE);
    snprintf(a->last, sizeof a->last, "%.*s", STR_ARG(m.row));
    a->rows++;
    a->fds += (unsigned)r->fd_count;
    return true;
}

static bool on_end(void *context, channel *c, received *r)
{
    asker *a = context;
    admin_end m;
    (void)c;
    assert_int_equal(admin_end_decode(r->bytes, &m), PARSE_DONE);
    a->outcome = m.outcome;
    a->count = m.count;
    snprintf(a->last, sizeof a->last, "%.*s", STR_ARG(m.reason));
    a->ends++;
    return true;
}

static void on_closed(void *context, channel *c)
{
    (void)c;
    ((asker *)context)->closed++;
}

static const talk_row rows[] = { { ADMIN_ROW, 0, 1, on_row }, { ADMIN_END, 0, 0, on_end } };
static const talk asking = { "asking", rows, COUNT_OF(rows), on_closed };

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 4; i++) {
        timer_set(&stop, 1);
        loop_run(l);
    }
}

static void on_gone(admin_client *c)
{
    (void)c;
    gone++;
}

static void come(asker *a, uid_t uid)
{
    int pair[2];
    assert_true(channel_pair(pair));
    *a = (asker){ .ends = 0 };
    channel_open(&a->channel, l, pair[0], &asking, a);
    admin_admit(&desk, pair[1], uid);
}

static void ask(asker *a, const char *verb)
{
    admin_ask m = { .verb = str_c(verb), .argument = STR("argument") };
    channel_put(&a->channel, ADMIN_ASK, 0, admin_ask, &m);
    rounds();
}

static int setup(void **state)
{
    (void)state;
    l = loop_new();
    timer_open(&stop, l, on_stop, l);
    desk = (admin_desk){ .loop = l, .name = "desk", .verbs = verbs, .verb_count = COUNT_OF(verbs), .on_gone = on_gone };
    admin_open(&desk);
    gone = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&one.channel);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        channel_close(&many[i].channel);
    rounds();
    assert_null(desk.clients);
    timer_close(&stop);
    loop_free(l);
    return 0;
}

static void root_and_we_may_ask_everything(void **state)
{
    const uid_t who[] = { 0, geteuid() };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(who); i++) {
        come(&one, who[i]);
        ask(&one, "secret");
        assert_int_equal(one.rows, 2);
        assert_int_equal(one.fds, 1);
        assert_int_equal(one.ends, 1);
        assert_int_equal(one.outcome, FAULT_NONE);
        assert_int_equal(one.count, 2);
        channel_close(&one.channel);
        rounds();
        assert_int_equal(gone, i + 1);
    }
}

static void others_may_ask_what_is_open(void **state)
{
    (void)state;
    come(&one, geteuid() + 1);
    ask(&one, "secret");
    assert_int_equal(one.rows, 0);
    assert_int_equal(one.outcome, FAULT_REFUSED);
    ask(&one, "open");
    assert_int_equal(one.outcome, FAULT_NONE);
    assert_int_equal(one.count, 7);
    assert_string_equal(one.last, "more");
}

static void what_is_no_verb(void **state)
{
    (void)state;
    come(&one, 0);
    ask(&one, "nothing");
    assert_int_equal(one.outcome, FAULT_REFUSED);
    assert_non_null(strstr(one.last, "nothing"));
    assert_int_equal(one.closed, 0);
}

static void garbage_drops_that_client_alone(void **state)
{
    admin_end m = { 0 };
    (void)state;
    come(&one, 0);
    come(&many[0], 0);
    channel_put(&one.channel, ADMIN_END, 0, admin_end, &m);
    rounds();
    assert_int_equal(one.closed, 1);
    assert_int_equal(gone, 1);
    ask(&many[0], "open");
    assert_int_equal(many[0].ends, 1);
}

static void a_stranger_comes_so_often_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(many); i++)
        come(&many[i], geteuid() + 1);
    come(&one, geteuid() + 2);
    rounds();
    for (size_t i = 0; i < COUNT_OF(many); i++)
        assert_int_equal(many[i].closed, i >= ADMIN_CLIENTS_MAX);
    assert_int_equal(one.closed, 0);
    channel_close(&many[0].channel);
    rounds();
    come(&many[0], geteuid() + 1);
    ask(&many[0], "open");
    assert_int_equal(many[0].ends, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(root_and_we_may_ask_everything),  TEST(others_may_ask_what_is_open),           TEST(what_is_no_verb),
        TEST(garbage_drops_that_client_alone), TEST(a_stranger_comes_so_often_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
