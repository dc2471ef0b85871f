/* A fresh self-signed certificate and its key in PEM, for tests. */
#pragma once
#include "base/buf.h"
#include <openssl/pem.h>
#include <openssl/x509.h>

static inline void bio_take(BIO *b, buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(b, &p);
    buf_append(out, (str){ p, (size_t)n });
    BIO_free(b);
}

static inline void certificate_make(const char *name, buf *certificate, buf *key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, pair);
    X509_sign(x, pair, EVP_sha256());
    BIO *pem = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(pem, x);
    bio_take(pem, certificate);
    pem = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(pem, pair, NULL, NULL, 0, NULL, NULL);
    bio_take(pem, key);
    X509_free(x);
    EVP_PKEY_free(pair);
}
