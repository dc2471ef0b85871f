/* One message from the input to the queue. Runs in: sendmail. */
#pragma once
#include "ctl/sendmail/options.h"
#include "ctl/sendmail/sink.h"

/* Returns the exit status (sysexits) and has said what is wrong. */
int message_deliver(const config *c, const sendmail_options *o);

/* The address that the caller's mail comes from: -f, else the account. In `a`. */
fault sender_of(const config *c, const sendmail_options *o, arena *a, str *out);

/* Says the fault; TRY_LATER is EX_TEMPFAIL, REFUSED is `refused`. */
int fault_status(fault f, int refused);
