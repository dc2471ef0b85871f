/* Attempts at other ids, capabilities, namespaces. By raw calls with whole registers, as an attacker would. */
#include "fault/tries/tries.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BELOW_MINIMUM = 499, SHADOW = 42 };

static bool regain_uid(const page *p)
{
    (void)p;
    return syscall(SYS_setresuid, 0UL, 0UL, 0UL) == 0;
}

static bool regain_uid_by_high_bits(const page *p)
{
    (void)p;
    return syscall(SYS_setresuid, 1UL << 32, 1UL << 32, 1UL << 32) == 0;
}

static bool keep_an_id(const page *p)
{
    (void)p;
    return syscall(SYS_setresuid, -1L, -1L, -1L) == 0 || syscall(SYS_setresuid, 0xffffffffUL, 0xffffffffUL, 0xffffffffUL) == 0;
}

static bool become_an_account(const page *p)
{
    unsigned long id = BELOW_MINIMUM;
    (void)p;
    return syscall(SYS_setresuid, id, id, id) == 0;
}

static bool become_a_sibling(const page *p)
{
    unsigned long id = p->sibling_uid;
    return syscall(SYS_setresuid, id, id, id) == 0;
}

static bool become_half_a_sibling(const page *p)
{
    return syscall(SYS_setresuid, -1L, (long)p->sibling_uid, -1L) == 0;
}

static bool regain_gid(const page *p)
{
    (void)p;
    return syscall(SYS_setresgid, 0UL, 0UL, 0UL) == 0;
}

static bool regain_gid_by_high_bits(const page *p)
{
    (void)p;
    return syscall(SYS_setresgid, 1UL << 32, 1UL << 32, 1UL << 32) == 0;
}

static bool take_the_group_of_shadow(const page *p)
{
    unsigned long id = SHADOW;
    (void)p;
    return syscall(SYS_setresgid, id, id, id) == 0;
}

static bool join_a_group(const page *p)
{
    gid_t group = SHADOW;
    (void)p;
    return syscall(SYS_setgroups, 1UL, &group) == 0;
}

static bool join_a_group_by_high_bits(const page *p)
{
    gid_t group = SHADOW;
    (void)p;
    return syscall(SYS_setgroups, 1UL << 32 | 1, &group) == 0;
}

static bool set_uid(const page *p)
{
    (void)p;
    return syscall(SYS_setuid, 0UL) == 0;
}

static bool set_gid(const page *p)
{
    (void)p;
    return syscall(SYS_setgid, 0UL) == 0;
}

static bool set_real_uid(const page *p)
{
    (void)p;
    return syscall(SYS_setreuid, 0UL, 0UL) == 0;
}

static bool set_real_gid(const page *p)
{
    (void)p;
    return syscall(SYS_setregid, 0UL, 0UL) == 0;
}

static bool set_file_uid(const page *p)
{
    (void)p;
    syscall(SYS_setfsuid, 0UL);
    return syscall(SYS_setfsuid, -1L) == 0; /* answers the id in force */
}

static bool set_file_gid(const page *p)
{
    (void)p;
    syscall(SYS_setfsgid, 0UL);
    return syscall(SYS_setfsgid, -1L) == 0;
}

static bool raise_capabilities(const page *p)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2] = { 0 };
    (void)p;
    sets[0].effective = sets[0].permitted = 1U << CAP_SYS_ADMIN | 1U << CAP_DAC_OVERRIDE;
    return syscall(SYS_capset, &head, sets) == 0;
}

static bool keep_capabilities_over_exec(const page *p)
{
    (void)p;
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) == 0 || prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) == 0 ||
           prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0;
}

static bool unshare_users(const page *p)
{
    (void)p;
    return syscall(SYS_unshare, (unsigned long)CLONE_NEWUSER) == 0;
}

static bool unshare_mounts(const page *p)
{
    (void)p;
    return syscall(SYS_unshare, (unsigned long)CLONE_NEWNS) == 0;
}

static bool clone_users(const page *p)
{
    (void)p;
    long pid = syscall(SYS_clone, (unsigned long)(SIGCHLD | CLONE_NEWUSER), 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool clone3_users(const page *p)
{
    struct clone_args a = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
    (void)p;
    long pid = syscall(SYS_clone3, &a, sizeof a);
    if (pid == 0)
        syscall(SYS_exit_group, 0);
    return pid > 0;
}

static bool enter_a_namespace(const page *p)
{
    (void)p;
    return was_let_in(syscall(SYS_setns, -1, 0));
}

const attempt id_attempts[] = {
    { "become uid 0", MASTER, regain_uid },
    { "become uid 0 by 1 << 32", MASTER, regain_uid_by_high_bits },
    { "leave an id as it is", MASTER, keep_an_id },
    { "become a system account", MASTER, become_an_account },
    { "become a sibling", MASTER, become_a_sibling },
    { "become a sibling by the effective id alone", MASTER, become_half_a_sibling },
    { "become gid 0", MASTER, regain_gid },
    { "become gid 0 by 1 << 32", MASTER, regain_gid_by_high_bits },
    { "become the group of shadow", MASTER, take_the_group_of_shadow },
    { "setgroups to that of shadow", MASTER, join_a_group },
    { "setgroups with high bits", MASTER, join_a_group_by_high_bits },
    { "setuid 0", 0, set_uid },
    { "setgid 0", 0, set_gid },
    { "setreuid 0", 0, set_real_uid },
    { "setregid 0", 0, set_real_gid },
    { "setfsuid 0", MASTER, set_file_uid },
    { "setfsgid 0", MASTER, set_file_gid },
    { "raise capabilities", 0, raise_capabilities },
    { "keep capabilities", MASTER, keep_capabilities_over_exec },
    { "make a user namespace", 0, unshare_users },
    { "make a mount namespace", 0, unshare_mounts },
    { "clone into a user namespace", 0, clone_users },
    { "clone3 into a user namespace", 0, clone3_users },
    { "enter a namespace", 0, enter_a_namespace },
};
const size_t id_attempt_count = sizeof id_attempts / sizeof *id_attempts;
