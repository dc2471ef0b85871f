/* The addresses of this host's interfaces. Runs in: policy, cleanup (before they are confined), postrider. */
#pragma once
#include "base/buf.h"

/* Appends them as text, each followed by a blank. False: they cannot be listed (errno), or `out` overflows. */
bool interfaces_list(buf *out);
