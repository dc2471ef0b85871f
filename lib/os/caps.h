/* Capabilities of the calling process.
 * Runs in: become() and children of spawn(). Sets are bits as the kernel numbers them. */
#pragma once
#include "base/fault.h"

uint64_t caps_from_contract(unsigned caps); /* CAPS_… (os/contract.h) to kernel bits */

/* Locks securebits so that uid 0 and changes of ids mean nothing to capabilities any more. Needs SETPCAP. False with
 * errno. */
bool caps_lock_securebits(void);

bool caps_drop_bounding(uint64_t keep); /* needs SETPCAP */

/* Effective and permitted become `set`, inheritable and ambient empty; reads them back. Async-signal-safe. False with
 * errno. */
bool caps_set(uint64_t set);

bool caps_get(uint64_t *out_effective, uint64_t *out_permitted, uint64_t *out_inheritable);
