/* Grammar of SMTP command lines (RFC 5321 4.1). Runs in: smtpd. No I/O, no allocation: views into the caller's
 * bytes. Verbs and what they need are the session's table; MAIL and RCPT parameters are proto/smtp_params.h, paths
 * are mail/address.h. */
#pragma once
#include "proto/line.h"

enum {
    SMTP_COMMAND_MAX = 2048,   /* RFC 5321 4.5.3.1.4 has 512; extensions add to it */
    SMTP_RESPONSE_MAX = 12288, /* RFC 4954 4: a line of an AUTH exchange */
};

typedef struct smtp_command {
    str verb;     /* "MAIL FROM:", "RCPT TO:" keep their second word; case as written */
    str argument; /* a path without its angle brackets, or the rest of the line without blanks at its ends */
    str params;   /* ESMTP parameters after a path, unparsed */
    bool is_path; /* argument came in angle brackets; may be empty, the null reverse-path */
} smtp_command;

/* A line without its end. Never fails: what does not fit its verb is seen by the verb's row. */
void smtp_command_parse(str line, smtp_command *out);

/* line_read and smtp_command_parse in one. PARSE_BAD: r->problem says why. *used as line_read. */
parse smtp_command_read(line_reader *r, str in, smtp_command *out, size_t *used);
