/* STORE, and flags as they are written. */
#include "imapd/worker/handlers.h"

bool flags_write(session *s, const message_info *info, buf *out)
{
    str names[KEYWORDS_MAX];
    imap_flags flags = { .system = (info->flags & MESSAGE_FLAGS_ALL) | (info->is_recent ? IMAP_RECENT : 0u),
                         .keywords = names };
    for (unsigned bit = 0; info->keywords >> bit; bit++)
        if (info->keywords >> bit & 1)
            names[flags.keyword_n++] = mailbox_keyword(s->box, bit);
    return imap_flags_write(out, &flags);
}

void flags_announce(session *s)
{
    str names[KEYWORDS_MAX];
    imap_flags flags = { .system = MESSAGE_FLAGS_ALL, .keywords = names };
    buf *out = &s->server->out;
    for (unsigned bit = 0; bit < KEYWORDS_MAX; bit++) {
        str name = mailbox_keyword(s->box, bit);
        if (name.n)
            names[flags.keyword_n++] = name;
    }
    buf_append(out, STR("* FLAGS "));
    imap_flags_write(out, &flags);
    buf_append(out, STR("\r\n* OK [PERMANENTFLAGS "));
    if (mailbox_is_readonly(s->box))
        flags = (imap_flags){ 0 };
    else
        flags.system |= flags.keyword_n < KEYWORDS_MAX ? IMAP_ANY : 0u;
    imap_flags_write(out, &flags);
    buf_append(out, mailbox_is_readonly(s->box) ? STR("] No permanent flags\r\n") : STR("] Limited\r\n"));
    session_write(s, buf_str(out));
    buf_clear(out);
}

bool flags_keywords(session *s, const imap_flags *flags, bool may_add, uint32_t *bits_out)
{
    *bits_out = 0;
    for (size_t i = 0; i < flags->keyword_n; i++) {
        unsigned bit;
        fault f = mailbox_keyword_bit(s->box, flags->keywords[i], may_add, &bit);
        if (f.kind == FAULT_REFUSED && !may_add)
            continue; /* what nobody has need not be taken off */
        if (is_fault(f)) {
            session_answer(s, "NO %s%s", f.kind == FAULT_REFUSED ? "[LIMIT] " : "", f.text);
            return false;
        }
        *bits_out |= 1u << bit;
    }
    return true;
}

static const flag_action actions[] = {
    [IMAP_STORE_REPLACE] = FLAGS_REPLACE,
    [IMAP_STORE_ADD] = FLAGS_ADD,
    [IMAP_STORE_REMOVE] = FLAGS_REMOVE,
};

static bool has_new_keyword(session *s, const imap_flags *flags)
{
    unsigned bit;
    for (size_t i = 0; i < flags->keyword_n; i++)
        if (is_fault(mailbox_keyword_bit(s->box, flags->keywords[i], false, &bit)))
            return true;
    return false;
}

static void flags_store(session *s, const imap_command *c, uid_set *uids)
{
    uint32_t keywords;
    bool may_add = c->store.action != IMAP_STORE_REMOVE;
    bool is_news = may_add && has_new_keyword(s, &c->flags);
    if (!flags_keywords(s, &c->flags, may_add, &keywords))
        return;
    if (is_news)
        flags_announce(s); /* RFC 3501 7.2.6 */
    flag_change change = {
        .uids = uids, .action = actions[c->store.action], .flags = c->flags.system, .keywords = keywords
    };
    fault f = mailbox_change_flags(s->box, &change, 1, NULL);
    if (is_fault(f))
        session_answer_fault(s, f);
    else if (c->store.is_silent)
        session_answer(s, "OK Store completed");
    else
        fetch_flags(s, uids, c->is_uid, "Store completed");
}

void on_store(session *s, const imap_command *c)
{
    uid_set uids = { 0 };
    if (mailbox_is_readonly(s->box)) {
        session_answer(s, "NO [READ-ONLY] The mailbox was opened with EXAMINE");
        return;
    }
    if (session_pick(s, &c->set, c->is_uid, &uids))
        flags_store(s, c, &uids);
    uid_set_free(&uids);
}
