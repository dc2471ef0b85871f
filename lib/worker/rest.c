#include "worker/rest.h"
#include "ipc/channel.h"
#include "loop/stream.h"
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>

#ifdef POSTRIDER_SANITIZED /* whose shadow of the stack must keep its sense */

void worker_rest(loop *l)
{
    (void)l;
}

#else

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden"))); /* the linker's: where this program begins */

enum { PAGE = 4096, STACK_BELOW = 256 * 1024, RED_ZONE = 256 };

/* Only what can be read from the file again: never a segment that was written to, relocations included. */
static void code_rest(void)
{
    uintptr_t base = (uintptr_t)&__ehdr_start;
    const ElfW(Phdr) *rows = (const void *)(base + __ehdr_start.e_phoff);
    for (size_t i = 0; i < __ehdr_start.e_phnum; i++) {
        uintptr_t start = (base + rows[i].p_vaddr + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
        uintptr_t end = (base + rows[i].p_vaddr + rows[i].p_memsz) & ~(uintptr_t)(PAGE - 1);
        if (rows[i].p_type == PT_LOAD && !(rows[i].p_flags & PF_W) && end > start)
            madvise((void *)start, end - start, MADV_DONTNEED);
    }
}

/* What earlier, deeper calls left behind. The part of the range that the stack never reached is not mapped; that is no error. */
static void stack_rest(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    uintptr_t end = (here - RED_ZONE) & ~(uintptr_t)(PAGE - 1);
    madvise((void *)(end - STACK_BELOW), STACK_BELOW, MADV_DONTNEED);
}

/* Called by the loop itself, so that few frames lie between the ones that stay and the pages that go. */
static void rest_task(void *context)
{
    (void)context;
    channel_rest();
    stream_rest();
    malloc_trim(0);
    stack_rest();
    code_rest();
}

void worker_rest(loop *l)
{
    static task rest; /* one a process */
    task_put(l, &rest, rest_task, NULL);
}

#endif
