/* Answers of many lines: LIST, UIDL, RETR, TOP. */
#include "base/log.h"
#include "os/fd.h"
#include "pop3d/worker/session.h"

enum { PIECE_MAX = 256 * 1024, INFOS = 100 };

static void out_flush(session *s)
{
    session_write(s, buf_str(&s->server->out));
    buf_clear(&s->server->out);
}

static void row_write(session *s, const message_info *info)
{
    char name[17];
    uint32_t bytes = info->wire_bytes;
    if (s->listing.is_uidl) {
        mailbox_uidl(s->box, info->uid, name);
        buf_printf(&s->server->out, "%u %s\r\n", info->sequence, name);
        return;
    }
    if (bytes == SIZE_UNKNOWN && is_fault(mailbox_size(s->box, info->uid, &bytes)))
        bytes = 0; /* it is gone: RETR will say so */
    buf_printf(&s->server->out, "%u %u\r\n", info->sequence, bytes);
}

bool list_step(session *s)
{
    message_info infos[INFOS];
    size_t n = 1;
    while (n && s->listing.from && session_has_room(s)) {
        fault f = mailbox_read(s->box, mailbox_uids(s->box), s->listing.from, infos, INFOS, &n);
        if (is_fault(f)) { /* half a list would be a lie */
            log_fault(LOG_WARNING, "listing", f);
            session_end(s, NULL, "unreadable");
            return true;
        }
        for (size_t i = 0; i < n; i++)
            if (!uid_set_has(&s->deleted, infos[i].uid))
                row_write(s, &infos[i]);
        if (n)
            s->listing.from = infos[n - 1].uid + 1;
        out_flush(s);
    }
    bool is_done = n == 0 || s->listing.from == 0;
    if (is_done)
        session_write(s, STR(".\r\n"));
    return is_done;
}

void send_start(session *s, uint32_t uid, bool is_top, uint32_t lines)
{
    uint32_t bytes = 0;
    sending *w = &s->sending;
    fault f = mailbox_open_message(s->box, uid, &w->file);
    if (!is_fault(f) && !is_top)
        f = mailbox_size(s->box, uid, &bytes);
    if (is_fault(f)) {
        fd_close(&w->file.fd);
        session_reply(s, "-ERR %s%s", f.kind == FAULT_TRY_LATER ? "[SYS/TEMP] " : "", f.text);
        return;
    }
    w->stuff = (dot_stuff){ 0 };
    w->top = pop3_top_new(lines);
    w->is_top = is_top;
    if (is_top)
        session_reply(s, "+OK");
    else
        session_reply(s, "+OK %u octets", bytes);
    if (!is_top)
        uid_set_add(&s->retrieved, uid, uid);
    s->mode = MODE_SENDING;
}

void send_stop(session *s)
{
    message_close(&s->sending.file);
}

/* One piece of the file. True: it was the last. */
static bool piece_send(session *s, fault *f)
{
    sending *w = &s->sending;
    buf piece = buf_new(PIECE_MAX);
    bool is_end = false;
    size_t shown;
    *f = message_next(&w->file, &piece, &is_end);
    str bytes = buf_str(&piece);
    if (w->is_top) {
        is_end = pop3_top_feed(&w->top, bytes, &shown) == PARSE_DONE || is_end;
        bytes = str_upto(bytes, shown);
    }
    (void)dot_stuff_feed(&w->stuff, bytes, &s->server->out);
    if (is_end && !is_fault(*f))
        (void)dot_stuff_end(&w->stuff, &s->server->out);
    buf_free(&piece);
    return is_end;
}

bool send_step(session *s)
{
    bool is_done = false;
    fault f = NO_FAULT;
    while (!is_done && !is_fault(f) && session_has_room(s))
        is_done = piece_send(s, &f);
    out_flush(s);
    if (is_fault(f)) { /* there is no way to say so within a message */
        log_fault(LOG_WARNING, "retr", f);
        session_end(s, NULL, "unreadable");
        stream_abort(&s->stream);
    }
    if (is_done || is_fault(f))
        send_stop(s);
    return is_done || is_fault(f);
}
