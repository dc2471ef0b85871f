/* A daemon of master's (and master itself) takes its page before its walls go up: DIRECTORY/progress/ROLE beside its executable. */
#include "fault/tries/place.h"
#include "os/become.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

fault __real_become(const contract *c, const identity *id);
fault __wrap_become(const contract *c, const identity *id);

/* One process of a role makes the attempts, and its successor after a death. */
static bool is_ours(page *p)
{
    int32_t known = p->pid;

    if (known != 0 && kill(known, 0) == 0)
        return false;
    return __atomic_compare_exchange_n(&p->pid, &known, getpid(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

fault __wrap_become(const contract *c, const identity *id)
{
    page *p = place_page(c->role);
    if (p && is_ours(p))
        place_take(p, c->role);
    return __real_become(c, id);
}
