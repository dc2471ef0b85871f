#include "os/filter.h"
#include "base/buf.h"
#include "base/memory.h"
#include "os/fd.h"
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILE_MAX = FILTER_PROGRAMS * FILTER_INSTRUCTIONS_MAX * (int)sizeof(struct sock_filter) + 64 };

typedef struct filter_head { /* of the memory file; the programs follow, in order */
    char magic[4];
    uint16_t pid_count;
    uint16_t counts[FILTER_PROGRAMS];
    uint16_t pids[FILTER_PIDS_MAX];
} filter_head;

static const char filter_magic[4] = { 'P', 'R', 'F', '1' };

void filter_free(filter *f)
{
    for (size_t i = 0; i < FILTER_PROGRAMS; i++)
        free(f->programs[i]);
    *f = (filter){ 0 };
}

static bool program_load(struct sock_filter *code, uint16_t count)
{
    struct sock_fprog program = { .len = count, .filter = code };
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

bool filter_load(const filter *f)
{
    struct sock_filter *last = f->programs[FILTER_PROGRAMS - 1];
    uint32_t pid = (uint32_t)syscall(SYS_getpid);

    /* The argument checks first: the list does not hold seccomp() itself for those that need no more of it. */
    for (size_t i = 0; i < f->pid_count; i++)
        last[f->pids[i]].k = pid;
    for (size_t i = FILTER_PROGRAMS; i-- > 0;)
        if (f->counts[i] > 0 && !program_load(f->programs[i], f->counts[i]))
            return false;
    return true;
}

static struct sock_filter *program_copy(const void *from, uint16_t count)
{
    size_t bytes = count * sizeof(struct sock_filter);
    struct sock_filter *copy = memory_get(bytes + 1);

    if (count > 0)
        memcpy(copy, from, bytes);
    return copy;
}

filter filter_trapping(const filter *f)
{
    filter copy = *f;

    for (size_t i = 0; i < FILTER_PROGRAMS; i++) {
        copy.programs[i] = program_copy(f->programs[i], f->counts[i]);
        for (size_t k = 0; k < f->counts[i]; k++) {
            struct sock_filter *at = &copy.programs[i][k];
            if (at->code == (BPF_RET | BPF_K) && at->k == SECCOMP_RET_KILL_PROCESS)
                at->k = SECCOMP_RET_TRAP;
        }
    }
    return copy;
}

fault filter_write(const filter *f, const char *name, int *out_fd)
{
    filter_head head = { .pid_count = f->pid_count };
    buf b = buf_new(FILE_MAX);

    memcpy(head.magic, filter_magic, sizeof head.magic);
    memcpy(head.counts, f->counts, sizeof head.counts);
    memcpy(head.pids, f->pids, sizeof head.pids);
    buf_append(&b, (str){ (const char *)&head, sizeof head });
    for (size_t i = 0; i < FILTER_PROGRAMS; i++)
        buf_append(&b, (str){ (const char *)f->programs[i], f->counts[i] * sizeof(struct sock_filter) });
    fault failed =
        b.overflow ? fault_make(FAULT_BUG, "3.0", "the filter is too long") : fd_seal(name, buf_str(&b), out_fd);
    if (b.overflow)
        *out_fd = -1;
    buf_free(&b);
    return failed;
}

static bool head_is_sane(const filter_head *head, size_t bytes)
{
    size_t instructions = 0;

    if (memcmp(head->magic, filter_magic, sizeof head->magic) != 0 || head->pid_count > FILTER_PIDS_MAX)
        return false;
    for (size_t i = 0; i < FILTER_PROGRAMS; i++) {
        if (head->counts[i] > FILTER_INSTRUCTIONS_MAX)
            return false;
        instructions += head->counts[i];
    }
    for (size_t i = 0; i < head->pid_count; i++)
        if (head->pids[i] >= head->counts[FILTER_PROGRAMS - 1])
            return false;
    return instructions > 0 && bytes == sizeof *head + instructions * sizeof(struct sock_filter);
}

static void programs_copy(const filter_head *head, str rest, filter *out)
{
    out->pid_count = head->pid_count;
    memcpy(out->pids, head->pids, sizeof out->pids);
    for (size_t i = 0; i < FILTER_PROGRAMS; i++) {
        out->counts[i] = head->counts[i];
        out->programs[i] = program_copy(rest.p, head->counts[i]);
        rest = str_from(rest, head->counts[i] * sizeof(struct sock_filter));
    }
}

fault filter_read(int fd, filter *out)
{
    filter_head head;
    str bytes;

    *out = (filter){ 0 };
    fault f = fd_map_sealed(fd, FILE_MAX, &bytes);
    if (is_fault(f))
        return f;
    if (bytes.n >= sizeof head)
        memcpy(&head, bytes.p, sizeof head);
    if (bytes.n < sizeof head || !head_is_sane(&head, bytes.n))
        f = fault_make(FAULT_BROKEN, "3.0", "this is no filter");
    else
        programs_copy(&head, str_from(bytes, sizeof head), out);
    fd_unmap(&bytes);
    return f;
}
