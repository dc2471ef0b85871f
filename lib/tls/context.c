#include "tls/context.h"
#include "base/memory.h"
#include "os/fd.h"
#include "tls/internal.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { RECORD_BYTES = 16384 };

/* What the system's defaults have, without static RSA (no forward secrecy), SHA-1 and broken or exotic ciphers. */
static const char suites[] = "DEFAULT:!kRSA:!aNULL:!eNULL:!PSK:!SRP:!DSS:!MD5:!RC4:!3DES:!SHA1:!SEED:!IDEA:!ARIA:!CAMELLIA";

fault tls_fault(fault_kind kind, const char *what)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return fault_make(kind, "7.0", "%s: %s", what, reason ? reason : "unknown reason");
}

void tls_preload(void)
{
    unsigned char byte;
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_LOAD_CONFIG, NULL);
    RAND_bytes(&byte, 1);
    RAND_priv_bytes(&byte, 1);
    SSL_CTX_free(SSL_CTX_new(TLS_server_method()));
    tls_wire_load();
    ERR_clear_error();
}

/* RFC 7301 3.2; ALPACA: a client that speaks another protocol than this service's is refused. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned int in_n,
                   void *unused)
{
    const tls_session *t = SSL_get_app_data(ssl);
    str ours = str_c(t->protocol);
    (void)unused;
    for (unsigned int i = 0; i < in_n && in[i] <= in_n - i - 1; i += in[i] + 1u)
        if (str_equal((str){ (const char *)in + i + 1, in[i] }, ours)) {
            *out = in + i + 1;
            *out_n = in[i];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* The suites of TLS 1.3 are the host's (openssl.cnf), but the one that costs least comes first: SHA-256, unlike SHA-384, has
 * instructions of its own on most CPUs. */
static bool set_suites_order(SSL_CTX *ctx)
{
    static const char first[] = "TLS_AES_128_GCM_SHA256";
    const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    buf names = buf_new(400);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
            const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
            bool is_first = strcmp(SSL_CIPHER_get_name(c), first) == 0;
            if (strcmp(SSL_CIPHER_get_version(c), "TLSv1.3") == 0 && is_first == (pass == 0))
                buf_printf(&names, "%s%s", names.n ? ":" : "", SSL_CIPHER_get_name(c));
        }
    bool is_set = names.n == 0 || SSL_CTX_set_ciphersuites(ctx, buf_c(&names)) == 1;
    buf_free(&names);
    return is_set;
}

static bool set_rules(SSL_CTX *ctx)
{
    static const unsigned char id[] = "postrider";
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* sessions resume by ticket and cost no memory here */
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_dh_auto(ctx, 1);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record is read at once, not first its head */
    SSL_CTX_set_max_send_fragment(ctx, RECORD_BYTES);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list(ctx, suites) == 1 &&
           set_suites_order(ctx) && SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1) == 1;
}

/* A key that asks for a passphrase is an error, not a prompt. */
static int no_passphrase(char *out, int size, int is_writing, void *context)
{
    (void)out, (void)size, (void)is_writing, (void)context;
    return -1;
}

static bool use_chain(SSL_CTX *ctx, BIO *pem)
{
    X509 *own = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
    bool is_good = own && SSL_CTX_use_certificate(ctx, own) == 1;
    X509_free(own);
    while (is_good) {
        X509 *next = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
        if (next == NULL)
            break;
        is_good = SSL_CTX_add0_chain_cert(ctx, next) == 1;
        if (!is_good)
            X509_free(next);
    }
    /* The end of the file is an error of its own kind, and the right one. */
    if (is_good && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
        ERR_clear_error();
    return is_good && ERR_peek_error() == 0;
}

static bool use_key(SSL_CTX *ctx, BIO *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
    bool is_good = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    return is_good;
}

static bool use_tickets(SSL_CTX *ctx, secret tickets)
{
    str keys = tickets.hidden;
    return keys.n == 0 || SSL_CTX_set_tlsext_ticket_keys(ctx, (char *)(uintptr_t)keys.p, (int)keys.n) == 1;
}

static fault context_fill(SSL_CTX *ctx, BIO *certificates, BIO *key, secret tickets)
{
    ERR_clear_error();
    if (!set_rules(ctx) || !use_tickets(ctx, tickets))
        return tls_fault(FAULT_BUG, "TLS rules");
    if (!use_chain(ctx, certificates))
        return tls_fault(FAULT_REFUSED, "certificate");
    if (!use_key(ctx, key))
        return tls_fault(FAULT_REFUSED, "private key");
    if (SSL_CTX_check_private_key(ctx) != 1)
        return tls_fault(FAULT_REFUSED, "certificate and private key");
    return NO_FAULT;
}

fault tls_context_make(str certificates, secret key, secret tickets, tls_context **out)
{
    *out = NULL;
    if (certificates.n > TLS_PEM_MAX || key.hidden.n > TLS_PEM_MAX)
        return fault_make(FAULT_REFUSED, "7.0", "certificate or key is larger than %d bytes", TLS_PEM_MAX);
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    BIO *certificates_pem = BIO_new_mem_buf(certificates.n ? certificates.p : "", (int)certificates.n);
    BIO *key_pem = BIO_new_mem_buf(key.hidden.n ? key.hidden.p : "", (int)key.hidden.n);
    fault f = ctx && certificates_pem && key_pem ? context_fill(ctx, certificates_pem, key_pem, tickets)
                                                 : tls_fault(FAULT_BUG, "TLS context");
    BIO_free(certificates_pem);
    BIO_free(key_pem);
    if (is_fault(f)) {
        SSL_CTX_free(ctx);
        return f;
    }
    tls_context *c = memory_get(sizeof *c);
    *c = (tls_context){ .ctx = ctx, .holders = 1 };
    *out = c;
    return NO_FAULT;
}

fault tls_context_open(int certificates_fd, int key_fd, int tickets_fd, tls_context **out)
{
    str certificates = STR_NONE, key = STR_NONE, tickets = STR_NONE;
    *out = NULL;
    fault f = fd_map_sealed(certificates_fd, TLS_PEM_MAX, &certificates);
    if (!is_fault(f))
        f = fd_map_sealed(key_fd, TLS_PEM_MAX, &key);
    if (!is_fault(f))
        f = fd_map_sealed(tickets_fd, TLS_TICKET_KEYS_BYTES, &tickets);
    if (!is_fault(f))
        f = tls_context_make(certificates, (secret){ key }, (secret){ tickets }, out);
    fd_unmap(&tickets);
    fd_unmap(&key);
    fd_unmap(&certificates);
    return f;
}

tls_context *tls_context_hold(tls_context *c)
{
    c->holders++;
    return c;
}

void tls_context_release(tls_context *c)
{
    if (c == NULL || --c->holders > 0)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}
