#include "os/limits.h"
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { SET_MDWE = 65, GET_MDWE = 66, MDWE_REFUSE_EXEC_GAIN = 1 };

/* Never above the hard limit, which only an administrator may raise. 0: as it is. */
static bool limit_set(__rlimit_resource_t what, uint64_t wanted)
{
    struct rlimit now;

    if (wanted == 0)
        return true;
    if (getrlimit(what, &now) != 0)
        return false;
    rlim_t value = now.rlim_max != RLIM_INFINITY && wanted > now.rlim_max ? now.rlim_max : (rlim_t)wanted;
    struct rlimit limit = { value, value };
    return setrlimit(what, &limit) == 0;
}

bool limits_forbid_fork(void)
{
    struct rlimit none = { 0, 0 };
    return setrlimit(RLIMIT_NPROC, &none) == 0;
}

bool limits_has_mdwe(void)
{
    return prctl(GET_MDWE, 0, 0, 0, 0) > 0;
}

const char *limits_apply(const process_limits *l, bool forbids_exec_memory)
{
    struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return "dumpable";
    if (forbids_exec_memory)
        (void)prctl(SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0); /* since Linux 6.3 */
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return "core files";
    if (!limit_set(RLIMIT_NOFILE, l->open_files))
        return "open files";
    if (!limit_set(RLIMIT_FSIZE, l->file_bytes))
        return "file size";
#ifndef POSTRIDER_SANITIZED /* shadow memory counts */
    if (!limit_set(RLIMIT_DATA, l->memory_bytes))
        return "memory";
#endif
    return NULL;
}
