#include "proto/imap_command.h"
#include "mail/date.h"
#include "proto/imap_utf7.h"

typedef struct row {
    str name;
    imap_verb verb;
    unsigned legal_in;
    bool may_be_uid;                                 /* "UID FETCH" */
    bool (*parse)(imap_lexer *l, imap_command *out); /* from behind the verb; NULL: no arguments */
} row;

/* A name that is no modified UTF-7, or cannot be a mailbox, is no error of syntax: the session answers NO. */
static void mailbox_decode(imap_lexer *l, str wire, bool may_be_empty, imap_mailbox *out)
{
    buf name = buf_new(IMAP_MAILBOX_MAX);

    *out = (imap_mailbox){ .wire = wire, .name = STR("") };
    out->is_valid = (wire.n || may_be_empty) && imap_utf7_decode(wire, &name);
    if (out->is_valid)
        out->name = arena_copy(l->mem, buf_str(&name));
    buf_free(&name);
}

static bool mailbox_parse(imap_lexer *l, imap_mailbox *out)
{
    str wire;

    if (!imap_lex_space(l) || !imap_lex_astring(l, &wire))
        return false;
    mailbox_decode(l, wire, false, out);
    return true;
}

static bool set_parse(imap_lexer *l, imap_command *out)
{
    str text;

    if (!imap_lex_space(l) || !imap_lex_set(l, &text))
        return false;
    return imap_set_parse(text, l->mem, &out->set) == PARSE_DONE || imap_lex_fail(l, "Bad message numbers");
}

static bool one_mailbox(imap_lexer *l, imap_command *out)
{
    return mailbox_parse(l, &out->mailbox);
}

static bool rename_parse(imap_lexer *l, imap_command *out)
{
    return mailbox_parse(l, &out->mailbox) && mailbox_parse(l, &out->rename.to);
}

static bool login_parse(imap_lexer *l, imap_command *out)
{
    return imap_lex_space(l) && imap_lex_astring(l, &out->login.user) && imap_lex_space(l) &&
           imap_lex_astring(l, &out->login.password.hidden);
}

/* RFC 4959: an initial response may follow; base64 or "=". */
static bool authenticate_parse(imap_lexer *l, imap_command *out)
{
    if (!imap_lex_space(l) || !imap_lex_atom(l, &out->authenticate.mechanism))
        return false;
    if (!imap_lex_may(l, ' '))
        return true;
    size_t start = l->at;
    while (imap_lex_peek(l) > ' ')
        l->at++;
    out->authenticate.initial = (str){ l->in.p + start, l->at - start };
    return l->at > start || imap_lex_fail(l, "Initial response missing");
}

static bool list_parse(imap_lexer *l, imap_command *out)
{
    str reference, pattern;

    if (!imap_lex_space(l) || !imap_lex_astring(l, &reference) || !imap_lex_space(l) ||
        !imap_lex_list_mailbox(l, &pattern))
        return false;
    mailbox_decode(l, reference, true, &out->list.reference);
    mailbox_decode(l, pattern, true, &out->list.pattern);
    return true;
}

static const struct {
    str name;
    unsigned item;
} status_items[] = {
    { STR_ROW("MESSAGES"), IMAP_STATUS_MESSAGES }, { STR_ROW("RECENT"), IMAP_STATUS_RECENT },
    { STR_ROW("UIDNEXT"), IMAP_STATUS_UIDNEXT },   { STR_ROW("UIDVALIDITY"), IMAP_STATUS_UIDVALIDITY },
    { STR_ROW("UNSEEN"), IMAP_STATUS_UNSEEN },
};

static unsigned status_item(str word)
{
    for (size_t i = 0; i < COUNT_OF(status_items); i++)
        if (str_equal_nocase(status_items[i].name, word))
            return status_items[i].item;
    return 0;
}

static bool status_parse(imap_lexer *l, imap_command *out)
{
    str word;

    if (!mailbox_parse(l, &out->mailbox) || !imap_lex_space(l) || !imap_lex_must(l, '('))
        return false;
    do {
        if (!imap_lex_word(l, &word))
            return false;
        unsigned item = status_item(word);
        if (item == 0)
            return imap_lex_fail(l, "Unknown STATUS item");
        out->status.items |= item;
    } while (imap_lex_may(l, ' '));
    return imap_lex_must(l, ')');
}

static bool append_date(imap_lexer *l, imap_command *out)
{
    str text;
    date d;

    if (imap_lex_peek(l) != '"')
        return true;
    if (!imap_lex_string(l, &text) || !imap_lex_space(l))
        return false;
    if (date_parse_internal(text, &d) != PARSE_DONE)
        return imap_lex_fail(l, "Bad date");
    out->append.has_date = true;
    out->append.date_s = d.utc_s;
    return true;
}

/* "{n}" that ends the command: the message is on its way (proto/imap_input.h). Otherwise it was collected with the
 * command. */
