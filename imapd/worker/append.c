/* APPEND: the message goes to a file as it comes; the mailbox changes when it is whole, or not at all. */
#include "imapd/worker/handlers.h"

static void refuse(session *s, fault f)
{
    if (f.kind == FAULT_REFUSED && !store_exists(s->server->store, s->command.mailbox.name))
        session_answer(s, "NO [TRYCREATE] %s", f.text);
    else if (f.kind == FAULT_REFUSED && strcmp(f.status, "3.4") == 0)
        session_answer(s, "NO [TOOBIG] %s", f.text);
    else
        session_answer_fault(s, f);
}

static fault begin(session *s, const imap_command *c)
{
    message_options options = { .flags = c->flags.system,
                                .keywords = c->flags.keywords,
                                .n_keywords = c->flags.keyword_n,
                                .date_s = c->append.has_date ? c->append.date_s : 0 };
    s->delivery = delivery_new(s->server->store);
    return delivery_begin(s->delivery, c->mailbox.name, &options);
}

void on_append(session *s, const imap_command *c)
{
    if (!c->mailbox.is_valid) {
        session_answer(s, "NO [CANNOT] Not the name of a mailbox");
        return;
    }
    if (!s->input.has_message || s->input.message_bytes == 0) {
        session_answer(s, "NO [CANNOT] An empty message is none");
        return;
    }
    s->append_fault = begin(s, c);
    if (is_fault(s->append_fault)) {
        refuse(s, s->append_fault);
        return;
    }
    imap_input_accept(&s->input);
    s->mode = MODE_APPEND;
    if (s->input.is_sync)
        session_write(s, STR("+ OK\r\n"));
}

static void finish(session *s)
{
    uint32_t uidvalidity, uid;
    if (!is_fault(s->append_fault))
        s->append_fault = delivery_end(s->delivery);
    if (!is_fault(s->append_fault))
        s->append_fault = delivery_append(s->delivery, &uidvalidity, &uid);
    if (is_fault(s->append_fault))
        refuse(s, s->append_fault);
    else
        session_answer(s, "OK [APPENDUID %u %u] Append completed", uidvalidity, uid);
}

/* After a fault the rest of the message is read past. */
size_t append_take(session *s, str bytes)
{
    str piece;
    size_t used;
    parse p = imap_input_message(&s->input, bytes, &piece, &used);
    if (p == PARSE_BAD)
        session_answer(s, "BAD Something stands behind the message");
    else if (p == PARSE_DONE)
        finish(s);
    else if (piece.n && !is_fault(s->append_fault))
        s->append_fault = delivery_write(s->delivery, piece);
    return used;
}

void append_drop(session *s)
{
    delivery_free(s->delivery);
    s->delivery = NULL;
    s->append_fault = NO_FAULT;
}
