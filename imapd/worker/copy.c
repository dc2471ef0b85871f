/* COPY (with COPYUID, RFC 4315) and MOVE (RFC 6851). */
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"

_Static_assert(sizeof(imap_range) == sizeof(uid_range), "both are first, last");

static void ranges_write(buf *out, const uid_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        imap_range r = { set->p[i].first, set->p[i].last };
        if (i > 0)
            buf_append_char(out, ',');
        imap_write_set(out, &r, 1);
    }
}

/* "[COPYUID 38505 304,319:320 3956:3958] " */
static void code_write(buf *out, const copy_result *r)
{
    buf_printf(out, "[COPYUID %u ", r->uidvalidity);
    ranges_write(out, &r->from);
    buf_append_char(out, ' ');
    ranges_write(out, &r->to);
    buf_append(out, STR("] "));
}

static void refuse(session *s, const imap_command *c, fault f)
{
    if (f.kind != FAULT_REFUSED)
        session_answer_fault(s, f);
    else if (!c->mailbox.is_valid || !store_exists(s->server->store, c->mailbox.name))
        session_answer(s, "NO [TRYCREATE] %s", f.text);
    else
        session_answer(s, "NO [EXPUNGEISSUED] %s", f.text);
}

/* False: it was answered. */
static bool copy(session *s, const imap_command *c, copy_result *out)
{
    uid_set uids = { 0 };
    if (!c->mailbox.is_valid) {
        session_answer(s, "NO [CANNOT] Not the name of a mailbox");
        return false;
    }
    if (!session_pick(s, &c->set, c->is_uid, &uids))
        return false;
    mailbox_cache_release(s->box);
    fault f = mailbox_copy(s->box, &uids, c->mailbox.name, out);
    uid_set_free(&uids);
    if (is_fault(f))
        refuse(s, c, f);
    return !is_fault(f);
}

void on_copy(session *s, const imap_command *c)
{
    copy_result r;
    buf text = buf_new(OUTPUT_MAX);
    if (!copy(s, c, &r))
        return;
    buf_append(&text, STR("OK "));
    if (r.from.n)
        code_write(&text, &r);
    buf_append(&text, STR("Copy completed"));
    session_answer_text(s, buf_str(&text));
    buf_free(&text);
    copy_result_free(&r);
}

/* The code comes in front of the EXPUNGEs (RFC 6851 4.3). */
void on_move(session *s, const imap_command *c)
{
    copy_result r;
    buf line = buf_new(OUTPUT_MAX);
    if (mailbox_is_readonly(s->box)) {
        session_answer(s, "NO [READ-ONLY] The mailbox was opened with EXAMINE");
        return;
    }
    if (!copy(s, c, &r))
        return;
    if (r.from.n) {
        buf_append(&line, STR("* OK "));
        code_write(&line, &r);
        buf_append(&line, STR("Moved\r\n"));
        session_write(s, buf_str(&line));
    }
    fault f = r.from.n ? mailbox_expunge(s->box, &r.from, false, NULL) : NO_FAULT;
    buf_free(&line);
    copy_result_free(&r);
    if (is_fault(f))
        session_answer_fault(s, f);
    else
        session_answer(s, "OK Move completed");
}
