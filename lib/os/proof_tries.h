/* What a confined process must not be able to do, one row each. Used by proof.c only. */
#pragma once
#include "os/proof.h"

typedef struct proof_try {
    const char *name;                         /* completes "it could …" */
    bool (*applies)(const proof_context *p);  /* whether the contract forbids it */
    bool (*succeeds)(const proof_context *p); /* does it; raw calls only, the process may die in it */
} proof_try;

extern const proof_try proof_tries[];
extern const size_t proof_try_count;
