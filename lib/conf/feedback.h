/* The strength of concurrency feedback, as *_concurrency_positive_feedback and its like have it: "1", "0.5 / concurrency",
 * "1/sqrt_concurrency". No I/O. */
#pragma once
#include "base/fault.h"

typedef enum feedback_kind { FEEDBACK_FIXED, FEEDBACK_BY_CONCURRENCY, FEEDBACK_BY_ROOT } feedback_kind;

typedef struct feedback {
    double value; /* 0 to 1 */
    feedback_kind kind;
} feedback;

/* FAULT_REFUSED says what is wrong. */
fault feedback_read(str text, feedback *out);
double feedback_of(const feedback *f, uint32_t concurrency);
