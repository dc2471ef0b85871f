/* Two ends of a channel in one loop: frames and descriptors arrive, in order and batched; what a peer must not say drops it. */
#include "ipc/channel.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define WORD_FIELDS(X) X(u32, number) X(text, word)
IPC_MESSAGE(word, WORD_FIELDS)

enum { SAY = 1, GIVE = 2, KEEP = 3 };

typedef struct side {
    loop *loop;
    channel channel;
    size_t count, closed, fds, bytes;
    uint32_t last_ref, last_number;
    int kept;
    bool refuses, closes;
} side;

static side left, right;
static loop *l;
static timer stop;

static bool on_say(void *context, channel *c, received *r)
{
    side *s = context;
    word m;
    if (word_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    assert_true(m.number == s->last_number + 1 || s->last_number == UINT32_MAX || m.number == 0);
    s->count++;
    s->fds += r->fd_count;
    s->bytes += m.word.n;
    s->last_ref = r->ref;
    s->last_number = m.number;
    if (s->closes)
        channel_close(c);
    return !s->refuses;
}

static bool on_keep(void *context, channel *c, received *r)
{
    side *s = context;
    (void)c;
    s->kept = r->fds[0];
    r->fds[0] = -1;
    return true;
}

static void on_closed(void *context, channel *c)
{
    side *s = context;
    assert_false(channel_is_open(c));
    s->closed++;
}

static const talk_row rows[] = { { SAY, 0, 0, on_say }, { GIVE, 1, 4, on_say }, { KEEP, 1, 1, on_keep } };
static const talk words = { "words", rows, COUNT_OF(rows), on_closed };

static void on_stop(void *context)
{
    loop_stop(context);
}

static void rounds(void)
{
    for (int i = 0; i < 3; i++) {
        timer_set(&stop, 2);
        loop_run(l);
    }
}

static int setup(void **state)
{
    int pair[2];
    (void)state;
    l = loop_new();
    timer_open(&stop, l, on_stop, l);
    assert_true(channel_pair(pair));
    left = right = (side){ .loop = l, .kept = -1 };
    channel_open(&left.channel, l, pair[0], &words, &left);
    channel_open(&right.channel, l, pair[1], &words, &right);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    channel_close(&left.channel);
    channel_close(&right.channel);
    timer_close(&stop);
    loop_free(l);
    return 0;
}

static size_t open_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static bool say(uint16_t type, uint32_t number, str text, int fd)
{
    word m = { number, text };
    return fd < 0 ? channel_put(&left.channel, type, number, word, &m)
                  : channel_put_fds(&left.channel, type, number, word, &m, &fd, 1);
}

static void frames_arrive_in_order(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 1000; i++)
        assert_true(say(SAY, i, STR("hello"), -1));
    rounds();
    assert_int_equal(right.count, 1000);
    assert_int_equal(right.last_ref, 1000);
    assert_int_equal(right.closed, 0);
}

static void large_frames_and_the_limit(void **state)
{
    static char big[CHANNEL_FRAME_MAX + 1];
    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        assert_true(say(SAY, i, (str){ big, CHANNEL_FRAME_MAX - 8 }, -1));
    assert_false(say(SAY, 6, (str){ big, CHANNEL_FRAME_MAX - 7 }, -1));
    assert_true(say(SAY, 6, STR("small again"), -1));
    rounds();
    assert_int_equal(right.count, 6);
    assert_int_equal(right.closed, 0);
}

static void more_than_the_socket_takes_waits(void **state)
{
    static char big[40000];
    (void)state;
    for (uint32_t i = 1; i <= 300; i++)
        assert_true(say(SAY, i, (str){ big, sizeof big }, -1));
    for (int i = 0; i < 200 && right.count < 300; i++)
        rounds();
    assert_int_equal(right.count, 300);
    assert_int_equal(right.bytes, 300 * sizeof big);
}

static void descriptors_come_along_and_are_closed(void **state)
{
    size_t before = open_fds();
    (void)state;
    for (uint32_t i = 1; i <= 500; i++) {
        assert_true(say(GIVE, i, STR("fd"), open("/dev/null", O_RDONLY | O_CLOEXEC)));
        if (i % 100 == 0)
            rounds();
    }
    rounds();
    assert_int_equal(right.count, 500);
    assert_int_equal(right.fds, 500);
    assert_int_equal(open_fds(), before);
}

