#include "fault/tries/tries.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const attempt *attempt_at(size_t n)
{
    const struct {
        const attempt *rows;
        size_t count;
    } all[] = {
        { id_attempts, id_attempt_count },
        { file_attempts, file_attempt_count },
        { net_attempts, net_attempt_count },
        { process_attempts, process_attempt_count },
        { kernel_attempts, kernel_attempt_count },
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (n < all[i].count)
            return &all[i].rows[n];
        n -= all[i].count;
    }
    return NULL;
}

bool was_let_in(long result)
{
    return result >= 0 || (errno != EPERM && errno != EACCES && errno != ENOSYS && errno != ENOENT);
}

page *page_open(int folder_fd, const char *path)
{
    int fd = openat(folder_fd, path, O_RDWR | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    return p == MAP_FAILED ? NULL : p;
}

void row_try(page *p, page_row *row, const attempt *a, unsigned role)
{
    snprintf(row->name, sizeof row->name, "%s", a->name);
    if (a->spared & role) {
        row->outcome = DOES_NOT_APPLY;
        return;
    }
    row->outcome = BEGUN;
    errno = 0;
    bool succeeded = a->succeeds(p);
    row->error = errno;
    row->outcome = succeeded ? SUCCEEDED : REFUSED;
}

void tries_run(page *p, unsigned role)
{
    const attempt *a;

    if (p->next > 0 && p->rows[p->next - 1].outcome == BEGUN)
        p->rows[p->next - 1].outcome = KILLED;
    while (p->next < PAGE_ROWS && (a = attempt_at(p->next)) != NULL) {
        page_row *row = &p->rows[p->next++];
        row_try(p, row, a, role);
    }
    p->count = p->next;
    p->is_done = attempt_at(p->next) == NULL;
}
