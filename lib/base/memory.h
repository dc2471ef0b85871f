/* Allocation that never returns NULL: out of memory ends the process with exit status 71 and the supervisor restarts it
 * (STYLE 12). Sizes from outside are bounded before they come here. */
#pragma once
#include <stddef.h>

enum { EXIT_OUT_OF_MEMORY = 71 };

void *memory_get(size_t bytes);                    /* zeroed */
void *memory_resize(void *p, size_t count, size_t size); /* not zeroed; checks count * size */
