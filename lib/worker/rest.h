/* Gives back what an idle worker can have again: free heap, the stack below the caller, scratch memory, and the mapping of its own
 * code, which stays in the page cache and comes back page by page. Runs in: workers, before they wait for long. */
#pragma once

void worker_rest(void);
