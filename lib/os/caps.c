#include "os/caps.h"
#include "os/contract.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CAP_LAST_POSSIBLE = 63,
    /* KEEP_CAPS stays off and locked: with NO_SETUID_FIXUP it has nothing to do. */
    SECUREBITS_WANTED = (SECURE_ALL_BITS & ~SECBIT_KEEP_CAPS) | SECURE_ALL_LOCKS,
};

uint64_t caps_from_contract(unsigned caps)
{
    static const struct {
        unsigned ours;
        int kernel;
    } rows[] = {
        { CAPS_SETUID, CAP_SETUID },
        { CAPS_SETGID, CAP_SETGID },
        { CAPS_CHROOT, CAP_SYS_CHROOT },
        { CAPS_SETPCAP, CAP_SETPCAP },
        { CAPS_BIND, CAP_NET_BIND_SERVICE },
        { CAPS_KILL, CAP_KILL },
        { CAPS_READ_SEARCH, CAP_DAC_READ_SEARCH },
        { CAPS_CHOWN, CAP_CHOWN },
    };
    uint64_t set = 0;

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (caps & rows[i].ours)
            set |= UINT64_C(1) << rows[i].kernel;
    return set;
}

bool caps_lock_securebits(void)
{
    return prctl(PR_SET_SECUREBITS, SECUREBITS_WANTED, 0, 0, 0) == 0;
}

bool caps_drop_bounding(uint64_t keep)
{
    for (int cap = 0; cap <= CAP_LAST_POSSIBLE; cap++) {
        if (keep >> cap & 1)
            continue;
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
            return false;
    }
    return true;
}

bool caps_get(uint64_t *out_effective, uint64_t *out_permitted, uint64_t *out_inheritable)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };

    if (syscall(SYS_capget, &head, d) != 0)
        return false;
    *out_effective = (uint64_t)d[1].effective << 32 | d[0].effective;
    *out_permitted = (uint64_t)d[1].permitted << 32 | d[0].permitted;
    *out_inheritable = (uint64_t)d[1].inheritable << 32 | d[0].inheritable;
    return true;
}

bool caps_set(uint64_t set)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = {
        { .effective = (uint32_t)set, .permitted = (uint32_t)set },
        { .effective = (uint32_t)(set >> 32), .permitted = (uint32_t)(set >> 32) },
    };
    uint64_t effective, permitted, inheritable;

    if (syscall(SYS_capset, &head, d) != 0 || !caps_get(&effective, &permitted, &inheritable))
        return false;
    if (effective == set && permitted == set && inheritable == 0)
        return true; /* ambient is within permitted and inheritable: empty too */
    errno = EPERM;
    return false;
}
