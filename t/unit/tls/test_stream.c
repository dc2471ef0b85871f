/* TLS under a stream against OpenSSL's own client, which runs in a thread with a blocking socket. */
#include "serving.h"

static void a_line_comes_and_goes(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    assert_null(serve(f, says_hello, STR_NONE));
    assert_string_equal(buf_c(&f->got), "hello");
    assert_true(str_starts(buf_str(&f->description), STR("TLSv1.3 with cipher TLS_")));
    assert_true(str_ends(buf_str(&f->description), STR(" bits)")));
    assert_int_equal(f->ended, 1);
}

static void *reads_greeting(void *context)
{
    fixture *f = context;
    char text[32] = "";
    SSL *ssl = connect_tls(f);
    if (ssl == NULL || SSL_read(ssl, text, sizeof text) != 6)
        return "no greeting";
    leave(f, ssl);
    return NULL;
}

/* The server speaks first: the handshake runs in its write. */
static void a_greeting_waits_for_the_handshake(void **state)
{
    fixture *f = *state;
    f->greets = true;
    assert_null(serve(f, reads_greeting, STR_NONE));
}

static void *sends_bulk(void *context)
{
    fixture *f = context;
    static char bytes[BULK];
    static char back[65536];
    size_t total = 0;
    SSL *ssl = connect_tls(f);
    if (ssl == NULL)
        return "no handshake";
    for (size_t i = 0; i < BULK; i += 16384)
        if (SSL_write(ssl, bytes + i, 16384) != 16384)
            return "no write";
    while (total < BULK) {
        int n = SSL_read(ssl, back, sizeof back);
        if (n <= 0)
            return "no read";
        total += (size_t)n;
    }
    leave(f, ssl);
    return NULL;
}

static void much_comes_and_goes_whole(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    assert_null(serve(f, sends_bulk, STR_NONE));
    assert_int_equal(f->sent_to_us, BULK);
}

static void context_change(fixture *f, const char *tickets)
{
    tls_context_release(f->context);
    f->context = context_new(tickets);
}

static void a_session_resumes_also_under_a_new_certificate(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    assert_null(serve(f, says_hello, STR_NONE));
    assert_false(f->was_resumed);
    assert_null(serve(f, says_hello, STR_NONE));
    assert_true(f->was_resumed);
    context_change(f, ticket_keys);
    assert_null(serve(f, says_hello, STR_NONE));
    assert_true(f->was_resumed);
}

static void a_session_does_not_resume_where_other_keys_are(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    assert_null(serve(f, says_hello, STR_NONE));
    context_change(f, "");
    assert_null(serve(f, says_hello, STR_NONE));
    assert_false(f->was_resumed);
}

static void version_is(fixture *f, int version, bool works)
{
    SSL_CTX_set_security_level(f->client_ctx, 0);
    SSL_CTX_set_min_proto_version(f->client_ctx, version);
    SSL_CTX_set_max_proto_version(f->client_ctx, version);
    f->echoes = true;
    assert_int_equal(serve(f, says_hello, STR_NONE) == NULL, works);
}

static void tls_1_2_works(void **state)
{
    version_is(*state, TLS1_2_VERSION, true);
}

static void tls_1_1_is_refused(void **state)
{
    version_is(*state, TLS1_1_VERSION, false);
}

static void suite_is_refused(fixture *f, const char *suite)
{
    assert_int_equal(SSL_CTX_set_cipher_list(f->client_ctx, suite), 1);
    version_is(f, TLS1_2_VERSION, false);
}

static void weak_suites_are_refused(void **state)
{
    suite_is_refused(*state, "aNULL:@SECLEVEL=0");
    suite_is_refused(*state, "kRSA:@SECLEVEL=0");
    suite_is_refused(*state, "ECDHE+SHA1:@SECLEVEL=0");
}

static void suite_taken_is(fixture *f, const char *offered, const char *taken)
{
    f->echoes = true;
    assert_int_equal(SSL_CTX_set_ciphersuites(f->client_ctx, offered), 1);
    assert_null(serve(f, says_hello, STR_NONE));
    assert_non_null(strstr(buf_c(&f->description), taken));
}

