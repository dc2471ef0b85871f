/* A host that allows fewer suites of TLS 1.3 (openssl.cnf, as RHEL's policies write it): its list is not widened. */
#include "serving.h"

static char path[] = "/tmp/test-host-suites-XXXXXX";

/* Before OpenSSL reads it, which it does once. */
static void host_write(void)
{
    static const char text[] = "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = host\n"
                               "[host]\nCiphersuites = TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    setenv("OPENSSL_CONF", path, 1);
}

static void *offer(fixture *f, const char *suites)
{
    f->echoes = true;
    assert_int_equal(SSL_CTX_set_ciphersuites(f->client_ctx, suites), 1);
    assert_int_equal(SSL_CTX_set_min_proto_version(f->client_ctx, TLS1_3_VERSION), 1);
    return serve(f, says_hello, STR_NONE);
}

static void what_it_leaves_out_stays_out(void **state)
{
    assert_non_null(offer(*state, "TLS_AES_128_GCM_SHA256"));
}

static void its_order_stays_where_the_cheapest_is_not_allowed(void **state)
{
    fixture *f = *state;
    assert_null(offer(f, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"));
    assert_non_null(strstr(buf_c(&f->description), "TLS_CHACHA20_POLY1305_SHA256"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_it_leaves_out_stays_out),
        TEST(its_order_stays_where_the_cheapest_is_not_allowed),
    };
    host_write();
    tls_preload();
    unlink(path);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
