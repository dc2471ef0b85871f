/* The addresses of a message as canonical_maps, masquerade_domains and the append_… parameters want them, and who gets blind
 * copies by sender_bcc_maps and recipient_bcc_maps. Runs in: policy, and `postrider explain --rewrite`. No I/O but look-ups.
 * Results live in the caller's arena. Fails: FAULT_TRY_LATER when a table cannot be looked into or its results go in a circle. */
#pragma once
#include "policy/engine/policy.h"

typedef struct rewritten {
    str address;        /* as it was given, byte for byte, where nothing applies */
    str bcc;            /* empty: nobody */
    fault fault;        /* the two are empty then */
    policy_step *steps; /* what was looked up */
    size_t step_count;
} rewritten;

/* `path` is without brackets. What is no address, is empty, or carries a second hop stays as it is. Header addresses of others
 * than local clients (`is_remote`) are completed by remote_header_rewrite_domain. The bcc of an envelope address is looked for
 * under its new form. */
void policy_rewrite_address(const policy_rules *rules, enum policy_rewrite_line class, bool is_remote, str path, arena *mem,
                            rewritten *out);
