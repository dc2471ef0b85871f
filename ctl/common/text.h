/* Texts for a person at a terminal. Runs in: the commands. */
#pragma once
#include "base/str.h"
#include <stdio.h>

typedef struct short_text {
    char text[24];
} short_text;

short_text text_duration(uint64_t seconds); /* "3d4h", "12m", "5s": the two largest units */
short_text text_bytes(uint64_t bytes);      /* "512", "1.2k", "3.4M" */

/* Writes what came from outside: bytes that a terminal would obey become '?'. UTF-8 stays. */
void text_print(FILE *to, str s);
