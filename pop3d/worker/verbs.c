/* The verbs of the transaction state, one row each. */
#include "base/log.h"
#include "pop3d/worker/session.h"

static void on_stat(session *s, const pop3_command *c)
{
    (void)c;
    session_reply(s, "+OK %u %llu", s->count - uid_set_count(&s->deleted), (unsigned long long)s->bytes);
}

/* The UID of the message that the command names; 0: it was answered. */
static uint32_t message_of(session *s, const pop3_command *c)
{
    uint32_t uid = mailbox_uid(s->box, c->number);
    if (uid && !uid_set_has(&s->deleted, uid))
        return uid;
    session_bad(s, uid ? "The message is deleted" : "No such message");
    return 0;
}

static void list_start(session *s, bool is_uidl)
{
    if (is_uidl)
        session_reply(s, "+OK");
    else
        session_reply(s, "+OK %u messages", s->count - uid_set_count(&s->deleted));
    s->listing = (listing){ .is_uidl = is_uidl, .from = 1 };
    s->mode = MODE_LISTING;
}

static void on_list(session *s, const pop3_command *c)
{
    uint32_t bytes, uid;
    if (!c->has_number) {
        list_start(s, false);
        return;
    }
    if ((uid = message_of(s, c)) == 0)
        return;
    fault f = mailbox_size(s->box, uid, &bytes);
    if (is_fault(f))
        session_reply(s, "-ERR [SYS/TEMP] %s", f.text);
    else
        session_reply(s, "+OK %u %u", c->number, bytes);
}

static void on_uidl(session *s, const pop3_command *c)
{
    char name[17];
    uint32_t uid;
    if (!c->has_number) {
        list_start(s, true);
    } else if ((uid = message_of(s, c)) != 0) {
        mailbox_uidl(s->box, uid, name);
        session_reply(s, "+OK %u %s", c->number, name);
    }
}

static void on_retr(session *s, const pop3_command *c)
{
    uint32_t uid = message_of(s, c);
    if (uid)
        send_start(s, uid, false, 0);
}

static void on_top(session *s, const pop3_command *c)
{
    uint32_t uid = message_of(s, c);
    if (uid)
        send_start(s, uid, true, c->lines);
}

static void on_dele(session *s, const pop3_command *c)
{
    uint32_t bytes = 0, uid = message_of(s, c);
    if (uid == 0)
        return;
    fault f = mailbox_size(s->box, uid, &bytes);
    s->bytes -= is_fault(f) || bytes > s->bytes ? 0 : bytes;
    uid_set_add(&s->deleted, uid, uid);
    session_reply(s, "+OK Marked to be deleted");
}

static void on_noop(session *s, const pop3_command *c)
{
    (void)c;
    session_reply(s, "+OK");
}

static void on_rset(session *s, const pop3_command *c)
{
    (void)c;
    for (uint32_t bytes, uid = 0; (uid = uid_set_next(&s->deleted, uid + 1)) != 0;)
        s->bytes += is_fault(mailbox_size(s->box, uid, &bytes)) ? 0 : bytes;
    uid_set_free(&s->deleted);
    uid_set_free(&s->retrieved);
    session_reply(s, "+OK");
}

static void on_capa(session *s, const pop3_command *c)
{
    (void)c;
    session_reply(s,
                  "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nIMPLEMENTATION Postrider\r\n.");
}

/* RFC 1939 6, the update: what was read and stays becomes \Seen, what is marked goes. */
static fault update(session *s)
{
    fault f = NO_FAULT;
    uid_set_remove(&s->retrieved, &s->deleted);
    flag_change seen = { .uids = &s->retrieved, .action = FLAGS_ADD, .flags = MESSAGE_SEEN };
    if (s->retrieved.n)
        f = mailbox_change_flags(s->box, &seen, 1, NULL);
    if (is_fault(f))
        log_fault(LOG_WARNING, "seen", f); /* no reason to keep what is to go */
    return s->deleted.n ? mailbox_expunge(s->box, &s->deleted, false, NULL) : NO_FAULT;
}

static void on_quit(session *s, const pop3_command *c)
{
    (void)c;
    fault f = update(s);
    if (is_fault(f)) {
        log_fault(LOG_WARNING, "update", f);
        session_end(s, "-ERR [SYS/TEMP] Some deleted messages were not removed", "quit");
    } else {
        session_end(s, "+OK Bye", "quit");
    }
}

static void (*const verbs[])(session *s, const pop3_command *c) = {
    [POP3_CAPA] = on_capa, [POP3_DELE] = on_dele, [POP3_LIST] = on_list, [POP3_NOOP] = on_noop, [POP3_QUIT] = on_quit,
    [POP3_RETR] = on_retr, [POP3_RSET] = on_rset, [POP3_STAT] = on_stat, [POP3_TOP] = on_top,   [POP3_UIDL] = on_uidl,
};

void session_command(session *s, str line)
{
    pop3_command c;
    parse p = pop3_command_parse(line, &c);
    if (p != PARSE_DONE)
        session_bad(s, c.problem);
    else if (!(c.legal_in & POP3_TRANSACTION) || c.verb >= COUNT_OF(verbs) || verbs[c.verb] == NULL)
        session_bad(s, "Not possible after login");
    else
        verbs[c.verb](s, &c);
}