static bool append_message(imap_lexer *l, imap_command *out)
{
    size_t start = l->at;

    if (!imap_lex_must(l, '{') || !imap_lex_number(l, 0, INT64_MAX, &out->append.message_bytes))
        return false;
    out->append.is_sync = !imap_lex_may(l, '+');
    if (!imap_lex_must(l, '}'))
        return false;
    if (imap_lex_is_end(l))
        return true;
    l->at = start;
    return imap_lex_string(l, &out->append.message);
}

static bool append_parse(imap_lexer *l, imap_command *out)
{
    if (!mailbox_parse(l, &out->mailbox) || !imap_lex_space(l))
        return false;
    if (imap_lex_peek(l) == '(' && (!imap_flags_parse_list(l, &out->flags) || !imap_lex_space(l)))
        return false;
    return append_date(l, out) && append_message(l, out);
}

static bool search_parse(imap_lexer *l, imap_command *out)
{
    return imap_lex_space(l) && imap_search_parse(l, &out->search);
}

static bool fetch_parse(imap_lexer *l, imap_command *out)
{
    return set_parse(l, out) && imap_lex_space(l) && imap_fetch_parse(l, &out->fetch);
}

static const struct {
    str name;
    imap_store_action action;
    bool is_silent;
} store_items[] = {
    { STR_ROW("FLAGS"), IMAP_STORE_REPLACE, false }, { STR_ROW("FLAGS.SILENT"), IMAP_STORE_REPLACE, true },
    { STR_ROW("+FLAGS"), IMAP_STORE_ADD, false },    { STR_ROW("+FLAGS.SILENT"), IMAP_STORE_ADD, true },
    { STR_ROW("-FLAGS"), IMAP_STORE_REMOVE, false }, { STR_ROW("-FLAGS.SILENT"), IMAP_STORE_REMOVE, true },
};

static bool store_item_parse(imap_lexer *l, imap_command *out)
{
    str word;

    if (!imap_lex_space(l) || !imap_lex_word(l, &word))
        return false;
    for (size_t i = 0; i < COUNT_OF(store_items); i++)
        if (str_equal_nocase(store_items[i].name, word)) {
            out->store.action = store_items[i].action;
            out->store.is_silent = store_items[i].is_silent;
            return true;
        }
    return imap_lex_fail(l, "Unknown STORE item");
}

static bool store_parse(imap_lexer *l, imap_command *out)
{
    return set_parse(l, out) && store_item_parse(l, out) && imap_lex_space(l) && imap_flags_parse_any(l, &out->flags);
}

static bool copy_parse(imap_lexer *l, imap_command *out)
{
    return set_parse(l, out) && mailbox_parse(l, &out->mailbox);
}

/* RFC 4315 2.1: a set only with UID. */
static bool expunge_parse(imap_lexer *l, imap_command *out)
{
    return !out->is_uid || set_parse(l, out);
}

enum { LIST_MAX = 64 }; /* RFC 2971 3.3 has 30 pairs */

static bool id_parse(imap_lexer *l, imap_command *out)
{
    str word;

    if (!imap_lex_space(l))
        return false;
    if (!imap_lex_may(l, '('))
        return imap_lex_nstring(l, &word) && (word.p == NULL || imap_lex_fail(l, "List or NIL expected"));
    out->id.pairs = ARENA_ARRAY(l->mem, str, LIST_MAX);
    if (imap_lex_may(l, ')'))
        return true;
    do {
        if (out->id.n == LIST_MAX)
            return imap_lex_fail(l, "Too many fields");
        str *pair = &out->id.pairs[out->id.n];
        if (!imap_lex_string(l, &pair[0]) || !imap_lex_space(l) || !imap_lex_nstring(l, &pair[1]))
            return false;
        out->id.n += 2;
    } while (imap_lex_may(l, ' '));
    return imap_lex_must(l, ')');
}

static bool enable_parse(imap_lexer *l, imap_command *out)
{
    out->enable.names = ARENA_ARRAY(l->mem, str, LIST_MAX);
    while (imap_lex_may(l, ' ')) {
        if (imap_lex_is_end(l))
            break;
        if (out->enable.n == LIST_MAX)
            return imap_lex_fail(l, "Too many names");
        if (!imap_lex_atom(l, &out->enable.names[out->enable.n++]))
            return false;
    }
    return out->enable.n > 0 || imap_lex_fail(l, "Name expected");
}

