/* The address that mail for postmasters comes from, double_bounce_sender in myorigin: of what happens to such mail nobody is told. */
#pragma once
#include "conf/parameters.h"

bool is_double_bounce(const config *c, str address);
