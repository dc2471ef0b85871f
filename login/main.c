/* login: speaks IMAP and POP3 with strangers up to the login, and TLS to the end. It opens no file and never chooses a
 * user. */
#include "base/log.h"
#include "login/session.h"
#include "login/sleep.h"

static const contract login_contract = {
    .role = "login",
    .root = ROOT_EMPTY,
    .caps = CAPS_NONE,
    .calls = CALLS_LOOP | CALLS_ACCEPT | CALLS_RECEIVE,
    .files = FILES_NONE,
    .limits = { .open_files = 65536, .memory_bytes = UINT64_C(4) * 1024 * 1024 * 1024 },
    .peers = "meter auth imapd pop3d",
};

static bool prepare(process *p)
{
    front *f = p->state;
    f->process = p;
    tls_preload();
    return true;
}

static bool start(process *p)
{
    front *f = p->state;
    front_load_tls(f);
    if (f->tls == NULL && daemon_config(p)->login_tls_required)
        log_event(LOG_WARNING, "nobody-can-log-in", LOG_C("reason", "login_tls_required, and there is no certificate"));
    return true;
}

static void on_reload(process *p)
{
    front_load_tls(p->state);
}

static void on_drain(process *p)
{
    front *f = p->state;
    for (session *s = f->sessions, *next; s; s = next) {
        next = s->next;
        session_drain(s);
    }
    sleep_end_all(f);
}

static void report(process *p, buf *detail)
{
    const front *f = p->state;
    buf_printf(detail, "tls=%s pumped_bytes=%ju", f->tls ? "yes" : "no", (uintmax_t)f->pumped_bytes);
}

int main(void)
{
    static front state;
    const program p = { .contract = &login_contract, .peers = front_peers, .peer_count = front_peer_count,
                        .prepare = prepare, .start = start, .on_connection = session_accept, .on_reload = on_reload,
                        .on_drain = on_drain, .report = report };
    return daemon_run(&p, &state);
}
