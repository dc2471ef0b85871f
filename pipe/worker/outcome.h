/* What the end of a command means for its message (sysexits.h). Runs in: pipe-worker. No I/O. */
#pragma once
#include "base/buf.h"
#include "base/fault.h"

typedef struct command_end {
    int wait_status;
    bool is_late; /* it was killed at its time limit */
    str command;
    str output;   /* of both its outputs, the first bytes */
} command_end;

/* The words of the result are appended to *reason. Output that begins with an enhanced status code (4.x.x, 5.x.x) decides. */
fault outcome_read(const command_end *end, buf *reason);
