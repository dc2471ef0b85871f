/* What each key of SEARCH asks of a message. */
#include "imapd/worker/search.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/words.h"

static bool is_text(imap_search_key key)
{
    return key == IMAP_SEARCH_BODY || key == IMAP_SEARCH_TEXT;
}

bool search_leaf_open(searched *m, size_t node)
{
    const imap_search_node *n = &m->what->nodes[node];
    search_leaf *leaf = &m->leaves[node];
    mailbox *box = m->s->box;
    unsigned bit;
    size_t texts = 0;
    uint32_t count = mailbox_count(box);
    if (n->key == IMAP_SEARCH_SET)
        imap_set_resolve(&n->set, count, &m->s->mem, &leaf->set);
    if (n->key == IMAP_SEARCH_UID)
        imap_set_resolve(&n->set, mailbox_uid(box, count), &m->s->mem, &leaf->set);
    if (n->key == IMAP_SEARCH_KEYWORD && !is_fault(mailbox_keyword_bit(box, n->text, false, &bit)))
        leaf->keyword = 1u << bit;
    if (is_text(n->key) || n->key == IMAP_SEARCH_HEADER)
        leaf->match = match_open(n->text, &m->s->mem);
    if (!is_text(n->key))
        return true;
    for (size_t i = 0; i <= node; i++)
        texts += is_text(m->what->nodes[i].key);
    return texts <= SEARCH_TEXTS_MAX;
}

fault search_header(searched *m)
{
    if (m->has_header)
        return NO_FAULT;
    buf_clear(&m->spare);
    fault f = reading_header(&m->s->reading, m->s->server, m->s->box, m->info->uid, &m->spare, &m->header);
    m->has_header = !is_fault(f);
    return f;
}

/* Values without encoded words and 8-bit bytes, which most are, are searched where they stand. */
static bool is_plain(str value)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < value.n; i++)
        bits |= (unsigned char)value.p[i];
    return bits < 128 && (value.n == 0 || memmem(value.p, value.n, "=?", 2) == NULL);
}

/* Unfolded: without the line ends (RFC 5322 2.2.3). */
static bool plain_matches(str value, match *wanted)
{
    str line;
    while (str_cut(&value, '\n', &line))
        if (match_feed(wanted, str_ends(line, STR("\r")) ? str_upto(line, line.n - 1) : line))
            return true;
    return wanted->is_found;
}

static bool value_matches(searched *m, str value, match *wanted)
{
    if (is_plain(value))
        return plain_matches(value, wanted);
    buf_clear(&m->text);
    (void)words_decode(value, NULL, NULL, &m->text);
    return match_feed(wanted, buf_str(&m->text));
}

/* A match does not reach over two fields. */
bool search_fields(searched *m, str name, match *wanted)
{
    header_walk walk = header_open(m->header);
    header_field f;
    while (header_next(&walk, &f)) {
        if (name.n && !(f.is_valid && str_equal_nocase(f.name, name)))
            continue;
        match_reset(wanted);
        if (name.n == 0 && f.is_valid && (match_feed(wanted, f.name) || match_feed(wanted, STR(":"))))
            return true;
        if (value_matches(m, f.value, wanted))
            return true;
    }
    return false;
}

static bool test_header(searched *m, const imap_search_node *leaf, match *wanted)
{
    header_field f;
    m->fault = search_header(m);
    if (is_fault(m->fault))
        return false;
    if (leaf->text.n == 0)
        return header_find(m->header, leaf->field, &f);
    return search_fields(m, leaf->field, wanted);
}

static int64_t day_of(int64_t utc_s)
{
    return utc_s / 86400 - (utc_s % 86400 < 0);
}

/* Days since 1970; false: there is no date. */
static bool sent_day(searched *m, int64_t *out)
{
    header_field f;
    date d;
    arena mem = arena_new(0);
    m->fault = search_header(m);
    bool has_date = !is_fault(m->fault) && header_find(m->header, STR("Date"), &f) &&
                    date_parse(header_unfold(f.value, &mem), &d) == PARSE_DONE;
    arena_free(&mem);
    if (has_date)
        *out = date_day(d);
    return has_date;
}

static bool received_day(searched *m, int64_t *out)
{
    int64_t date_s;
    m->fault = mailbox_date(m->s->box, m->info->uid, &date_s);
    if (!is_fault(m->fault))
        *out = day_of(date_s);
    return !is_fault(m->fault);
}

static bool test_day(searched *m, const imap_search_node *leaf)
{
    int64_t day;
    bool is_sent = leaf->key >= IMAP_SEARCH_SENTBEFORE;
    if (!(is_sent ? sent_day(m, &day) : received_day(m, &day)))
        return false;
    switch (leaf->key) {
    case IMAP_SEARCH_BEFORE:
    case IMAP_SEARCH_SENTBEFORE: return day < leaf->day;
    case IMAP_SEARCH_ON:
    case IMAP_SEARCH_SENTON: return day == leaf->day;
    default: return day >= leaf->day;
    }
}

static bool test_size(searched *m, const imap_search_node *leaf)
{
    uint32_t bytes = m->info->wire_bytes;
    if (bytes == SIZE_UNKNOWN)
        m->fault = mailbox_size(m->s->box, m->info->uid, &bytes);
    if (is_fault(m->fault))
        return false;
    return leaf->key == IMAP_SEARCH_LARGER ? bytes > leaf->number : bytes < leaf->number;
}

static bool test_flag(const message_info *info, const imap_search_node *leaf)
{
    return ((info->flags & leaf->number) != 0) != leaf->is_unset;
}

bool search_test(void *context, const imap_search_node *leaf)
{
    searched *m = context;
    search_leaf *l = &m->leaves[leaf - m->what->nodes];
    const message_info *info = m->info;
    if (is_fault(m->fault))
        return false;
    switch (leaf->key) {
    case IMAP_SEARCH_AND:
    case IMAP_SEARCH_OR:
    case IMAP_SEARCH_NOT: return false; /* no leaves */
    case IMAP_SEARCH_ALL: return true;
    case IMAP_SEARCH_FLAG: return test_flag(info, leaf);
    case IMAP_SEARCH_KEYWORD: return ((info->keywords & l->keyword) != 0) != leaf->is_unset;
    case IMAP_SEARCH_NEW: return info->is_recent && !(info->flags & MESSAGE_SEEN);
    case IMAP_SEARCH_OLD: return !info->is_recent;
    case IMAP_SEARCH_RECENT: return info->is_recent;
    case IMAP_SEARCH_SET: return imap_set_has(&l->set, info->sequence);
    case IMAP_SEARCH_UID: return imap_set_has(&l->set, info->uid);
    case IMAP_SEARCH_BEFORE:
    case IMAP_SEARCH_ON:
    case IMAP_SEARCH_SINCE:
    case IMAP_SEARCH_SENTBEFORE:
    case IMAP_SEARCH_SENTON:
    case IMAP_SEARCH_SENTSINCE: return test_day(m, leaf);
    case IMAP_SEARCH_LARGER:
    case IMAP_SEARCH_SMALLER: return test_size(m, leaf);
    case IMAP_SEARCH_HEADER: return test_header(m, leaf, &l->match);
    case IMAP_SEARCH_BODY:
    case IMAP_SEARCH_TEXT: return search_text(m, leaf, &l->match);
    }
    return false;
}
