/* Rewriting as compiled rules have it, and its part of an expansion. Inside the engine only. */
#pragma once
#include "policy/engine/expansion.h"

/* "envelope_sender, header_sender" as bits. False: an unknown word, in *ps. */
bool rewrite_classes_read(str where, str value, unsigned *out, problems *ps);

/* The address in its new form; faults go to e->later, steps to e->steps. */
str rewrite_run(expansion *e, enum policy_rewrite_line class, bool is_remote, str path);
