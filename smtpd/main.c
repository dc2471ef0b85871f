/* smtpd: speaks SMTP with strangers. Hostile bytes end here: no file, no connect, no exec; content goes through a descriptor. */
#include "base/log.h"
#include "smtpd/session.h"

static const contract smtpd_contract = {
    .role = "smtpd",
    .root = ROOT_EMPTY,
    .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE,
    .limits = { .open_files = 65536 },
    .peers = "policy cleanup auth meter smtpd bounce",
};

static void configure(process *p)
{
    smtpd *d = p->state;
    const config *c = daemon_config(p);
    networks_free(&d->trusted);
    networks_free(&d->newline_exceptions);
    networks_free(&d->verp_clients);
    fault f = networks_read_plain(c->smtpd_client_event_limit_exceptions, &d->trusted);
    if (!is_fault(f))
        f = networks_read_plain(c->smtpd_forbid_bare_newline_exclusions, &d->newline_exceptions);
    if (!is_fault(f))
        f = networks_read_plain(c->smtpd_authorized_verp_clients, &d->verp_clients);
    if (is_fault(f))
        log_fault(LOG_ERROR, "bad-networks", f);
    tls_context *fresh = NULL;
    int certificates = daemon_file(p, "tls-cert"), key = daemon_file(p, "tls-key");
    if (certificates < 0 || key < 0)
        return;
    f = tls_context_open(certificates, key, daemon_file(p, "tls-tickets"), &fresh);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "no-tls", f);
        return; /* what was in use stays */
    }
    tls_context_release(d->tls);
    d->tls = fresh;
}

static bool prepare(process *p)
{
    smtpd *d = p->state;
    d->process = p;
    tls_preload();
    configure(p);
    return true;
}

static void on_drain(process *p)
{
    smtpd *d = p->state;
    for (size_t i = 0; i < d->sessions.n; i++)
        if (d->sessions.p[i])
            session_drain(d->sessions.p[i]);
}

static void report(process *p, buf *detail)
{
    smtpd *d = p->state;
    buf_printf(detail, "sessions_open=%llu accepted=%llu refused=%llu tls=%d", (unsigned long long)d->session_count,
               (unsigned long long)d->accepted, (unsigned long long)d->refused, d->tls != NULL);
}

int main(void)
{
    static smtpd d;
    const peer_row peers[] = {
        { "policy", policy_talk, policy_opened, policy_lost },
        { "cleanup", cleanup_talk, NULL, cleanup_lost },
        { "auth", auth_talk, NULL, auth_lost },
        { "meter", meter_talk, NULL, meter_lost },
        { "bounce", notice_talk, NULL, NULL },
    };
    const program smtpd_program = { .contract = &smtpd_contract, .peers = peers, .peer_count = COUNT_OF(peers),
                                    .prepare = prepare, .on_connection = session_open, .on_reload = configure,
                                    .on_drain = on_drain, .report = report };
    return daemon_run(&smtpd_program, &d);
}
