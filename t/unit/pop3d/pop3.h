/* Sessions of a POP3 client whose maildrop has two messages. */
#pragma once
#include "pop3d/worker/server.h"
#include "pop3d/worker/session.h"
#include "t/unit/imapd/dialog.h"

#define ONE "Subject: one\r\n\r\n.dot\r\n..\r\nend\r\n" /* 31 octets */
#define TWO "Subject: two\r\n\r\nno line end"           /* 27 octets */

typedef struct fixture {
    dialog d;
    client c;
} fixture;

static inline void fixture_open(fixture *f)
{
    dialog_open(&f->d);
    dialog_deliver(&f->d, ONE);
    dialog_deliver(&f->d, TWO);
    client_open(&f->c, &f->d);
    assert_string_equal(client_read(&f->c, "+OK"), "+OK Logged in, 2 messages\r\n");
}

static inline uint32_t messages_left(dialog *d)
{
    mailbox_status status;
    OK(store_status(d->t.s, STR("INBOX"), &status));
    return status.messages;
}

static inline void fixture_close(fixture *f, uint32_t left)
{
    client_close(&f->c);
    assert_int_equal(messages_left(&f->d), left);
    dialog_close(&f->d);
}