static void the_cheapest_suite_comes_first(void **state)
{
    suite_taken_is(*state, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256");
}

static void the_other_suites_of_the_host_work_too(void **state)
{
    suite_taken_is(*state, "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384");
}

static void alpn(fixture *f, const char *list, bool works)
{
    f->echoes = true;
    assert_int_equal(SSL_CTX_set_alpn_protos(f->client_ctx, (const unsigned char *)list, (unsigned)strlen(list)), 0);
    assert_int_equal(serve(f, says_hello, STR_NONE) == NULL, works);
}

static void alpn_of_another_protocol_is_refused(void **state)
{
    fixture *f = *state;
    alpn(f, "\x04imap", true);
    alpn(f, "\x08http/1.1\x04imap", true);
    alpn(f, "\x08http/1.1", false);
    alpn(f, "\x04pop3", false);
    alpn(f, "\x05imap4", false);
}

static void *renegotiates(void *context)
{
    fixture *f = context;
    char text[8];
    SSL *ssl = connect_tls(f);
    if (ssl == NULL)
        return "no handshake";
    SSL_renegotiate(ssl);
    bool is_done = SSL_do_handshake(ssl) == 1 && SSL_write(ssl, "hello", 5) == 5 && SSL_read(ssl, text, 5) == 5;
    SSL_free(ssl);
    shutdown(f->client_fd, SHUT_RDWR);
    return is_done ? "renegotiated" : NULL;
}

static void renegotiation_is_refused(void **state)
{
    fixture *f = *state;
    f->echoes = true;
    SSL_CTX_set_max_proto_version(f->client_ctx, TLS1_2_VERSION);
    assert_null(serve(f, renegotiates, STR_NONE));
}

static void *sends_hostile_sni(void *context)
{
    fixture *f = context;
    SSL *ssl = SSL_new(f->client_ctx);
    SSL_set_fd(ssl, f->client_fd);
    SSL_set_tlsext_host_name(ssl, "../../../etc/passwd\n\t%s%n");
    bool is_done = SSL_connect(ssl) == 1;
    SSL_shutdown(ssl);
    SSL_free(ssl);
    shutdown(f->client_fd, SHUT_RDWR);
    return is_done ? NULL : "no handshake";
}

static void a_hostile_name_costs_nothing(void **state)
{
    assert_null(serve(*state, sends_hostile_sni, STR_NONE));
}

static void *sends_garbage(void *context)
{
    fixture *f = context;
    if (write(f->client_fd, "GET / HTTP/1.0\r\n\r\n", 18) != 18)
        return "no write";
    shutdown(f->client_fd, SHUT_WR);
    return NULL;
}

static void garbage_ends_the_stream(void **state)
{
    fixture *f = *state;
    assert_null(serve(f, sends_garbage, STR_NONE));
    assert_int_equal(f->sent_to_us, 0);
    assert_int_equal(f->ended, 1);
}

/* RFC 3207 6: what stood in clear behind STARTTLS never arrives; still in the socket, it breaks the handshake. */
static void clear_text_is_never_taken_for_tls(void **state)
{
    fixture *f = *state;
    assert_non_null(serve(f, says_hello, STR("a LOGIN x y\r\n")));
    assert_int_equal(f->sent_to_us, 0);
}

static void *stays_silent(void *context)
{
    fixture *f = context;
    char byte;
    if (write(f->client_fd, "\x16\x03", 2) != 2)
        return "no write";
    return read(f->client_fd, &byte, 1) == 0 ? NULL : "an answer";
}

static void a_half_open_handshake_ends_in_time(void **state)
{
    fixture *f = *state;
    f->idle_s = 1;
    assert_null(serve(f, stays_silent, STR_NONE));
    assert_int_equal(f->ended, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_line_comes_and_goes),
        TEST(a_greeting_waits_for_the_handshake),
        TEST(much_comes_and_goes_whole),
        TEST(a_session_resumes_also_under_a_new_certificate),
        TEST(a_session_does_not_resume_where_other_keys_are),
        TEST(tls_1_2_works),
        TEST(tls_1_1_is_refused),
        TEST(weak_suites_are_refused),
        TEST(the_cheapest_suite_comes_first),
        TEST(the_other_suites_of_the_host_work_too),
        TEST(alpn_of_another_protocol_is_refused),
        TEST(renegotiation_is_refused),
        TEST(a_hostile_name_costs_nothing),
        TEST(garbage_ends_the_stream),
        TEST(clear_text_is_never_taken_for_tls),
        TEST(a_half_open_handshake_ends_in_time),
    };
    tls_preload();
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
