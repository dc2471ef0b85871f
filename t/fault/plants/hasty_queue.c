/* A bug for t/fault/powercut to find: cleanup says that the message is in the queue, and then makes it one. */
#include "cleanup/cleanup.h"

void __real_intake_finish(intake *i);
void __wrap_intake_finish(intake *i);

void __wrap_intake_finish(intake *i)
{
    if (!is_fault(i->problem) && !is_direct(i)) {
        cleanup_done m = { .queue_id = i->file.id };
        channel_put(i->bringer->channel, CLEANUP_DONE, i->ref, cleanup_done, &m);
        channel_flush(i->bringer->channel);
    }
    __real_intake_finish(i); /* the second word finds nobody who waits for it */
}
