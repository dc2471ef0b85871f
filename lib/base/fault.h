/* What went wrong, in the terms that mail has for it. Travels unchanged from where it happens to the reply or the report.
 * Carries its text by value, so that nobody has to own it. */
#pragma once
#include "base/str.h"

typedef enum fault_kind {
    FAULT_NONE,
    FAULT_TRY_LATER, /* ours or theirs, may pass: 4xx, NO, defer */
    FAULT_REFUSED,   /* will not change by trying again: 5xx, bounce */
    FAULT_BROKEN,    /* the peer broke the protocol: close that peer */
    FAULT_BUG,       /* an invariant of ours: log, end the process, restart */
} fault_kind;

typedef struct fault {
    fault_kind kind;
    char status[8]; /* enhanced status code without its class, "3.1" (RFC 3463) */
    char text[240]; /* for a person; ends in NUL, cut to fit */
} fault;

#define NO_FAULT ((fault){ .kind = FAULT_NONE })

static inline bool is_fault(fault f)
{
    return f.kind != FAULT_NONE;
}

fault fault_make(fault_kind kind, const char *status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* FAULT_TRY_LATER with errno's text behind the words; "3.1" when the disk is full, "3.0" otherwise. */
fault fault_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));
