/* SELECT, EXAMINE, CLOSE, UNSELECT, EXPUNGE. */
#include "base/clock.h"
#include "imapd/worker/handlers.h"

static void mailbox_announce(session *s)
{
    uint32_t unseen = 0;
    flags_announce(s);
    session_printf(s, "* %u EXISTS\r\n* %u RECENT\r\n", mailbox_count(s->box), mailbox_recent(s->box));
    if (!is_fault(mailbox_first_unseen(s->box, &unseen)) && unseen)
        session_printf(s, "* OK [UNSEEN %u] First unseen\r\n", unseen);
    session_printf(s, "* OK [UIDVALIDITY %u] UIDs valid\r\n* OK [UIDNEXT %u] Predicted next UID\r\n",
                   mailbox_uidvalidity(s->box), mailbox_uidnext(s->box));
}

/* RFC 3501 6.3.1: also a SELECT that fails leaves no mailbox selected. */
static void open_box(session *s, const imap_command *c, bool is_readonly)
{
    session_deselect(s);
    if (!c->mailbox.is_valid) {
        session_answer(s, "NO [CANNOT] Not the name of a mailbox");
        return;
    }
    fault f = mailbox_open(s->server->store, c->mailbox.name, is_readonly, &s->box);
    if (is_fault(f)) {
        s->box = NULL;
        if (f.kind == FAULT_REFUSED)
            session_answer(s, "NO [NONEXISTENT] %s", f.text);
        else
            session_answer_fault(s, f);
        return;
    }
    s->synced_ms = clock_monotonic_ms();
    mailbox_announce(s);
    session_answer(s, is_readonly ? "OK [READ-ONLY] Examine completed" : "OK [READ-WRITE] Select completed");
}

void on_select(session *s, const imap_command *c)
{
    open_box(s, c, false);
}

void on_examine(session *s, const imap_command *c)
{
    open_box(s, c, true);
}

/* Its expunges are not told (RFC 3501 6.4.2). */
void on_close(session *s, const imap_command *c)
{
    fault f = NO_FAULT;
    (void)c;
    if (!mailbox_is_readonly(s->box))
        f = mailbox_expunge(s->box, NULL, true, NULL);
    session_deselect(s);
    if (is_fault(f))
        session_answer_fault(s, f);
    else
        session_answer(s, "OK Close completed");
}

void on_unselect(session *s, const imap_command *c)
{
    (void)c;
    session_deselect(s);
    session_answer(s, "OK Unselect completed");
}

/* EXPUNGE, and UID EXPUNGE (RFC 4315 2.1). */
void on_expunge(session *s, const imap_command *c)
{
    uid_set uids = { 0 };
    if (mailbox_is_readonly(s->box)) {
        session_answer(s, "NO [READ-ONLY] The mailbox was opened with EXAMINE");
        return;
    }
    if (c->is_uid && !session_pick(s, &c->set, true, &uids))
        return;
    fault f = mailbox_expunge(s->box, c->is_uid ? &uids : NULL, true, NULL);
    uid_set_free(&uids);
    if (is_fault(f))
        session_answer_fault(s, f);
    else
        session_answer(s, "OK Expunge completed");
}
