/* Certificates and keys, of main.cf and of each service. Runs in: postrider check. */
#include "base/secret.h"
#include "ctl/check.h"
#include "os/file.h"
#include "tls/context.h"
#include <fcntl.h>

typedef struct key_pair {
    str certificates, key; /* files */
} key_pair;

static void pair_check(checking *c, const key_pair *p)
{
    buf certificates = buf_new(TLS_PEM_MAX), key = buf_new(TLS_PEM_MAX);
    tls_context *made = NULL;
    str about = p->certificates;
    fault f = file_read(AT_FDCWD, p->certificates.p, &certificates);
    if (!is_fault(f)) {
        about = p->key;
        f = file_read(AT_FDCWD, p->key.p, &key);
    }
    if (!is_fault(f)) {
        about = p->certificates;
        f = tls_context_make(buf_str(&certificates), (secret){ buf_str(&key) }, (secret){ STR_NONE }, &made);
    }
    if (is_fault(f))
        problem_error(c->problems, about, 0, "%s", f.text);
    tls_context_release(made);
    if (key.p)
        secret_wipe(key.p, key.n);
    buf_free(&key);
    buf_free(&certificates);
}

static void pair_add(key_pair *pairs, size_t *n, str certificates, str key)
{
    if (certificates.n == 0)
        return;
    for (size_t i = 0; i < *n; i++)
        if (str_equal(pairs[i].certificates, certificates) && str_equal(pairs[i].key, key))
            return;
    pairs[(*n)++] = (key_pair){ certificates, key };
}

void check_keys(checking *c)
{
    size_t count = c->parsed->services.rows.n, n = 0;
    key_pair *pairs = ARENA_ARRAY(c->problems->arena, key_pair, 2 * (count + 1));
    for (size_t i = 0; i <= count; i++) {
        const config *of = i < count ? &c->parsed->of_services[i].config : c->config;
        pair_add(pairs, &n, of->smtpd_tls_cert_file, of->smtpd_tls_key_file);
        pair_add(pairs, &n, of->tls_cert_file, of->tls_key_file);
    }
    for (size_t i = 0; i < n; i++)
        pair_check(c, &pairs[i]);
}
