#include "pop3d/worker/maildrop.h"
#include "base/memory.h"
#include <stdlib.h>

enum { READ_AT_ONCE = 256 };

static fault fill(maildrop *d)
{
    message_info infos[READ_AT_ONCE];
    uint32_t from = 1;
    for (;;) {
        size_t n;
        fault f = mailbox_read(d->box, mailbox_uids(d->box), from, infos, READ_AT_ONCE, &n);
        if (is_fault(f) || n == 0)
            return f;
        for (size_t i = 0; i < n && d->count < mailbox_count(d->box); i++) {
            maildrop_message *m = &d->messages[d->count];
            *m = (maildrop_message){ .uid = infos[i].uid, .wire_bytes = infos[i].wire_bytes };
            f = m->wire_bytes == SIZE_UNKNOWN ? mailbox_size(d->box, m->uid, &m->wire_bytes) : NO_FAULT;
            if (f.kind == FAULT_REFUSED)
                continue; /* another program took it away just now */
            if (is_fault(f))
                return f;
            d->bytes += m->wire_bytes;
            d->count++;
        }
        from = infos[n - 1].uid + 1;
        if (from == 0)
            return NO_FAULT;
    }
}

fault maildrop_open(store *s, maildrop *out)
{
    *out = (maildrop){ 0 };
    fault f = mailbox_open(s, STR("INBOX"), false, &out->box);
    if (is_fault(f))
        return f;
    out->messages = memory_get(sizeof *out->messages * mailbox_count(out->box));
    f = fill(out);
    if (is_fault(f))
        maildrop_close(out);
    return f;
}

void maildrop_close(maildrop *d)
{
    if (d->box)
        mailbox_close(d->box);
    free(d->messages);
    *d = (maildrop){ 0 };
}

maildrop_message *maildrop_find(maildrop *d, uint32_t number)
{
    if (number == 0 || number > d->count || d->messages[number - 1].is_deleted)
        return NULL;
    return &d->messages[number - 1];
}

void maildrop_delete(maildrop *d, maildrop_message *m)
{
    m->is_deleted = true;
    d->deleted++;
    d->bytes -= m->wire_bytes;
}

void maildrop_reset(maildrop *d)
{
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->messages[i].is_deleted)
            d->bytes += d->messages[i].wire_bytes;
        d->messages[i].is_deleted = false;
    }
    d->deleted = 0;
}

fault maildrop_update(maildrop *d)
{
    uid_set gone = { 0 };
    if (d->deleted == 0)
        return NO_FAULT;
    for (uint32_t i = 0; i < d->count; i++)
        if (d->messages[i].is_deleted)
            uid_set_add(&gone, d->messages[i].uid, d->messages[i].uid);
    fault f = mailbox_expunge(d->box, &gone, false, NULL);
    uid_set_free(&gone);
    return f;
}
