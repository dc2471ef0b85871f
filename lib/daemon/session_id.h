/* Names of sessions for the log and for other processes: like none of another process, of an earlier one, or of this one,
 * whichever way the clock goes. Runs in: smtpd, login. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { SESSION_ID_SIZE = 24 };

/* Zeroed is right. */
typedef struct session_ids {
    uint64_t last_us;
    uint32_t process; /* its id, which no two that live have */
} session_ids;

/* `prefix` is at most one letter: which program made it. */
void session_id_make(session_ids *ids, const char *prefix, char out[SESSION_ID_SIZE]);
