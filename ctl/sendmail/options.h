/* The command line of sendmail, as other software writes it. Runs in: sendmail. Views into argv. */
#pragma once
#include "base/fault.h"

typedef enum sendmail_mode { MODE_DELIVER, MODE_SMTP, MODE_LIST, MODE_ALIASES, MODE_FLUSH } sendmail_mode;

typedef struct sendmail_options {
    sendmail_mode mode;
    const char *directory; /* NULL: where the suite is installed */
    bool reads_header;     /* -t */
    bool ignores_dot;      /* -i, -oi */
    bool has_sender;
    str sender, full_name; /* full_name.p NULL: not said */
    str flush_id, flush_site; /* -qI, -qR; both empty: all */
    uint32_t notify;       /* NOTIFY_…, 0: not said */
    str returns, envelope_id;
    bool has_verp; /* -XV */
    str verp;      /* -XVxy: the delimiters; empty: the default ones */
    bool is_8bit;
    char **recipients; /* what is left, ends in NULL */
    int recipient_count;
} sendmail_options;

/* Fails: FAULT_REFUSED, a mistake of the caller: EX_USAGE. */
fault sendmail_options_read(int argc, char **argv, sendmail_options *out);
