/* pam: asks the system about its accounts, for auth alone, one question at a time. It may read /etc/shadow, by the
 * group that may read it or, where no group may, by DAC_READ_SEARCH; it runs PAM's modules, which is why it is a
 * process of its own. */
#include "daemon/daemon.h"
#include "pam/answer.h"
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAM_CONTRACT(capabilities)                                                                                     \
    { .role = "pam", .root = ROOT_HOST, .caps = (capabilities),                                                        \
      .calls = CALLS_LOOP | CALLS_RECEIVE | CALLS_READ_FILES | CALLS_UNIX /* NSS and syslog have sockets */ |          \
               CALLS_MODULES,                                                                                          \
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

int main(void)
{
    const peer_row peers[] = { { .role = "auth", .talk = { "auth-pam", answer_rows, answer_row_count, NULL } } };
    shadow_look();
    const program p = { .contract = shadow_group ? &by_group : &by_capability, .peers = peers,
                        .peer_count = COUNT_OF(peers), .prepare = prepare };
    return daemon_run(&p, NULL);
}
