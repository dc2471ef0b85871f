/* The queue as mailq has always shown it. Runs in: mailq, sendmail -bp. */
#pragma once
#include "conf/config.h"

int mailq_print(const config *c); /* returns the exit status (sysexits) */
