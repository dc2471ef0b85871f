/* Numbers from text, through one checked way each. No sign, no blanks, no prefix; the whole view must be the number. */
#pragma once
#include "base/str.h"

bool num_parse(str s, uint64_t min, uint64_t max, uint64_t *out);

/* Bytes with an optional unit k, m, g (1024s), as "50m". */
bool num_parse_bytes(str s, uint64_t max, uint64_t *out);

/* Seconds with an optional unit s, m, h, d, w, as Postfix writes time: "5d". `unit` is what a bare number means. */
bool num_parse_seconds(str s, char unit, uint64_t max, uint64_t *out);
