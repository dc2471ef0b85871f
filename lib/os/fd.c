#include "os/fd.h"
#include "base/memory.h"
#include "os/file.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

void fd_close(int *fd)
{
    int number = errno;

    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    errno = number;
}

bool fd_set_nonblock(int fd, bool is_on)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return false;
    int wanted = is_on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return wanted == flags || fcntl(fd, F_SETFL, wanted) == 0;
}

bool fd_set_cloexec(int fd, bool is_on)
{
    return fcntl(fd, F_SETFD, is_on ? FD_CLOEXEC : 0) == 0;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* The gaps between the sorted descriptors, each closed at once. */
static bool gaps_close(const int *sorted, size_t count)
{
    unsigned from = 3;

    for (size_t i = 0; i < count; i++) {
        if (sorted[i] < 0 || (unsigned)sorted[i] < from)
            continue;
        unsigned fd = (unsigned)sorted[i];
        if (fd > from && close_range(from, fd - 1, 0) != 0)
            return false;
        from = fd + 1;
    }
    return close_range(from, UINT_MAX, 0) == 0;
}

bool fd_close_others(const int *keep, size_t count)
{
    int *sorted = memory_get((count + 1) * sizeof *sorted);

    if (count > 0)
        memcpy(sorted, keep, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_number);
    bool done = gaps_close(sorted, count);
    free(sorted);
    return done;
}

int fd_memory(const char *name)
{
    static unsigned noexec = MFD_NOEXEC_SEAL; /* kernels before 6.3 do not know it */
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | noexec);

    if (fd < 0 && errno == EINVAL && noexec) {
        noexec = 0;
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    return fd;
}

bool fd_memory_seal(int fd)
{
    return fcntl(fd, F_ADD_SEALS, SEALS) == 0;
}

fault fd_seal(const char *name, str bytes, int *out)
{
    int fd = fd_memory(name);

    *out = -1;
    if (fd < 0)
        return fault_errno("cannot make a memory file for %s", name);
    if (!file_write_all(fd, bytes) || !fd_memory_seal(fd)) {
        fault f = fault_errno("cannot fill the memory file for %s", name);
        fd_close(&fd);
        return f;
    }
    *out = fd;
    return NO_FAULT;
}

bool fd_is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS;
}

fault fd_map_sealed(int fd, size_t max, str *out)
{
    struct stat st;

    *out = STR_NONE;
    if (!fd_is_sealed(fd))
        return fault_make(FAULT_BROKEN, "3.0", "the memory file is not sealed");
    if (fstat(fd, &st) != 0)
        return fault_errno("cannot look at the memory file");
    if ((uint64_t)st.st_size > max)
        return fault_make(FAULT_BROKEN, "3.0", "the memory file has %lld bytes, more than %zu", (long long)st.st_size,
                          max);
    if (st.st_size == 0)
        return NO_FAULT;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return fault_errno("cannot map the memory file");
    *out = (str){ p, (size_t)st.st_size };
    return NO_FAULT;
}

void fd_unmap(str *mapped)
{
    if (mapped->n > 0)
        munmap((void *)(uintptr_t)mapped->p, mapped->n);
    *mapped = STR_NONE;
}
