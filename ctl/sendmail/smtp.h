/* sendmail -bs: SMTP on input and output, for mail programs that speak it to a local program. There is no policy here: who calls
 * is a user of this host, as with sendmail's other ways. Runs in: sendmail. */
#pragma once
#include "ctl/sendmail/deliver.h"

int smtp_serve(const config *c, const sendmail_options *o); /* returns the exit status (sysexits) */
