/* The header of a message that a local program brings: recipients are taken from it when asked for, hidden ones removed, a
 * missing From added. No I/O. Runs in: sendmail. */
#pragma once
#include "ctl/sendmail/recipients.h"
#include "base/buf.h"

typedef struct header_job {
    recipients *recipients; /* NULL: the header says nothing of recipients (without -t) */
    str sender;             /* envelope, for a From that is missing; empty: the null sender */
    str full_name;          /* may be empty */
    str origin;
} header_job;

/* `header`: lines ended by CRLF. Appends the header that goes on. Fails: FAULT_REFUSED for an address that is none. */
fault header_prepare(const header_job *job, str header, buf *out);
