/* Untagged responses on what happened to the selected mailbox (RFC 3501 5.2, 7.3, 7.4). */
#include "base/clock.h"
#include "imapd/worker/handlers.h"
#include "proto/imap_write.h"

enum { SYNC_EVERY_MS = 1000, INFOS = 64 };

static void expunges_write(session *s, const mailbox_changes *c)
{
    buf *out = &s->server->out;
    for (size_t i = 0; i < c->expunged.n; i++) {
        buf_append(out, STR("* "));
        imap_write_number(out, c->expunged.p[i]);
        buf_append(out, STR(" EXPUNGE\r\n"));
    }
    session_write(s, buf_str(out));
    buf_clear(out);
}

static void fetch_write(session *s, const message_info *info)
{
    buf *out = &s->server->out;
    buf_append(out, STR("* "));
    imap_write_number(out, info->sequence);
    buf_append(out, STR(" FETCH (UID "));
    imap_write_number(out, info->uid);
    buf_append(out, STR(" FLAGS "));
    flags_write(s, info, out);
    buf_append(out, STR(")\r\n"));
}

bool news_tell_flags(session *s)
{
    message_info infos[INFOS];
    size_t n = 0;
    while (s->flags_due.n && stream_unsent(&s->stream) < OUTPUT_HIGH) {
        fault f = mailbox_read(s->box, &s->flags_due, 1, infos, INFOS, &n);
        if (is_fault(f) || n == 0) { /* it is no loss: the client asks when it wants to know */
            uid_set_free(&s->flags_due);
            break;
        }
        for (size_t i = 0; i < n; i++)
            if (!infos[i].is_expunged)
                fetch_write(s, &infos[i]);
        session_write(s, buf_str(&s->server->out));
        buf_clear(&s->server->out);
        uid_set told = { 0 };
        uid_set_add(&told, 1, infos[n - 1].uid);
        uid_set_remove(&s->flags_due, &told);
        uid_set_free(&told);
    }
    if (s->flags_due.n == 0)
        uid_set_free(&s->flags_due);
    return s->flags_due.n == 0;
}

static void changes_tell(session *s, const mailbox_changes *c)
{
    if (c->vanished.n && uid_set_has(&c->vanished, s->reading.uid))
        reading_close(&s->reading);
    if (c->expunged.n)
        expunges_write(s, c);
    if (c->has_more)
        session_printf(s, "* %u EXISTS\r\n* %u RECENT\r\n", c->messages, c->recent);
    if (c->has_keywords)
        flags_announce(s);
    if (c->flags.n)
        uid_set_unite(&s->flags_due, &c->flags);
    if (s->flags_due.n && !news_tell_flags(s))
        session_later(s);
}

void news_tell(session *s, bool may_expunge, bool is_sync_due)
{
    mailbox_changes c;
    uint64_t now = clock_monotonic_ms();
    fault f = NO_FAULT;
    if (s->box == NULL)
        return;
    mailbox_cache_release(s->box);
    if (is_sync_due || now - s->synced_ms >= SYNC_EVERY_MS) {
        f = mailbox_sync(s->box);
        s->synced_ms = now;
    }
    if (!is_fault(f))
        f = mailbox_poll(s->box, !may_expunge, &c);
    if (f.kind == FAULT_REFUSED) {
        session_deselect(s);
        if (!s->is_deleting)
            session_bye(s, "The selected mailbox was deleted", "mailbox-deleted");
    }
    if (is_fault(f))
        return; /* the next command will meet it too, and tell */
    changes_tell(s, &c);
    mailbox_changes_free(&c);
}
