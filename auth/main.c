/* auth: knows the users. Answers whether a password is right and where a user's mail is; only it can make a grant. */
#include "auth/auth.h"
#include "auth/folder.h"

static const contract auth_contract = {
    .role = "auth",
    .root = ROOT_USERS,
    .caps = CAPS_NONE,
    .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_READ_FILES | CALLS_INOTIFY,
    .files = FILES_READ,
    .limits = { .open_files = 256, .memory_bytes = 1024 * 1024 * 1024, .file_bytes = 0 },
    .peers = "smtpd login policy local pipe imapd pop3d auth-worker pam",
};

/* After chroot the folder of the user file is "/". */
static bool prepare(process *p)
{
    const config *c = daemon_config(p);
    const char *slash = strrchr(c->user_file.p, '/');
    const char *path = p->identity.is_privileged && slash ? slash : c->user_file.p;
    auth_init(p->state, p, path);
    return true;
}

static bool start(process *p)
{
    auth_refresh(p->state, true);
    folder_watch(p->state);
    return true;
}

static void report(process *p, buf *detail)
{
    const auth *a = p->state;
    buf_printf(detail, "users=%zu open=%zu logins=%ju failures=%ju", a->directory.users.rows.n, a->question_count,
               (uintmax_t)a->logins, (uintmax_t)a->failures);
}

int main(void)
{
    static auth state;
    const program p = { .contract = &auth_contract, .peers = auth_peers, .peer_count = auth_peer_count,
                        .prepare = prepare, .start = start, .report = report };
    return daemon_run(&p, &state);
}
