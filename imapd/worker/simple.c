/* Verbs that need no mailbox. */
#include "imapd/worker/handlers.h"

void on_capability(session *s, const imap_command *c)
{
    (void)c;
    session_write(s, STR("* CAPABILITY " CAPABILITIES "\r\n"));
    session_answer(s, "OK Capability completed");
}

/* NOOP, CHECK: what other programs did to the folder is looked for at once. */
void on_noop(session *s, const imap_command *c)
{
    s->synced_ms = 0;
    session_answer(s, "OK %.*s completed", STR_ARG(imap_verb_name(c->verb)));
}

void on_logout(session *s, const imap_command *c)
{
    (void)c;
    session_write(s, STR("* BYE Logging out\r\n"));
    session_answer(s, "OK Logout completed");
    s->mode = MODE_END;
    s->end_reason = "logout";
    stream_finish(&s->stream);
}

void on_id(session *s, const imap_command *c)
{
    (void)c;
    session_write(s, STR("* ID (\"name\" \"Postrider\")\r\n"));
    session_answer(s, "OK ID completed");
}

/* RFC 5161: what is not known is passed over; there is nothing here that has to be switched on. */
void on_enable(session *s, const imap_command *c)
{
    (void)c;
    session_write(s, STR("* ENABLED\r\n"));
    session_answer(s, "OK Enabled");
}

/* RFC 2342: one namespace, the user's own, without a prefix. */
void on_namespace(session *s, const imap_command *c)
{
    (void)c;
    session_printf(s, "* NAMESPACE ((\"\" \"%c\")) NIL NIL\r\n", MAILBOX_DELIMITER);
    session_answer(s, "OK Namespace completed");
}
