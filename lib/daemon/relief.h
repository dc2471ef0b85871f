/* Several processes of one role that talk with each other (master's table of links) have the same listeners. The first accepts,
 * so that what it does for many is done at once and no other process wakes up in vain; while its CPU time is short, the next one
 * accepts as well, and calls the one after it in its turn. When one is gone, the next stands in for it. */
#pragma once
#include "daemon/daemon.h"

extern const peer_row relief_row; /* of a peer of the own role */

/* Whether its state changed: busy with 60 % of the time since the last look, at ease below 20 %; looks are 100 ms apart at least.
 * `cpu_us`: what the process has used so far. */
bool relief_judge(relief *r, uint64_t now_ms, uint64_t cpu_us);

bool relief_is_on_duty(const process *d); /* it accepts now */

void relief_accepted(process *d); /* a moment to look at the load */
void relief_leave(process *d);    /* it accepts nothing any more: whoever comes next does */
