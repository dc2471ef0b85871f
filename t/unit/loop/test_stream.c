/* Bytes in and out of a socketpair: whole, in pieces, past the limits, through a transport, and at the end. */
#include "loop/stream.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct fixture {
    loop *loop;
    stream stream;
    int other;
    buf got;
    size_t take;      /* of each call; 0: everything */
    unsigned calls, drained, idle, ended, done;
    bool pauses, discards, takes_nothing;
    timer stop;
} fixture;

static size_t on_input(void *context, str bytes)
{
    fixture *f = context;
    size_t n = f->takes_nothing ? 0 : f->take && f->take < bytes.n ? f->take : bytes.n;
    f->calls++;
    buf_append(&f->got, str_upto(bytes, n));
    if (f->pauses)
        stream_pause(&f->stream);
    if (f->discards)
        stream_discard_input(&f->stream);
    return n;
}

static void on_drained(void *context)
{
    ((fixture *)context)->drained++;
}

static void on_idle(void *context)
{
    fixture *f = context;
    f->idle++;
    stream_finish(&f->stream);
}

static void on_end(void *context)
{
    fixture *f = context;
    f->ended++;
}

static void on_peer_done(void *context)
{
    ((fixture *)context)->done++;
}

static const stream_handler handler = { on_input, on_drained, on_idle, on_end, NULL };
static const stream_handler half_closed = { on_input, on_drained, on_idle, on_end, on_peer_done };

static void on_stop(void *context)
{
    loop_stop(((fixture *)context)->loop);
}

/* Runs what is ready now. */
static void rounds(fixture *f)
{
    for (int i = 0; i < 5; i++) {
        timer_set(&f->stop, 1);
        loop_run(f->loop);
    }
}

static void open_with(fixture *f, const stream_handler *h, size_t in_max, size_t out_max)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    f->other = pair[1];
    stream_open(&f->stream, f->loop, pair[0], in_max, out_max, h, f);
}

static int setup(void **state)
{
    static fixture f;
    f = (fixture){ .loop = loop_new(), .other = -1, .got = buf_new(4 << 20) };
    timer_open(&f.stop, f.loop, on_stop, &f);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    if (!f->stream.is_ended) {
        stream_abort(&f->stream);
        rounds(f);
    }
    assert_int_equal(f->ended, 1);
    if (f->other >= 0)
        close(f->other);
    buf_free(&f->got);
    loop_free(f->loop);
    return 0;
}

static void send_text(fixture *f, const char *text)
{
    assert_int_equal(write(f->other, text, strlen(text)), (ssize_t)strlen(text));
}

static void assert_got(fixture *f, const char *text)
{
    assert_string_equal(buf_c(&f->got), text);
}

static void what_is_not_taken_comes_again_with_more(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    f->take = 2;
    send_text(f, "abc");
    rounds(f);
    assert_got(f, "ab");
    f->take = 0;
    send_text(f, "d");
    rounds(f);
    assert_got(f, "abcd");
    assert_null(f->stream.in.p); /* an idle stream holds no buffers */
}

static void a_paused_stream_goes_on_with_what_was_left(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    f->take = 1;
    f->pauses = true;
    send_text(f, "abc");
    rounds(f);
    send_text(f, "d");
    rounds(f);
    assert_got(f, "a");
    f->pauses = false;
    f->take = 0;
    stream_resume(&f->stream);
    rounds(f);
    assert_got(f, "abcd");
}

static void an_end_during_a_pause_waits_for_the_owner(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    f->take = 1;
    f->pauses = true;
    send_text(f, "ab");
    rounds(f);
    close(f->other);
    f->other = -1;
    rounds(f);
    assert_int_equal(f->ended, 0);
    f->pauses = false;
    f->take = 0;
    stream_resume(&f->stream);
    rounds(f);
    assert_got(f, "ab");
    assert_int_equal(f->ended, 1);
}

static void discarding_forgets_the_rest_of_the_call(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    f->take = 1;
    f->discards = true;
    send_text(f, "abc");
    rounds(f);
    f->discards = false;
    f->take = 0;
    send_text(f, "d");
    rounds(f);
    assert_got(f, "ad");
}

static void input_over_its_limit_ends_the_stream(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 4, 100);
    f->takes_nothing = true;
    send_text(f, "abcd");
    rounds(f);
    assert_int_equal(f->ended, 0);
    send_text(f, "e");
    rounds(f);
    assert_int_equal(f->ended, 1);
}

static void output_over_its_limit_ends_the_stream(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 8);
    stream_write(&f->stream, STR("12345678"));
    assert_int_equal(stream_unsent(&f->stream), 8);
    stream_write(&f->stream, STR("9"));
    rounds(f);
    assert_int_equal(f->ended, 1);
}

static void finish_sends_what_is_left(void **state)
{
    fixture *f = *state;
    char text[16] = "";
    open_with(f, &handler, 100, 100);
    stream_printf(&f->stream, "%s", "bye");
    stream_finish(&f->stream);
    stream_write(&f->stream, STR("too late"));
    rounds(f);
    assert_int_equal(read(f->other, text, sizeof text), 3);
    assert_string_equal(text, "bye");
    assert_int_equal(read(f->other, text, sizeof text), 0);
    assert_int_equal(f->ended, 1);
}

static size_t drain(fixture *f)
{
    static char bytes[65536];
    size_t total = 0;
    for (ssize_t n; (n = read(f->other, bytes, sizeof bytes)) > 0;)
        total += (size_t)n;
    return total;
}

