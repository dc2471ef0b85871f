/* What smtpd and login ask of meter. The handlers get the peer: its context is its holder, its daemon's state the counter. */
#pragma once
#include "daemon/daemon.h"

enum { EVENT_ROWS = 4 };
extern const talk_row event_rows[EVENT_ROWS];
