/* How mail leaves: one row for each transport. A new one is a row here and a delivery process that speaks talk/deliver.h.
 * Runs in: qmgr. */
#include "qmgr/qmgr.h"

#define TRANSPORT(name, process)                                                                                \
    {                                                                                                           \
#name, process, AT_##name##_initial_destination_concurrency, AT_##name##_destination_concurrency_limit, \
            AT_##name##_destination_concurrency_positive_feedback,                                              \
            AT_##name##_destination_concurrency_negative_feedback,                                              \
            AT_##name##_destination_concurrency_failed_cohort_limit, AT_##name##_destination_rate_delay         \
    }

const transport transports[] = { TRANSPORT(local, "local"), TRANSPORT(pipe, "pipe") };
const size_t transport_count = COUNT_OF(transports);

_Static_assert(COUNT_OF(transports) <= TRANSPORTS_MAX, "room for each");

const transport *transport_find(str name)
{
    for (size_t i = 0; i < transport_count; i++)
        if (str_equal(name, str_c(transports[i].name)))
            return &transports[i];
    return NULL;
}
