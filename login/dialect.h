/* What IMAP and POP3 have in common before login, as a table of what differs. Runs in: login. */
#pragma once
#include "base/fault.h"
#include "base/str.h"

typedef struct session session;

typedef struct dialect {
    const char *protocol; /* for ALPN and auth: "imap" */
    const char *pool;     /* role of the process that gets the session */
    void (*greet)(session *s);
    size_t (*input)(session *s, str bytes);     /* takes commands until the session waits for something */
    void (*reset)(session *s);                  /* forgets all that came in; before TLS and at the end */
    void (*refuse)(session *s, fault_kind why); /* answers the login that failed; FAULT_REFUSED or FAULT_TRY_LATER */
    void (*bye)(session *s, const char *text);  /* says why the connection ends */
    void (*sasl_failed)(session *s, const char *text); /* answers an exchange that came to nothing */
    void (*refuse_text)(str tag, char *out, size_t size); /* for a session that is not here any more */
} dialect;

extern const dialect imap_dialect, pop3_dialect;
