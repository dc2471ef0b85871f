/* The sockets that a running suite offers to local programs, in queue_directory/public. Runs in: postrider, sendmail, mailq.
 * The caller owns the descriptor. */
#pragma once
#include "conf/config.h"

typedef enum public_result {
    PUBLIC_CONNECTED,
    PUBLIC_NOT_RUNNING, /* nobody listens: the suite is down */
    PUBLIC_FAILED,      /* *out_fault says why */
} public_result;

/* Connects to public/NAME: "ctl", "queue", "submit". */
public_result public_connect(const config *c, const char *name, int *out_fd, fault *out_fault);
