/* What goes in one packet, and what comes in one. */
#include "serving.h"

enum { SENDS_MAX = 16 };

/* In the place of the system call: what the server's side sends, and whether the kernel is told that more follows. The client's side
 * writes. */
static bool is_followed[SENDS_MAX];
static size_t sends;

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    if (sends < SENDS_MAX)
        is_followed[sends++] = flags & MSG_MORE;
    return sendto(fd, bytes, n, flags, NULL, 0);
}

/* A ticket comes before the answer to what came with the client's Finished; the last answer, before the goodbye. */
static void what_is_followed_at_once_goes_with_it(void **state)
{
    static const bool kept[] = { false, true, false, false }, last[] = { false, true, true, false };
    fixture *f = *state;
    f->echoes = true;
    sends = 0;
    assert_null(serve(f, says_hello, STR_NONE));
    assert_int_equal(sends, COUNT_OF(kept));
    assert_memory_equal(is_followed, kept, sizeof kept);
    f->finishes = true;
    sends = 0;
    assert_null(serve(f, says_hello, STR_NONE));
    assert_int_equal(sends, COUNT_OF(last));
    assert_memory_equal(is_followed, last, sizeof last);
}

/* Two records in one packet. */
static void *says_two_things(void *context)
{
    fixture *f = context;
    char text[32] = "";
    SSL *ssl = connect_tls(f);
    if (ssl == NULL)
        return "no handshake";
    BIO *packet = BIO_push(BIO_new(BIO_f_buffer()), BIO_new_socket(f->client_fd, BIO_NOCLOSE));
    SSL_set0_wbio(ssl, packet);
    if (SSL_write(ssl, "one", 3) != 3 || SSL_write(ssl, "two", 3) != 3 || BIO_flush(packet) != 1)
        return "no write";
    if (SSL_read(ssl, text, 3) != 3 || SSL_read(ssl, text, 3) != 3)
        return "no echo";
    leave(f, ssl);
    return strcmp(text, "two") == 0 ? NULL : "another echo";
}

/* The socket says nothing of the second. */
static void what_was_read_ahead_is_not_left(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    assert_null(serve(f, says_two_things, STR_NONE));
    assert_string_equal(buf_c(&f->got), "onetwo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_followed_at_once_goes_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_read_ahead_is_not_left, setup, teardown),
    };
    tls_preload();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
