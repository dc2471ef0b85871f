/* A short name held by value. Tables of them have no pointers, so they need no relocation and stay shared among the processes of
 * one executable: for tables of per-user workers, of which there are many. */
#pragma once
#include "base/str.h"

typedef struct short_name {
    unsigned char n;
    char text[15];
} short_name;

#define SHORT_NAME(literal) { sizeof(literal) - 1, literal }

/* Lives as long as the table. */
static inline str short_name_str(const short_name *s)
{
    return (str){ s->text, s->n };
}
