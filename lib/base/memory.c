#include "base/memory.h"
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static void *or_exit(void *p)
{
    static const char text[] = "out of memory\n";
    if (p)
        return p;
    (void)!write(2, text, sizeof text - 1);
    _exit(EXIT_OUT_OF_MEMORY);
}

void *memory_get(size_t bytes)
{
    return or_exit(calloc(1, bytes ? bytes : 1));
}

void *memory_resize(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return or_exit(NULL);
    return or_exit(realloc(p, bytes ? bytes : 1));
}
