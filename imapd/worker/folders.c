/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS. */
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"

static bool is_name(session *s, const imap_mailbox *m)
{
    if (!m->is_valid)
        session_answer(s, "NO [CANNOT] Not the name of a mailbox");
    return m->is_valid;
}

/* `code` tells why it was refused, if it was. */
static void answer(session *s, fault f, const char *code, const char *done)
{
    if (!is_fault(f))
        session_answer(s, "OK %s completed", done);
    else if (f.kind == FAULT_REFUSED)
        session_answer(s, "NO [%s] %s", code, f.text);
    else
        session_answer_fault(s, f);
}

/* RFC 5530: what the name has to do with it. */
static const char *code_of(session *s, str name, const char *if_there, const char *if_not)
{
    return store_exists(s->server->store, name) ? if_there : if_not;
}

void on_create(session *s, const imap_command *c)
{
    if (!is_name(s, &c->mailbox))
        return;
    fault f = store_create(s->server->store, c->mailbox.name);
    answer(s, f, is_fault(f) ? code_of(s, c->mailbox.name, "ALREADYEXISTS", "CANNOT") : "", "Create");
}

/* One's own selected mailbox may be deleted: it is left without a word. Other sessions that have it selected are told BYE. */
void on_delete(session *s, const imap_command *c)
{
    if (!is_name(s, &c->mailbox))
        return;
    const char *code = code_of(s, c->mailbox.name, "CANNOT", "NONEXISTENT");
    s->is_deleting = true;
    answer(s, store_delete(s->server->store, c->mailbox.name), code, "Delete");
    s->is_deleting = false;
}

void on_rename(session *s, const imap_command *c)
{
    if (!is_name(s, &c->mailbox) || !is_name(s, &c->rename.to))
        return;
    fault f = store_rename(s->server->store, c->mailbox.name, c->rename.to.name);
    const char *code =
        code_of(s, c->mailbox.name, code_of(s, c->rename.to.name, "ALREADYEXISTS", "CANNOT"), "NONEXISTENT");
    answer(s, f, code, "Rename");
}

void on_subscribe(session *s, const imap_command *c)
{
    if (is_name(s, &c->mailbox))
        answer(s, store_subscribe(s->server->store, c->mailbox.name, true), "CANNOT", "Subscribe");
}

void on_unsubscribe(session *s, const imap_command *c)
{
    if (is_name(s, &c->mailbox))
        answer(s, store_subscribe(s->server->store, c->mailbox.name, false), "CANNOT", "Unsubscribe");
}

static void status_write(const mailbox_status *status, unsigned wanted, buf *out)
{
    const struct {
        unsigned item;
        str name;
        uint32_t value;
    } rows[] = {
        { IMAP_STATUS_MESSAGES, STR("MESSAGES "), status->messages },
        { IMAP_STATUS_RECENT, STR("RECENT "), status->recent },
        { IMAP_STATUS_UIDNEXT, STR("UIDNEXT "), status->uidnext },
        { IMAP_STATUS_UIDVALIDITY, STR("UIDVALIDITY "), status->uidvalidity },
        { IMAP_STATUS_UNSEEN, STR("UNSEEN "), status->unseen },
    };
    size_t start = out->n;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!(wanted & rows[i].item))
            continue;
        if (out->n > start)
            buf_append_char(out, ' ');
        buf_append(out, rows[i].name);
        imap_write_number(out, rows[i].value);
    }
}

void on_status(session *s, const imap_command *c)
{
    mailbox_status status;
    buf *out = &s->server->out;
    if (!is_name(s, &c->mailbox))
        return;
    fault f = store_status(s->server->store, c->mailbox.name, &status);
    if (!is_fault(f)) {
        buf_append(out, STR("* STATUS "));
        imap_write_mailbox(out, c->mailbox.name);
        buf_append(out, STR(" ("));
        status_write(&status, c->status.items, out);
        buf_append(out, STR(")\r\n"));
        session_write(s, buf_str(out));
        buf_clear(out);
    }
    answer(s, f, "NONEXISTENT", "Status");
}
