/* Dialogues of an IMAP client whose INBOX has two messages. */
#pragma once
#include "imapd/worker/session.h"
#include "t/unit/imapd/dialog.h"

#define HELLO                                                                                     \
    "From: Ada <ada@a.example>\r\nTo: bob@b.example\r\nSubject: Hello =?utf-8?q?W=C3=B6rld?=\r\n" \
    "Date: Tue, 3 Mar 2020 10:11:12 +0100\r\nMessage-ID: <1@a.example>\r\n\r\nFirst line\r\nSecond line\r\n"
#define PARTS                                                                                                        \
    "From: x@y.example\r\nSubject: Parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n" \
    "pre\r\n--bb\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "                     \
    "quoted-printable\r\n\r\n"                                                                                       \
    "caf=E9 open=\r\nsesame\r\n--bb\r\nContent-Type: message/rfc822\r\n\r\nSubject: Inner\r\n\r\nDeep "              \
    "text\r\n--bb--\r\n"

/* One session, logged in; INBOX has HELLO and PARTS. */
typedef struct fixture {
    dialog d;
    client c;
} fixture;

static inline void fixture_open(fixture *f)
{
    dialog_open(&f->d);
    dialog_deliver(&f->d, HELLO);
    dialog_deliver(&f->d, PARTS);
    client_open(&f->c, &f->d);
    assert_non_null(strstr(client_read(&f->c, "t0 "), "t0 OK [CAPABILITY IMAP4rev1 "));
}

static inline void fixture_close(fixture *f)
{
    client_close(&f->c);
    dialog_close(&f->d);
}

/* Whole, and byte by byte. */
static inline void dialogue(const exchange *rows, size_t n)
{
    for (unsigned is_bytewise = 0; is_bytewise < 2; is_bytewise++) {
        fixture f;
        fixture_open(&f);
        client_run(&f.c, rows, n, is_bytewise);
        fixture_close(&f);
    }
}

static inline const char *ask(client *c, const char *line, const char *until)
{
    client_write(c, str_c(line));
    return client_read(c, until);
}
