/* What requeue does to a message; import can do it, too. Runs in: postrider. */
#pragma once
#include "queue/file.h"

/* Every recipient that is not delivered is looked up anew, from the address that the client said, unless another that came of it
 * is delivered: then from its own. None has been tried, and a hold by policy is over. False: all are delivered. */
bool again_change(void *context, queue_message *m, arena *a);
