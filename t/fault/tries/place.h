/* The process that makes the attempts: its page, and what its role may do. */
#pragma once
#include "fault/tries/tries.h"

/* The page of this process, which then begins when the test says so. */
page *place_page(const char *role); /* DIRECTORY/progress/ROLE beside the executable; NULL: there is none */
void place_take(page *p, const char *role);
