/* Sets of a command as messages of the selected mailbox. */
#include "imapd/worker/handlers.h"

static uint32_t highest(const session *s, bool is_uid)
{
    uint32_t n = mailbox_count(s->box);
    return is_uid && n ? mailbox_uid(s->box, n) : n;
}

static void set_convert(session *s, const imap_set *set, bool is_uid, uid_set *out)
{
    imap_set plain;
    imap_set_resolve(set, highest(s, is_uid), &s->mem, &plain);
    for (size_t i = 0; i < plain.n; i++)
        uid_set_add(out, plain.ranges[i].first, plain.ranges[i].last);
}

bool session_pick(session *s, const imap_set *set, bool is_uid, uid_set *out)
{
    uid_set wanted = { 0 };
    set_convert(s, set, is_uid, &wanted);
    bool is_right = true;
    if (is_uid)
        mailbox_pick_uids(s->box, &wanted, out);
    else
        is_right = mailbox_pick_sequences(s->box, &wanted, out);
    uid_set_free(&wanted);
    if (!is_right)
        session_answer(s, "BAD There are only %u messages", mailbox_count(s->box));
    return is_right;
}
