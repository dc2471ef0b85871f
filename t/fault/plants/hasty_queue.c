/* A bug for t/fault/powercut to find: cleanup says that the message is in the queue, and then makes it durable. */
#include "cleanup/cleanup.h"

void __real_intake_committed(intake *i, fault outcome);
void __wrap_intake_committed(intake *i, fault outcome);

void __wrap_intake_committed(intake *i, fault outcome)
{
    if (!is_fault(outcome)) {
        cleanup_done m = { .queue_id = i->file.id };
        channel_put(i->bringer->channel, CLEANUP_DONE, i->ref, cleanup_done, &m);
        channel_flush(i->bringer->channel);
    }
    __real_intake_committed(i, outcome); /* the second word finds nobody who waits for it */
}
