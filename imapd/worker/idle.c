/* IDLE (RFC 2177). The folder is watched meanwhile; without a watch it is looked at every now and then. */
#include "imapd/worker/handlers.h"

void on_idle(session *s, const imap_command *c)
{
    s->command.tag = arena_copy(&s->mem, c->tag); /* the line with DONE comes into the same memory */
    imap_input_next(&s->input);
    s->mode = MODE_IDLE;
    s->has_no_watch = s->box && !mailbox_watch(s->box, true);
    server_watch(s->server);
    session_write(s, STR("+ idling\r\n"));
    s->synced_ms = 0;
    session_notice(s);
}

void idle_end(session *s, str line)
{
    bool is_done = str_equal_nocase(line, STR("DONE"));
    if (s->box)
        mailbox_watch(s->box, false);
    if (is_done)
        session_answer(s, "OK Idle completed");
    else
        session_answer(s, "BAD Expected DONE");
}

/* A client that takes nothing hears of it all at once when it does. */
void session_notice(session *s)
{
    s->is_notice_due = s->mode == MODE_IDLE && stream_unsent(&s->stream) >= OUTPUT_HIGH;
    if (s->mode == MODE_IDLE && !s->is_notice_due)
        news_tell(s, true, s->synced_ms == 0);
}