static const row rows[] = {
    { STR_ROW("APPEND"), IMAP_APPEND, IMAP_LOGGED_IN, false, append_parse },
    { STR_ROW("AUTHENTICATE"), IMAP_AUTHENTICATE, IMAP_NOT_AUTHENTICATED, false, authenticate_parse },
    { STR_ROW("CAPABILITY"), IMAP_CAPABILITY, IMAP_ANY_STATE, false, NULL },
    { STR_ROW("CHECK"), IMAP_CHECK, IMAP_SELECTED, false, NULL },
    { STR_ROW("CLOSE"), IMAP_CLOSE, IMAP_SELECTED, false, NULL },
    { STR_ROW("COPY"), IMAP_COPY, IMAP_SELECTED, true, copy_parse },
    { STR_ROW("CREATE"), IMAP_CREATE, IMAP_LOGGED_IN, false, one_mailbox },
    { STR_ROW("DELETE"), IMAP_DELETE, IMAP_LOGGED_IN, false, one_mailbox },
    { STR_ROW("ENABLE"), IMAP_ENABLE, IMAP_LOGGED_IN, false, enable_parse },
    { STR_ROW("EXAMINE"), IMAP_EXAMINE, IMAP_LOGGED_IN, false, one_mailbox },
    { STR_ROW("EXPUNGE"), IMAP_EXPUNGE, IMAP_SELECTED, true, expunge_parse },
    { STR_ROW("FETCH"), IMAP_FETCH, IMAP_SELECTED, true, fetch_parse },
    { STR_ROW("ID"), IMAP_ID, IMAP_ANY_STATE, false, id_parse },
    { STR_ROW("IDLE"), IMAP_IDLE, IMAP_LOGGED_IN, false, NULL },
    { STR_ROW("LIST"), IMAP_LIST, IMAP_LOGGED_IN, false, list_parse },
    { STR_ROW("LOGIN"), IMAP_LOGIN, IMAP_NOT_AUTHENTICATED, false, login_parse },
    { STR_ROW("LOGOUT"), IMAP_LOGOUT, IMAP_ANY_STATE, false, NULL },
    { STR_ROW("LSUB"), IMAP_LSUB, IMAP_LOGGED_IN, false, list_parse },
    { STR_ROW("MOVE"), IMAP_MOVE, IMAP_SELECTED, true, copy_parse },
    { STR_ROW("NAMESPACE"), IMAP_NAMESPACE, IMAP_LOGGED_IN, false, NULL },
    { STR_ROW("NOOP"), IMAP_NOOP, IMAP_ANY_STATE, false, NULL },
    { STR_ROW("RENAME"), IMAP_RENAME, IMAP_LOGGED_IN, false, rename_parse },
    { STR_ROW("SEARCH"), IMAP_SEARCH, IMAP_SELECTED, true, search_parse },
    { STR_ROW("SELECT"), IMAP_SELECT, IMAP_LOGGED_IN, false, one_mailbox },
    { STR_ROW("STARTTLS"), IMAP_STARTTLS, IMAP_NOT_AUTHENTICATED, false, NULL },
    { STR_ROW("STATUS"), IMAP_STATUS, IMAP_LOGGED_IN, false, status_parse },
    { STR_ROW("STORE"), IMAP_STORE, IMAP_SELECTED, true, store_parse },
    { STR_ROW("SUBSCRIBE"), IMAP_SUBSCRIBE, IMAP_LOGGED_IN, false, one_mailbox },
    { STR_ROW("UNSELECT"), IMAP_UNSELECT, IMAP_SELECTED, false, NULL },
    { STR_ROW("UNSUBSCRIBE"), IMAP_UNSUBSCRIBE, IMAP_LOGGED_IN, false, one_mailbox },
};

static const row *row_find(str name)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (str_equal_nocase(rows[i].name, name))
            return &rows[i];
    return NULL;
}

str imap_verb_name(imap_verb verb)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].verb == verb)
            return rows[i].name;
    return STR("unknown");
}

/* The verb's row, "UID" in front taken off. */
static const row *verb_parse(imap_lexer *l, imap_command *out)
{
    str word;

    if (!imap_lex_word(l, &word))
        return NULL;
    out->is_uid = str_equal_nocase(word, STR("UID"));
    if (out->is_uid && (!imap_lex_space(l) || !imap_lex_word(l, &word)))
        return NULL;
    const row *r = row_find(word);
    if (r == NULL || (out->is_uid && !r->may_be_uid)) {
        imap_lex_fail(l, "Unknown command");
        return NULL;
    }
    out->verb = r->verb;
    out->legal_in = out->is_uid ? IMAP_SELECTED : r->legal_in;
    return r;
}

static bool command_parse(imap_lexer *l, imap_command *out)
{
    str tag;

    if (!imap_lex_tag(l, &tag) || !imap_lex_space(l))
        return false;
    out->tag = tag;
    const row *r = verb_parse(l, out);
    return r && (r->parse == NULL || r->parse(l, out)) && imap_lex_end(l);
}

parse imap_command_parse(str command, arena *mem, imap_command *out)
{
    imap_lexer l = { .in = command, .mem = mem };

    *out = (imap_command){ 0 };
    if (command_parse(&l, out))
        return PARSE_DONE;
    out->problem = l.problem;
    return PARSE_BAD;
}
