/* The messages that a command is for: ids on the command line or, for "-", on the input, ALL, or what fits the filter.
 * Runs in: postrider. */
#pragma once
#include "ctl/queue/filter.h"

typedef struct selection {
    queue_ids ids; /* each once; the oldest first when they were looked for */
    size_t wrong;  /* words that name no message; it was said */
} selection;

/* Looks for what the operands and the filter name; operands and a filter together mean those of the operands that fit.
 * FAULT_REFUSED, 5.4: neither was given, and `means_all` is not set. selection_free in any case. */
fault selection_take(selection *out, queue_view *v, const invocation *in, const queue_filter *f, bool means_all);
void selection_free(selection *s);

/* Rows of all messages that fit the filter, oldest first; files are looked at when the filter needs them. The caller's. */
fault rows_select(queue_view *v, const queue_filter *f, queue_rows *out);
