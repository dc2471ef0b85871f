#include "pam/answer.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "ipc/talk/auth.h"
#include "pam/account.h"
#include "pam/check.h"

static bool on_check(void *context, channel *c, received *r)
{
    peer *p = context;
    auth_check m;
    str name;
    if (auth_check_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    fault f = account_name(daemon_config(p->daemon), m.user, &name) ? pam_check(NULL, "postrider", name, m.password)
                                                                    : fault_make(FAULT_REFUSED, "7.8", "no such account");
    secret_wipe((char *)(uintptr_t)r->bytes.p, r->bytes.n); /* the channel's buffer, and writable */
    if (f.kind == FAULT_TRY_LATER)
        log_fault(LOG_WARNING, "pam", f);
    auth_checked answer = { .outcome = f.kind, .reason = str_c(f.text) };
    channel_put(c, AUTH_CHECKED, r->ref, auth_checked, &answer);
    channel_flush(c);
    return true;
}

static bool on_find(void *context, channel *c, received *r)
{
    peer *p = context;
    auth_find m;
    if (auth_find_decode(r->bytes, &m) != PARSE_DONE)
        return false;
    arena mem = arena_new(0);
    system_account u = { 0 };
    fault f = account_find(daemon_config(p->daemon), m.user, &mem, &u);
    auth_user answer = { .outcome = f.kind, .user = u.name, .uid = u.uid, .gid = u.gid, .is_system = 1, .home = u.home,
                         .mail = u.mail, .mbox = u.mbox, .needs_alias = u.needs_alias, .reason = str_c(f.text) };
    channel_put(c, AUTH_USER, r->ref, auth_user, &answer);
    channel_flush(c);
    arena_free(&mem);
    return true;
}

const talk_row answer_rows[] = { { AUTH_CHECK, 0, 0, on_check }, { AUTH_FIND, 0, 0, on_find } };
const size_t answer_row_count = COUNT_OF(answer_rows);
