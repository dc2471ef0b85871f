/* A password or a key: a type of its own, so that neither the log nor a reply takes it by mistake. Wipe it after use. */
#pragma once
#include "base/str.h"

typedef struct secret {
    str hidden;
} secret;

/* Overwrites bytes that held a secret; never optimised away. */
static inline void secret_wipe(void *p, size_t n)
{
    explicit_bzero(p, n);
}

/* Equal in a time that depends on the lengths alone. */
static inline bool secret_equal(secret a, secret b)
{
    unsigned char differs = a.hidden.n != b.hidden.n;
    if (b.hidden.n == 0)
        return a.hidden.n == 0;
    for (size_t i = 0; i < a.hidden.n; i++)
        differs |= (unsigned char)(a.hidden.p[i] ^ b.hidden.p[i % b.hidden.n]);
    return !differs;
}
