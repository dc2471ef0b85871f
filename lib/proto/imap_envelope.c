#include "proto/imap_envelope.h"
#include "mail/address_list.h"
#include "proto/imap_write.h"

/* RFC 3501 7.4.2: a group begins with its name as mailbox and no host, and ends with neither. */
static bool entry_write(buf *out, const address_entry *e)
{
    bool is_mailbox = e->kind == ADDRESS_MAILBOX;
    str name = is_mailbox ? e->name : STR_NONE;
    str mailbox = is_mailbox ? e->mailbox : e->kind == ADDRESS_GROUP_START ? e->name : STR_NONE;

    if (e->kind == ADDRESS_GROUP_START && mailbox.p == NULL)
        mailbox = STR("");
    return buf_append_char(out, '(') && imap_write_nstring(out, name) && buf_append_char(out, ' ') &&
           imap_write_nstring(out, is_mailbox ? e->route : STR_NONE) && buf_append_char(out, ' ') &&
           imap_write_nstring(out, mailbox) && buf_append_char(out, ' ') &&
           imap_write_nstring(out, is_mailbox ? e->host : STR_NONE) && buf_append_char(out, ')');
}

/* "((…)(…))", or NIL when there are none, or `instead` when that is a field. */
static bool addresses_write(buf *out, str value, str instead, arena *mem)
{
    address_list list = address_list_open(value, mem);
    address_entry e;
    size_t n = 0;
    bool good = true;

    while (good && value.p && address_list_next(&list, &e))
        good = (n++ > 0 || buf_append_char(out, '(')) && entry_write(out, &e);
    if (n > 0 || !good)
        return good && buf_append_char(out, ')');
    return instead.p ? addresses_write(out, instead, STR_NONE, mem) : buf_append(out, STR("NIL"));
}

bool imap_envelope_write(buf *out, const mime_envelope *e, arena *mem)
{
    const struct {
        str value, instead;
    } lists[] = {
        { e->from, STR_NONE }, { e->sender, e->from }, { e->reply_to, e->from },
        { e->to, STR_NONE },   { e->cc, STR_NONE },    { e->bcc, STR_NONE },
    };
    bool good = buf_append_char(out, '(') && imap_write_nstring(out, e->date) && buf_append_char(out, ' ') &&
                imap_write_nstring(out, e->subject) && buf_append_char(out, ' ');

    for (size_t i = 0; good && i < COUNT_OF(lists); i++)
        good = addresses_write(out, lists[i].value, lists[i].instead, mem) && buf_append_char(out, ' ');
    return good && imap_write_nstring(out, e->in_reply_to) && buf_append_char(out, ' ') &&
           imap_write_nstring(out, e->message_id) && buf_append_char(out, ')');
}
