/* The commands of the transaction state, a row each. Runs in: pop3d-worker. */
#include "base/log.h"
#include "pop3d/worker/session.h"

static void on_stat(session *s, const pop3_command *c)
{
    (void)c;
    session_say(s, "+OK %u %llu", s->drop.count - s->drop.deleted, (unsigned long long)s->drop.bytes);
}

static maildrop_message *named(session *s, const pop3_command *c)
{
    maildrop_message *m = maildrop_find(&s->drop, c->number);
    if (m == NULL)
        session_say(s, "-ERR No such message");
    return m;
}

static void on_list(session *s, const pop3_command *c)
{
    if (c->has_number) {
        maildrop_message *m = named(s, c);
        if (m)
            session_say(s, "+OK %u %u", c->number, m->wire_bytes);
        return;
    }
    session_say(s, "+OK %u messages (%llu octets)", s->drop.count - s->drop.deleted, (unsigned long long)s->drop.bytes);
    for (uint32_t i = 0; i < s->drop.count; i++)
        if (!s->drop.messages[i].is_deleted)
            session_say(s, "%u %u", i + 1, s->drop.messages[i].wire_bytes);
    session_say(s, ".");
}

static void on_uidl(session *s, const pop3_command *c)
{
    char uidl[17];
    if (c->has_number) {
        maildrop_message *m = named(s, c);
        if (m == NULL)
            return;
        mailbox_uidl(s->drop.box, m->uid, uidl);
        session_say(s, "+OK %u %s", c->number, uidl);
        return;
    }
    session_say(s, "+OK");
    for (uint32_t i = 0; i < s->drop.count; i++) {
        if (s->drop.messages[i].is_deleted)
            continue;
        mailbox_uidl(s->drop.box, s->drop.messages[i].uid, uidl);
        session_say(s, "%u %s", i + 1, uidl);
    }
    session_say(s, ".");
}

static void message_send(session *s, const pop3_command *c, bool is_top)
{
    maildrop_message *m = named(s, c);
    if (m == NULL)
        return;
    sending to = { .is_on = true, .is_top = is_top, .top = pop3_top_new(c->lines) };
    fault f = mailbox_open_message(s->drop.box, m->uid, &to.file);
    if (is_fault(f)) {
        session_say(s, f.kind == FAULT_REFUSED ? "-ERR Another program removed this message"
                                               : "-ERR [SYS/TEMP] This message cannot be read now");
        return;
    }
    s->sending = to;
    if (is_top)
        session_say(s, "+OK");
    else
        session_say(s, "+OK %u octets", m->wire_bytes);
    sending_go_on(s);
}

static void on_retr(session *s, const pop3_command *c)
{
    message_send(s, c, false);
}

static void on_top(session *s, const pop3_command *c)
{
    message_send(s, c, true);
}

static void on_dele(session *s, const pop3_command *c)
{
    maildrop_message *m = named(s, c);
    if (m == NULL)
        return;
    maildrop_delete(&s->drop, m);
    session_say(s, "+OK Message %u is marked", c->number);
}

static void on_noop(session *s, const pop3_command *c)
{
    (void)c;
    session_say(s, "+OK");
}

static void on_rset(session *s, const pop3_command *c)
{
    (void)c;
    maildrop_reset(&s->drop);
    session_say(s, "+OK %u messages (%llu octets)", s->drop.count, (unsigned long long)s->drop.bytes);
}

/* RFC 1939 6: if it fails, some or none are removed, and the client hears of it. */
static void on_quit(session *s, const pop3_command *c)
{
    (void)c;
    uint32_t marked = s->drop.deleted;
    fault f = maildrop_update(&s->drop);
    if (is_fault(f)) {
        log_fault(LOG_ERROR, "update", f);
        session_say(s, "-ERR [SYS/TEMP] Marked messages are not removed");
    } else {
        session_say(s, marked ? "+OK Bye, marked messages are gone" : "+OK Bye");
    }
    session_finish(s, "quit");
}

static void on_capa(session *s, const pop3_command *c)
{
    (void)c;
    session_say(s, "+OK Capabilities\r\nCAPA\r\nTOP\r\nUIDL\r\nUSER\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                   "EXPIRE NEVER\r\nIMPLEMENTATION Postrider\r\n.");
}

typedef void handler(session *s, const pop3_command *c);

static handler *const handlers[] = {
    [POP3_CAPA] = on_capa, [POP3_DELE] = on_dele, [POP3_LIST] = on_list, [POP3_NOOP] = on_noop,
    [POP3_QUIT] = on_quit, [POP3_RETR] = on_retr, [POP3_RSET] = on_rset, [POP3_STAT] = on_stat,
    [POP3_TOP] = on_top,   [POP3_UIDL] = on_uidl,
};

void session_command(session *s, const pop3_command *c)
{
    handler *run = (size_t)c->verb < COUNT_OF(handlers) ? handlers[c->verb] : NULL;
    if (run == NULL)
        session_say(s, "-ERR Not after login");
    else
        run(s, c);
}
