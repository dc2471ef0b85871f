/* The process that makes the attempts: its page, and what its role may do. */
#pragma once
#include "fault/tries/tries.h"

/* The page of this process, which then begins when the test says so. */
void place_take(page *p, const char *role);
