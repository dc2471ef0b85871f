/* Reads the configuration and what it names, all or nothing: a bad one never replaces a running one. Runs in: master. */
#include "base/memory.h"
#include "conf/snapshot.h"
#include "master/master.h"
#include "os/fd.h"
#include "os/file.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PEM_MAX = 1024 * 1024 };

static fault pem_seal(str path, const char *name, int *out)
{
    *out = -1;
    if (path.n == 0)
        return NO_FAULT;
    arena a = arena_new(0);
    buf pem = buf_new(PEM_MAX);
    fault f = file_read(AT_FDCWD, arena_c(&a, path), &pem);
    if (is_fault(f))
        f = fault_make(FAULT_REFUSED, "3.5", "%.*s: %s", STR_ARG(path), f.text);
    else
        f = fd_seal(name, buf_str(&pem), out);
    if (pem.p)
        explicit_bzero(pem.p, pem.n);
    buf_free(&pem);
    arena_free(&a);
    return f;
}

static fault keys_load(const config *c, loaded *l)
{
    fault f = pem_seal(c->smtpd_tls_cert_file, "smtp-cert", &l->cert_fd);
    if (!is_fault(f))
        f = pem_seal(c->smtpd_tls_key_file, "smtp-key", &l->key_fd);
    if (!is_fault(f))
        f = pem_seal(c->tls_cert_file, "login-cert", &l->login_cert_fd);
    if (!is_fault(f))
        f = pem_seal(c->tls_key_file, "login-key", &l->login_key_fd);
    return f;
}

void loaded_drop(loaded *l)
{
    parsed_free(l->parsed);
    free(l->parsed);
    fd_close(&l->snapshot_fd);
    fd_close(&l->cert_fd);
    fd_close(&l->key_fd);
    fd_close(&l->login_cert_fd);
    fd_close(&l->login_key_fd);
}

void loaded_take(master *m, const loaded *l)
{
    loaded old = { m->parsed, m->snapshot_fd, m->cert_fd, m->key_fd, m->login_cert_fd, m->login_key_fd };
    bool has_old = m->generation > 0;
    m->parsed = l->parsed;
    m->snapshot_fd = l->snapshot_fd;
    m->cert_fd = l->cert_fd;
    m->key_fd = l->key_fd;
    m->login_cert_fd = l->login_cert_fd;
    m->login_key_fd = l->login_key_fd;
    m->generation++;
    if (has_old)
        loaded_drop(&old);
}

fault loaded_read(const master *m, loaded *out, buf *out_words)
{
    *out = (loaded){ .parsed = memory_get(sizeof *out->parsed),
                     .snapshot_fd = -1,
                     .cert_fd = -1,
                     .key_fd = -1,
                     .login_cert_fd = -1,
                     .login_key_fd = -1 };
    bool is_good = config_load(m->directory, out->parsed);
    arena a = arena_new(0);
    buf_append(out_words, problems_text(&out->parsed->problems, &a));
    arena_free(&a);
    fault f = is_good ? NO_FAULT : fault_make(FAULT_REFUSED, "3.5", "the configuration has errors");
    if (!is_fault(f))
        f = keys_load(&out->parsed->base.config, out);
    if (!is_fault(f))
        f = snapshot_seal(out->parsed, m->generation + 1, &out->snapshot_fd);
    if (is_fault(f))
        loaded_drop(out);
    return f;
}
