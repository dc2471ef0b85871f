/* Certificates and keys that fit are taken, others are refused with a reason. */
#include "tls/context.h"
#include "certificate.h"
#include "os/fd.h"
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct pem {
    buf certificate, key;
} pem;

static pem pem_new(const char *name)
{
    pem p = { buf_new(100000), buf_new(100000) };
    certificate_make(name, &p.certificate, &p.key);
    return p;
}

static void pem_free(pem *p)
{
    buf_free(&p->certificate);
    buf_free(&p->key);
}

static fault try_make(str certificate, str key)
{
    tls_context *c = NULL;
    fault f = tls_context_make(certificate, (secret){ key }, (secret){ STR_NONE }, &c);
    assert_int_equal(is_fault(f), c == NULL);
    tls_context_release(c);
    return f;
}

static void what_fits_is_taken(void **state)
{
    pem p = pem_new("mx.example.test");
    (void)state;
    assert_false(is_fault(try_make(buf_str(&p.certificate), buf_str(&p.key))));
    pem_free(&p);
}

static void a_chain_is_taken(void **state)
{
    pem p = pem_new("mx.example.test"), ca = pem_new("ca.example.test");
    (void)state;
    buf_append(&p.certificate, buf_str(&ca.certificate));
    assert_false(is_fault(try_make(buf_str(&p.certificate), buf_str(&p.key))));
    pem_free(&p);
    pem_free(&ca);
}

static void what_does_not_fit_is_refused(void **state)
{
    pem p = pem_new("a.example.test"), q = pem_new("b.example.test");
    (void)state;
    assert_int_equal(try_make(buf_str(&p.certificate), buf_str(&q.key)).kind, FAULT_REFUSED);
    assert_int_equal(try_make(STR_NONE, buf_str(&p.key)).kind, FAULT_REFUSED);
    assert_int_equal(try_make(buf_str(&p.certificate), STR_NONE).kind, FAULT_REFUSED);
    assert_int_equal(try_make(buf_str(&p.key), buf_str(&p.key)).kind, FAULT_REFUSED);
    assert_int_equal(try_make(STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), buf_str(&p.key)).kind,
                     FAULT_REFUSED);
    pem_free(&p);
    pem_free(&q);
}

static void a_damaged_chain_is_refused(void **state)
{
    pem p = pem_new("a.example.test");
    (void)state;
    buf_append(&p.certificate, STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    assert_int_equal(try_make(buf_str(&p.certificate), buf_str(&p.key)).kind, FAULT_REFUSED);
    pem_free(&p);
}

static void sealed_files_are_read_and_others_refused(void **state)
{
    pem p = pem_new("a.example.test");
    int certificate = -1, key = -1, tickets = -1, short_tickets = -1, ends[2];
    static const char keys[TLS_TICKET_KEYS_BYTES];
    tls_context *c;
    (void)state;
    assert_false(is_fault(fd_seal("tls-cert", buf_str(&p.certificate), &certificate)));
    assert_false(is_fault(fd_seal("tls-key", buf_str(&p.key), &key)));
    assert_false(is_fault(fd_seal("tls-tickets", (str){ keys, sizeof keys }, &tickets)));
    assert_false(is_fault(fd_seal("tls-tickets", (str){ keys, sizeof keys - 1 }, &short_tickets)));
    assert_false(is_fault(tls_context_open(certificate, key, tickets, &c)));
    tls_context_release(c);
    assert_int_equal(pipe(ends), 0);
    assert_true(is_fault(tls_context_open(ends[0], key, tickets, &c)));
    assert_null(c);
    assert_true(is_fault(tls_context_open(-1, key, tickets, &c)));
    assert_true(is_fault(tls_context_open(certificate, key, -1, &c)));
    assert_true(is_fault(tls_context_open(certificate, key, short_tickets, &c)));
    close(ends[0]);
    close(ends[1]);
    close(certificate);
    close(key);
    close(tickets);
    close(short_tickets);
    pem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_taken),
        cmocka_unit_test(a_chain_is_taken),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_damaged_chain_is_refused),
        cmocka_unit_test(sealed_files_are_read_and_others_refused),
    };
    tls_preload();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
