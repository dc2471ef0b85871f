/* pam: asks the system about its accounts, for auth alone, one question at a time. It may read /etc/shadow, by the group that may
 * read it or, where no group may, by DAC_READ_SEARCH; it runs PAM's modules, which is why it is a process of its own. */
#include "base/log.h"
#include "daemon/daemon.h"
#include "ipc/talk/auth.h"
#include "pam/account.h"
#include "pam/check.h"
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAM_CONTRACT(capabilities)                                                                                     \
    { .role = "pam", .root = ROOT_HOST, .caps = (capabilities),                                                        \
      .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_READ_FILES | CALLS_UNIX, /* NSS and syslog have sockets */           \
      .files = FILES_NONE, .limits = { .open_files = 256, .memory_bytes = 1024 * 1024 * 1024 }, .peers = "auth" }

static const contract by_group = PAM_CONTRACT(CAPS_NONE), by_capability = PAM_CONTRACT(CAPS_READ_SEARCH);

static gid_t shadow_group; /* 0: no group may read it */

static void shadow_look(void)
{
    struct stat s;
    int fd = open("/etc/shadow", O_PATH | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &s) == 0 && (s.st_mode & S_IRGRP))
        shadow_group = s.st_gid;
    if (fd >= 0)
        close(fd);
}

/* What PAM's modules and NSS read. Descriptors stay open until become() closes them. */
static bool prepare(process *p)
{
    static const char *const places[] = { "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share", "/run",
                                          "/var/lib/sss" };
    static landlock_rule rules[COUNT_OF(places)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        int fd = open(places[i], O_PATH | O_CLOEXEC);
        if (fd >= 0)
            rules[n++] = (landlock_rule){ fd, ACCESS_READ };
    }
    p->identity.rules = rules;
    p->identity.rule_count = n;
    p->identity.groups = &shadow_group;
    p->identity.group_count = shadow_group ? 1 : 0;
    getpwnam("root"); /* loads what NSS needs */
    return true;
}

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
                         .mail = u.mail, .reason = str_c(f.text) };
    channel_put(c, AUTH_USER, r->ref, auth_user, &answer);
    channel_flush(c);
    arena_free(&mem);
    return true;
}

static const talk_row rows[] = { { AUTH_CHECK, 0, 0, on_check }, { AUTH_FIND, 0, 0, on_find } };
static const peer_row peers[] = { { .role = "auth", .talk = { "auth-pam", rows, COUNT_OF(rows), NULL } } };

int main(void)
{
    shadow_look();
    const program p = { .contract = shadow_group ? &by_group : &by_capability, .peers = peers,
                        .peer_count = COUNT_OF(peers), .prepare = prepare };
    return daemon_run(&p, NULL);
}