static void output_waits_for_a_slow_reader(void **state)
{
    fixture *f = *state;
    static char bytes[2 << 20];
    size_t total = 0;
    open_with(f, &handler, 100, sizeof bytes);
    stream_write(&f->stream, (str){ bytes, sizeof bytes });
    rounds(f);
    assert_true(stream_unsent(&f->stream) > 0);
    assert_int_equal(f->drained, 0);
    while (total < sizeof bytes) {
        total += drain(f);
        rounds(f);
    }
    assert_int_equal(f->drained, 1);
    assert_null(f->stream.out.p);
}

static void the_peers_end_finishes_or_is_told(void **state)
{
    fixture *f = *state;
    char text[4] = "";
    open_with(f, &half_closed, 100, 100);
    send_text(f, "abc");
    shutdown(f->other, SHUT_WR);
    rounds(f);
    assert_got(f, "abc");
    assert_int_equal(f->done, 1);
    assert_int_equal(f->ended, 0);
    stream_write(&f->stream, STR("re")); /* output still goes */
    rounds(f);
    assert_int_equal(read(f->other, text, sizeof text), 2);
    stream_finish(&f->stream);
    rounds(f);
    assert_int_equal(f->ended, 1);
}

static void without_a_handler_the_peers_end_is_the_end(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    shutdown(f->other, SHUT_WR);
    rounds(f);
    assert_int_equal(f->ended, 1);
}

static void silence_is_told(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    stream_set_idle(&f->stream, 1);
    loop_run(f->loop); /* ends when nothing is left to wait for */
    assert_int_equal(f->idle, 1);
    assert_int_equal(f->ended, 1);
}

static void detach_gives_the_descriptor_and_the_rest(void **state)
{
    fixture *f = *state;
    buf left = buf_new(100);
    open_with(f, &handler, 100, 100);
    f->take = 1;
    f->pauses = true;
    send_text(f, "abc");
    rounds(f);
    int fd = stream_detach(&f->stream, &left);
    rounds(f);
    assert_int_equal(f->ended, 1);
    assert_string_equal(buf_c(&left), "bc");
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    buf_free(&left);
}

/* A transport that has everything at once and gives a byte at a time: only `pending` tells that there is more. */
typedef struct slow {
    int fd;
    buf held;
} slow;

static ssize_t slow_read(void *context, void *bytes, size_t n, unsigned *wants)
{
    slow *t = context;
    char more[64];
    ssize_t got = read(t->fd, more, sizeof more);
    (void)wants, (void)n;
    if (got > 0)
        buf_append(&t->held, (str){ more, (size_t)got });
    if (t->held.n == 0) {
        errno = got == 0 ? 0 : EAGAIN;
        return got == 0 ? 0 : -1;
    }
    memcpy(bytes, t->held.p, 1);
    buf_consume(&t->held, 1);
    return 1;
}

static ssize_t slow_write(void *context, const void *bytes, size_t n, unsigned *wants)
{
    slow *t = context;
    (void)wants;
    return write(t->fd, bytes, n);
}

static void slow_close(void *context)
{
    slow *t = context;
    buf_free(&t->held);
    t->fd = -1;
}

static bool slow_pending(void *context)
{
    return ((slow *)context)->held.n > 0;
}

static void what_a_transport_holds_is_not_forgotten(void **state)
{
    static const transport held = { slow_read, slow_write, slow_close, slow_pending };
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    slow t = { .fd = f->stream.fd, .held = buf_new(100) };
    stream_set_transport(&f->stream, &held, &t);
    send_text(f, "abcdef");
    rounds(f);
    assert_got(f, "abcdef");
    f->pauses = true;
    send_text(f, "ghi");
    rounds(f);
    assert_got(f, "abcdefg");
    f->pauses = false;
    stream_resume(&f->stream);
    rounds(f);
    assert_got(f, "abcdefghi");
    stream_abort(&f->stream);
    assert_int_equal(t.fd, -1);
    rounds(f);
}

static void an_ended_stream_sets_no_timer(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    stream_abort(&f->stream);
    stream_set_idle(&f->stream, 3600);
    rounds(f);
    assert_int_equal(f->ended, 1);
    timer_stop(&f->stop);
    loop_run(f->loop); /* ends: nothing is left to wait for */
    assert_int_equal(f->idle, 0);
}

static void the_kernel_is_asked_only_when_it_lasts(void **state)
{
    fixture *f = *state;
    open_with(f, &handler, 100, 100);
    stream_pause(&f->stream);
    assert_int_equal(f->stream.watch.wanted, WATCH_READ); /* nothing came yet */
    send_text(f, "a");
    rounds(f);
    assert_int_equal(f->calls, 0);
    assert_int_equal(f->stream.watch.wanted, 0); /* or each round would be told again */
    stream_resume(&f->stream);
    rounds(f);
    assert_got(f, "a");
    stream_write(&f->stream, STR("b"));
    stream_pause(&f->stream);
    stream_resume(&f->stream);
    assert_int_equal(f->stream.watch.wanted, WATCH_READ); /* the flush at the end of the round may do */
    rounds(f);
    assert_int_equal(f->drained, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_taken_comes_again_with_more),
        TEST(a_paused_stream_goes_on_with_what_was_left),
        TEST(an_end_during_a_pause_waits_for_the_owner),
        TEST(discarding_forgets_the_rest_of_the_call),
        TEST(input_over_its_limit_ends_the_stream),
        TEST(output_over_its_limit_ends_the_stream),
        TEST(finish_sends_what_is_left),
        TEST(output_waits_for_a_slow_reader),
        TEST(the_peers_end_finishes_or_is_told),
        TEST(without_a_handler_the_peers_end_is_the_end),
        TEST(silence_is_told),
        TEST(detach_gives_the_descriptor_and_the_rest),
        TEST(what_a_transport_holds_is_not_forgotten),
        TEST(an_ended_stream_sets_no_timer),
        TEST(the_kernel_is_asked_only_when_it_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