static void a_descriptor_that_is_taken_stays(void **state)
{
    int pipes[2];
    char c = 0;
    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_true(say(KEEP, 1, STR("x"), pipes[1]));
    rounds();
    assert_true(right.kept >= 0);
    assert_true(fcntl(right.kept, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(right.kept, "!", 1), 1);
    assert_int_equal(read(pipes[0], &c, 1), 1);
    close(right.kept);
    close(pipes[0]);
}

static void descriptors_are_closed_when_nothing_can_be_sent(void **state)
{
    size_t before = open_fds();
    (void)state;
    channel_close(&left.channel);
    assert_false(say(GIVE, 1, STR("x"), open("/dev/null", O_RDONLY | O_CLOEXEC)));
    assert_int_equal(open_fds(), before - 1);
    rounds();
    assert_int_equal(right.closed, 1);
}

static void what_waits_is_dropped_with_its_descriptors(void **state)
{
    size_t before = open_fds();
    (void)state;
    assert_true(say(GIVE, 1, STR("x"), open("/dev/null", O_RDONLY | O_CLOEXEC)));
    channel_close(&left.channel);
    assert_int_equal(open_fds(), before - 1);
}

static void a_handler_may_close_or_refuse(void **state)
{
    (void)state;
    right.closes = true;
    for (uint32_t i = 1; i <= 3; i++)
        say(SAY, i, STR("x"), -1);
    rounds();
    assert_int_equal(right.count, 1);
    assert_int_equal(right.closed, 0); /* it closed by itself */
    assert_int_equal(left.closed, 1);
}

static void a_wrong_frame_drops_the_peer(void **state)
{
    (void)state;
    right.refuses = true;
    say(SAY, 1, STR("x"), -1);
    say(SAY, 2, STR("x"), -1);
    rounds();
    assert_int_equal(right.count, 1);
    assert_int_equal(right.closed, 1);
    assert_int_equal(left.closed, 1);
    assert_false(say(SAY, 3, STR("x"), -1));
}

/* Whatever stands on the wire: a packet of these bytes, with so many descriptors. */
static void packet(const void *bytes, size_t n, size_t fd_count)
{
    char control[CMSG_SPACE(sizeof(int) * 8)] = { 0 };
    struct iovec v = { (void *)(uintptr_t)bytes, n };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd_count) {
        m.msg_control = control;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        *h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                               .cmsg_type = SCM_RIGHTS,
                               .cmsg_len = CMSG_LEN(sizeof(int) * fd_count) };
        for (size_t i = 0; i < fd_count; i++)
            memcpy(CMSG_DATA(h) + i * sizeof null, &null, sizeof null);
    }
    assert_true(sendmsg(left.channel.fd, &m, MSG_NOSIGNAL) >= 0);
    close(null);
}

typedef struct head {
    uint32_t bytes;
    uint16_t type, fd_count;
    uint32_t ref;
    unsigned char body[16];
} head;

static void garbage_drops_the_peer_and_leaks_nothing(void **state)
{
    static const struct {
        head head;
        size_t n, fds;
    } cases[] = {
        { { 8, SAY, 0, 1, { 0 } }, 11, 0 },
        { { 8, SAY, 0, 1, { 0 } }, 19, 0 },
        { { 9, SAY, 0, 1, { 0 } }, 20, 0 },
        { { 8, 99, 0, 1, { 0 } }, 20, 0 },
        { { 8, SAY, 1, 1, { 0 } }, 20, 0 },
        { { 8, SAY, 1, 1, { 0 } }, 20, 1 },
        { { 8, GIVE, 0, 1, { 0 } }, 20, 0 },
        { { 8, GIVE, 5, 1, { 0 } }, 20, 5 },
        { { 8, GIVE, 2, 1, { 0 } }, 20, 1 },
        { { 8, SAY, 0, 1, { 0 } }, 20, 1 },
        { { 8, GIVE, 1, 1, { 0 } }, 20, 3 },
        { { UINT32_MAX, SAY, 0, 1, { 0 } }, 20, 0 },
        { { 8, SAY, UINT16_MAX, 1, { 0 } }, 20, 0 },
        { { 0, SAY, 0, 1, { 0 } }, 12, 0 },
        { { 8, SAY, 0, 1, { 0, 0, 0, 0, 255 } }, 20, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t before = open_fds();
        packet(&cases[i].head, cases[i].n, cases[i].fds);
        rounds();
        if (right.closed != 1)
            fail_msg("case %zu was taken", i);
        assert_int_equal(open_fds(), before - 2); /* both ends are closed; nothing that came with it is left */
        teardown(state);
        setup(state);
    }
}

static void any_bytes_do_no_harm(void **state)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        unsigned char bytes[64];
        srandom(seed);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (unsigned char)(random() % (i % 4 ? 2 : 20));
        packet(bytes, seed % sizeof bytes + 1, seed % 3);
        right.last_number = UINT32_MAX;
        rounds();
        teardown(state);
        setup(state);
    }
}

static void the_end_of_the_peer_is_told_once(void **state)
{
    (void)state;
    channel_close(&left.channel);
    rounds();
    rounds();
    assert_int_equal(right.closed, 1);
    assert_int_equal(left.closed, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(frames_arrive_in_order),
        TEST(large_frames_and_the_limit),
        TEST(more_than_the_socket_takes_waits),
        TEST(descriptors_come_along_and_are_closed),
        TEST(a_descriptor_that_is_taken_stays),
        TEST(descriptors_are_closed_when_nothing_can_be_sent),
        TEST(what_waits_is_dropped_with_its_descriptors),
        TEST(a_handler_may_close_or_refuse),
        TEST(a_wrong_frame_drops_the_peer),
        TEST(garbage_drops_the_peer_and_leaks_nothing),
        TEST(any_bytes_do_no_harm),
        TEST(the_end_of_the_peer_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
