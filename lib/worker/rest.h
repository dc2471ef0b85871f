/* Gives back what an idle worker can have again: free heap, the stack below the loop, scratch memory, and the mapping of its own
 * code, which stays in the page cache and comes back page by page; at the end of this round. Runs in: workers, before they wait for
 * long. */
#pragma once
#include "loop/loop.h"

void worker_rest(loop *l);
